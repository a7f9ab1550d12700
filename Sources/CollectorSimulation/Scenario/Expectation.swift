import EventModel

/// A line of `expect`: something that must hold in addition to the oracles that are always on.
package struct ExpectLine: Hashable, Sendable {
    package var number: Int
    package var expectation: Expectation
}

package enum Expectation: Hashable, Sendable {
    /// The events that match are exactly the output lines below.
    case events(EventPattern, output: [OutputLine])
    case count(EventPattern, Comparison, UInt64)
    case never(EventPattern)
    case gap(GapPattern)
    case always(Gauge, atMost: UInt64)
    /// A resync begins and ends within `duration` after `time`.
    case resync(within: Int64, after: Int64)
    /// The n-th percentile of the virtual time from the kernel's stamp to delivery.
    case latency(EventPattern, percentile: Int, atMost: Int64)
    case shutdown(within: Int64, code: Int)
    case accountsBalanced
    /// Names of probes that must have been hit.
    case sometimes([String])
    /// An oracle that this scenario may break, and why.
    case waive(oracle: String, reason: [UInt8])
}

/// One `| ` line and where it stands.
package struct OutputLine: Hashable, Sendable {
    package var text: String
    package var number: Int
}

/// Which events an expectation speaks of; every condition given must hold.
package struct EventPattern: Hashable, Sendable {
    /// Such as `process.exec`, `process.*`, `file.*` or `performance.*`.
    package var kind: String
    package var pid: ProcessReference?
    package var executable: [UInt8]?
    package var name: [UInt8]?
    /// Of an event about a file.
    package var path: [UInt8]?
    /// Such as `emitted` or `resync`.
    package var origin: String?
}

package enum Comparison: String, Hashable, Sendable, CaseIterable {
    case equal = "=="
    case atLeast = ">="
    case atMost = "<="

    package func holds(_ left: UInt64, _ right: UInt64) -> Bool {
        switch self {
        case .equal: left == right
        case .atLeast: left >= right
        case .atMost: left <= right
        }
    }
}

/// Which gap records an expectation speaks of.
package struct GapPattern: Hashable, Sendable {
    /// `netlink` (the kernel dropped), `stopped` (not running), `buffer` or `subscriber` (dropped by the
    /// collector), `watch-queue` (inotify's was full), `watch` (a folder was not watched).
    package var place: String
    /// The sum of what the records say is lost; `nil` is any number of at least one.
    package var lost: UInt64?
    /// Every message that the truth log says was lost lies within a gap record.
    package var isAttributed: Bool
}

/// A quantity that has a bound at every moment.
package enum Gauge: String, Hashable, Sendable, CaseIterable {
    /// Events waiting for the subscriber.
    case queueDepth = "queue.depth"
}

extension ExpectLine {
    static let verbs = [
        "events", "count", "never", "gap", "always", "eventually", "latency", "shutdown", "accounts",
        "sometimes",
        "waive",
    ]
    /// Rare situations that a scenario can demand to have met.
    package static let probes = Probes.names

    init(_ reader: inout LineReader, output: [OutputLine]) throws(ScenarioError) {
        number = reader.line
        try reader.refuseTime()
        let verb = try reader.verb(of: Self.verbs)
        expectation = try Expectation(verb: verb, &reader, output: output)
        try reader.finish()
    }
}

extension Expectation {
    init(verb: String, _ reader: inout LineReader, output: [OutputLine]) throws(ScenarioError) {
        switch verb {
        case "events":
            let kind = try reader.parsed(
                "kind", "a kind such as process.exec or process.*", EventPattern.kind)
            self = .events(try EventPattern(kind: kind ?? "*", &reader), output: output)
        case "count":
            let pattern = try EventPattern(&reader)
            let known = Comparison.allCases.map(\.rawValue)
            let comparison = Comparison(rawValue: try reader.word(of: known)) ?? .equal
            self = .count(pattern, comparison, try reader.parsed("a number") { Quantity.integer($0) })
        case "never": self = .never(try EventPattern(&reader))
        case "gap": self = .gap(try GapPattern(&reader))
        case "always":
            let known = Gauge.allCases.map(\.rawValue)
            let gauge = Gauge(rawValue: try reader.word(of: known)) ?? .queueDepth
            _ = try reader.word(of: ["<="])
            self = .always(gauge, atMost: try reader.parsed("a number") { Quantity.integer($0) })
        case "eventually": self = try Self.eventually(&reader)
        case "latency": self = try Self.latency(&reader)
        case "shutdown":
            guard let within = try reader.duration(key: "within") else {
                throw reader.error("expected within= with a duration such as 5s")
            }
            self = .shutdown(within: within, code: Int(try reader.integer(key: "code", in: 0...255) ?? 0))
        case "accounts":
            _ = try reader.word(of: ["balanced"])
            self = .accountsBalanced
        case "waive":
            let oracle = try reader.word(of: OracleName.allCases.map(\.rawValue))
            guard let reason = try reader.bytes(key: "because"), !reason.isEmpty else {
                throw reader.error("expected because= with a reason")
            }
            self = .waive(oracle: oracle, reason: reason)
        default: self = .sometimes(try Self.probes(&reader))
        }
    }

