/// What the collector refuses to do, and why.
public struct CollectorError: Error, Hashable, Sendable, CustomStringConvertible {
    public struct Code: Hashable, Sendable {
        private let rawValue: String

        public static let tooManySources = Code(rawValue: "too-many-sources")
        public static let tooManySubscribers = Code(rawValue: "too-many-subscribers")
        public static let duplicateName = Code(rawValue: "duplicate-name")
        public static let unknownSource = Code(rawValue: "unknown-source")
        public static let stopping = Code(rawValue: "stopping")
        public static let alreadyRun = Code(rawValue: "already-run")
    }

    public var code: Code
    public var message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
