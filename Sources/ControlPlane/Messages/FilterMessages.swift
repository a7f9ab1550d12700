package import EventModel
package import WireMessages

extension EventFilter {
    /// Compiles what a client wants to see.
    ///
    /// - Throws: ``MessageError`` when a list or a text is longer than a filter may have it, a topic is no pattern, or
    ///   no kind of event matches any of the topics, which is most likely a mistake.
    package init(_ message: WireFilter) throws(MessageError) {
        let pids = try converted(message.pids, "pids", atMost: Limits.filterValueCount) {
            (pid) throws(MessageError) in try ProcessID(pid, "pid")
        }
        guard message.uids.count <= Limits.filterValueCount else {
            throw MessageError(field: "uids", expected: "at most \(Limits.filterValueCount) entries")
        }
        let name = message.hasName ? message.name : nil
        guard name?.utf8.count ?? 0 <= KernelText.longestCommByteCount else {
            throw MessageError(field: "name", expected: "at most \(Limits.commByteCount) bytes")
        }
        let prefix = message.hasExecutablePrefix ? message.executablePrefix : nil
        guard prefix?.utf8.count ?? 0 <= Limits.pathByteCount else {
            throw MessageError(field: "executable_prefix", expected: "at most \(Limits.pathByteCount) bytes")
        }
        self.init(
            topics: try TopicSet(patterns: message.topics), pids: pids.isEmpty ? nil : pids,
            uids: message.uids.isEmpty ? nil : message.uids.map { UserID($0) }, name: name,
            executablePrefix: prefix)
    }
}

extension KernelText {
    /// A `comm` each of whose bytes is escaped.
    fileprivate static let longestCommByteCount = 4 * Limits.commByteCount
}

extension TopicSet {
    /// Compiles patterns; none stand for every kind.
    fileprivate init(patterns: [String]) throws(MessageError) {
        let patterns = try converted(patterns, "topics", atMost: MessageLimits.filterTopicCount) {
            (text) throws(MessageError) in try TopicPattern(text, "pattern")
        }
        let topics = patterns.isEmpty ? TopicSet.all : TopicSet(matching: patterns)
        guard !topics.isEmpty else {
            throw MessageError(
                field: "topics",
                expected: "a topic of events, such as \"events.process.exec\" or \"events.#\"")
        }
        self = topics
    }
}

extension TopicPattern {
    fileprivate init(_ text: String, _ field: String) throws(MessageError) {
        do throws(InvalidTopicPattern) {
            try self.init(text)
        } catch {
            throw MessageError(field: field, expected: "at level \(error.level) \(error.expected)")
        }
    }
}