    private static func eventually(_ reader: inout LineReader) throws(ScenarioError) -> Expectation {
        guard let within = try reader.duration(key: "within") else {
            throw reader.error("expected within= with a duration such as 2s")
        }
        let after = try reader.parsed("after", "a time such as @1.5s") { text in
            text.first == "@" ? Quantity.nanoseconds(text.dropFirst(), defaultUnit: "s") : nil
        }
        _ = try reader.word(of: ["resync"])
        return .resync(within: within, after: after ?? 0)
    }

    private static func latency(_ reader: inout LineReader) throws(ScenarioError) -> Expectation {
        let pattern = try EventPattern(&reader)
        let percentile = try reader.parsed("a percentile such as p99") { text -> Int? in
            guard text.first == "p", let value = Quantity.integer(text.dropFirst()), (1...100).contains(value)
            else {
                return nil
            }
            return Int(value)
        }
        _ = try reader.word(of: ["<="])
        return .latency(pattern, percentile: percentile, atMost: try reader.duration())
    }

    private static func probes(_ reader: inout LineReader) throws(ScenarioError) -> [String] {
        var names: [String] = []
        repeat {
            let column = reader.position.column
            let word = try reader.word("one of \(ExpectLine.probes.joined(separator: ", "))")
            for name in word.split(separator: ",").map(String.init) {
                guard ExpectLine.probes.contains(name) else {
                    let known = ExpectLine.probes.joined(separator: ", ")
                    throw reader.error("unknown probe \"\(name)\"; expected one of \(known)", column: column)
                }
                names.append(name)
            }
        } while !reader.isAtEnd
        return names
    }
}

extension EventPattern {
    /// Whether it speaks of files.
    package var isAboutFiles: Bool { kind.hasPrefix("file.") }
    /// Whether it speaks of measurements; their name is that of the metric.
    package var isAboutMeasurements: Bool { kind.hasPrefix("performance.") }

    init(_ reader: inout LineReader) throws(ScenarioError) {
        let kind = try reader.parsed("a kind such as process.exec or process.*", Self.kind)
        try self.init(kind: kind, &reader)
    }

    fileprivate init(kind: String, _ reader: inout LineReader) throws(ScenarioError) {
        self.kind = kind
        pid = try reader.parsed("pid", "a process such as 412 or 412#2") { ProcessReference($0) }
        executable = try reader.bytes(key: "exe")
        name = try reader.bytes(key: "name")
        path = try reader.bytes(key: "path")
        origin = try reader.choice(key: "origin", of: EventOrigin.allCases.map(\.rawValue))
    }

    fileprivate static func kind(_ text: String) -> String? {
        let isKnown =
            ["*", "process.*", "file.*", "performance.*"].contains(text) || EventKind(rawValue: text) != nil
        return isKnown ? text : nil
    }
}

extension GapPattern {
    init(_ reader: inout LineReader) throws(ScenarioError) {
        place = try reader.word(of: [
            "netlink", "stopped", "polls", "buffer", "subscriber", "watch-queue", "watch",
        ])
        let text = try reader.parsed("lost", "a number or any") { text in
            text == "any" || Quantity.integer(text) != nil ? text : nil
        }
        lost = text.flatMap { Quantity.integer($0) }
        isAttributed = try reader.choice(key: "attributed", of: ["all"]) != nil
    }
}
