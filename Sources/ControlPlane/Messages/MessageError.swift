/// A message of a peer whose fields make no sense.
///
/// Names the field by its path in the message, as the protocol's files spell it, and says what would have been right
/// there. What the peer sent instead is left out: it is the peer's choice, and may be long or hostile.
package struct MessageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path of the field, such as `process.identity.pid`.
    package var field: String
    /// What would have been right.
    package var expected: String

    /// Makes an error from its parts.
    package init(field: String, expected: String) {
        self.field = field
        self.expected = expected
    }

    /// One line for a person.
    package var description: String { "\(field): expected \(expected)" }
}

/// Bounds on what is taken out of a peer's message, beyond those of ``EventModel/Limits``.
package enum MessageLimits {
    /// Largest count in an account: 285 years of a million a second. Sums of as many counts as an account can hold do
    /// not overflow.
    package static let count: UInt64 = 1 << 53
    /// Most reasons in a tally; the collector's own are a few dozen.
    package static let tallyEntryCount = 256
    /// Most sources, subscribers or listeners in a report.
    package static let reportEntryCount = 4_096
    /// Most topic patterns in a filter.
    package static let filterTopicCount = 64
}

/// Runs `body` and completes the path of the field that it complains of.
func within<Value>(
    _ field: @autoclosure () -> String, _ body: () throws(MessageError) -> Value
) throws(MessageError) -> Value {
    do throws(MessageError) {
        return try body()
    } catch {
        throw MessageError(field: field() + "." + error.field, expected: error.expected)
    }
}

/// Converts a repeated field; an error names the index.
func converted<Message, Value>(
    _ messages: [Message], _ field: String, atMost limit: Int,
    _ convert: (Message) throws(MessageError) -> Value
) throws(MessageError) -> [Value] {
    guard messages.count <= limit else {
        throw MessageError(field: field, expected: "at most \(limit) entries")
    }
    guard !messages.isEmpty else { return [] }
    var values: [Value] = []
    values.reserveCapacity(messages.count)
    for message in messages {
        values.append(
            try within("\(field)[\(values.count)]") { () throws(MessageError) in try convert(message) })
    }
    return values
}

/// A value that the protocol names by the text of the JSON records.
func named<Name: RawRepresentable<String> & CaseIterable>(
    _ text: String, _ field: String
) throws(MessageError) -> Name {
    guard let name = Name(rawValue: text) else {
        let names = Name.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        throw MessageError(field: field, expected: "one of \(names)")
    }
    return name
}

/// A number that must fit a narrower type.
func number<Wide: FixedWidthInteger, Narrow: FixedWidthInteger>(
    _ value: Wide, _ field: String, upTo limit: Narrow = .max
) throws(MessageError) -> Narrow {
    guard let number = Narrow(exactly: value), number <= limit else {
        throw MessageError(field: field, expected: "a number from 0 to \(limit)")
    }
    return number
}

/// Values that the protocol names by the texts of the JSON records, none more often than there are names.
func names<Name: RawRepresentable<String> & CaseIterable>(
    _ texts: [String], _ field: String
) throws(MessageError) -> [Name] {
    try converted(texts, field, atMost: Name.allCases.count) { (text) throws(MessageError) in
        try named(text, "name")
    }
}
