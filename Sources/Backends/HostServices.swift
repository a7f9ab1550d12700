public import struct SystemPackage.Errno

/// Unpredictable bytes.
public protocol Entropy: Sendable {
    func nextWord() -> UInt64
}

/// Signals that the collector handles itself.
public protocol SignalStream: Sendable {
    /// The next signal; `nil` when the task is cancelled. One waiter at a time; signals meanwhile are queued (each once).
    func next() async -> HostSignal?
}

public enum HostSignal: Int32, Hashable, Sendable, CaseIterable {
    case hangUp = 1
    case interrupt = 2
    case user1 = 10
    case terminate = 15
}

/// One small file that is read and replaced as a whole.
public protocol DurableFile: Sendable {
    /// The contents; `nil` when the file does not exist.
    func read() throws(Errno) -> [UInt8]?

    /// Replaces the contents so that after a crash the file holds either the old bytes or the new ones, entire.
    ///
    /// Returns only when the new bytes and the name are on stable storage (`fsync(2)` of file and folder).
    func replace(with bytes: [UInt8]) throws(Errno)
}
