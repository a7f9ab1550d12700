import struct SystemPackage.Errno

/// Why the daemon cannot run, with the exit code for it (`sysexits.h`).
public struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
    public struct Code: Hashable, Sendable {
        public let exitCode: Int32

        /// Something needed is not there: 69.
        public static let unavailable = Code(exitCode: 69)
        /// A defect of the daemon itself: 70.
        public static let `internal` = Code(exitCode: 70)
        /// Stopped at once by a second signal, so that not everything was delivered: 75.
        public static let interrupted = Code(exitCode: 75)
        /// A missing privilege: 77.
        public static let permission = Code(exitCode: 77)
        /// A setting: 78.
        public static let configuration = Code(exitCode: 78)
    }

    public var code: Code
    public var message: String

    /// What the kernel said, if it was asked.
    var cause: Errno?
    /// The command or setting that changes it, where the message does not end with it.
    var fix: String?

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ code: Code, _ message: String, cause: Errno, fix: String? = nil) {
        self.init(code, message)
        (self.cause, self.fix) = (cause, fix)
    }

    public var description: String { message }
}
