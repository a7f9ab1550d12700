package import Backends

package import struct SystemPackage.Errno

/// The signals of ``HostSignal``, read from a descriptor instead of interrupting somebody.
package final class LinuxSignals: SignalStream {
    /// `SIGPIPE`.
    private static let brokenPipe: Int32 = 13

    private let descriptor: ReadableDescriptor

    /// Blocks the signals and starts to collect them, and makes broken pipes an error of the write.
    ///
    /// To be called before any other thread exists: a thread that does not block a signal dies of it. Waits run on
    /// `thread`.
    package init(on thread: LinuxThread) throws(Errno) {
        let signals = HostSignal.allCases.map(\.rawValue)
        Syscall.block(signals)
        Syscall.ignore(Self.brokenPipe)
        descriptor = try ReadableDescriptor(Syscall.openSignals(signals), on: thread)
    }

    package func next() async -> HostSignal? {
        while !Task.isCancelled {
            do {
                if let signal = HostSignal(rawValue: try Syscall.readSignal(descriptor.descriptor.rawValue)) {
                    return signal
                }
            } catch {
                // Only EAGAIN is left: nothing is pending.
                precondition(error == .resourceTemporarilyUnavailable, "reading signals failed: \(error)")
                _ = await descriptor.readable(until: nil)
            }
        }
        return nil
    }
}
