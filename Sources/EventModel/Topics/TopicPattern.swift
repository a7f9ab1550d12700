/// A pattern over topics, the dotted names under which events are published (``EventKind/topic``).
///
/// Levels are separated by `.`. A level is a name of lower-case letters, digits, `-` and `_`, or a wildcard:
/// `+` stands for exactly one level, `#`, only at the end, for all that follow, also for none.
/// `events.process.+` matches `events.process.exec`; `events.#` matches that and `events`.
public struct TopicPattern: Hashable, Sendable, CustomStringConvertible {
    private enum Level: Hashable, Sendable {
        case name(String)
        case one
        case rest
    }

    private let levels: [Level]

    /// Reads a pattern.
    ///
    /// - Throws: ``InvalidTopicPattern`` with the first level that breaks a rule and what was expected there.
    public init(_ text: String) throws(InvalidTopicPattern) {
        guard text.utf8.count <= Limits.topicByteCount else {
            throw InvalidTopicPattern(
                pattern: text, level: 1, expected: "at most \(Limits.topicByteCount) bytes")
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= Limits.topicLevelCount else {
            throw InvalidTopicPattern(
                pattern: text, level: Limits.topicLevelCount + 1,
                expected: "at most \(Limits.topicLevelCount) levels")
        }
        var levels: [Level] = []
        for (index, part) in parts.enumerated() {
            func invalid(_ expected: String) -> InvalidTopicPattern {
                InvalidTopicPattern(pattern: text, level: index + 1, expected: expected)
            }
            switch part {
            case "": throw invalid("a name, \"+\" or \"#\" between the dots")
            case "+": levels.append(.one)
            case "#":
                guard index == parts.count - 1 else { throw invalid("\"#\" only as the last level") }
                levels.append(.rest)
            default:
                guard part.utf8.allSatisfy(isNameByte) else {
                    throw invalid(
                        "lower-case letters, digits, \"-\" and \"_\", or \"+\" or \"#\" alone")
                }
                levels.append(.name(String(part)))
            }
        }
        self.levels = levels
    }

    /// Whether the pattern matches a topic; a topic with an empty level matches nothing.
    ///
    /// Linear in the topic's length. Where many events are matched, compile patterns to a ``TopicSet``
    /// instead.
    public func matches(_ topic: String) -> Bool {
        let parts = topic.utf8.split(separator: 0x2e, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty }) else { return false }
        for (index, level) in levels.enumerated() {
            switch level {
            case .rest: return true
            case .one: guard index < parts.count else { return false }
            case .name(let name):
                guard index < parts.count, parts[index].elementsEqual(name.utf8) else { return false }
            }
        }
        return parts.count == levels.count
    }

    /// The text the pattern was read from.
    public var description: String {
        let texts = levels.map { level in
            switch level {
            case .name(let name): name
            case .one: "+"
            case .rest: "#"
            }
        }
        return texts.joined(separator: ".")
    }
}

private func isNameByte(_ byte: UInt8) -> Bool {
    (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d || byte == 0x5f
}

/// A text that is no ``TopicPattern``.
public struct InvalidTopicPattern: Error, Hashable, Sendable, CustomStringConvertible {
    /// The whole text, as it was given.
    public let pattern: String
    /// The level that breaks a rule, counted from 1.
    public let level: Int
    /// What would have been right there.
    public let expected: String

    /// One line that names the place and what was expected; foreign characters are harmless on a terminal.
    public var description: String {
        "topic pattern \"\(TerminalText.escape(pattern))\", level \(level): expected \(expected)"
    }
}
