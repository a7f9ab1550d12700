import CLinux

import struct SystemPackage.Errno

extension Syscall {
    /// Blocks signals in the calling thread, and in threads that it starts later.
    static func block(_ signals: [Int32]) {
        _ = infallible("pthread_sigmask", unsafe clinux_block_signals(signals.count, signals))
    }

    /// Makes the process survive a signal without noticing it.
    static func ignore(_ signal: Int32) {
        _ = infallible("sigaction", clinux_ignore_signal(signal))
    }

    /// Opens a descriptor from which blocked signals can be read.
    static func openSignals(_ signals: [Int32]) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(adopting: try check { unsafe clinux_signalfd(signals.count, signals) })
    }

    /// The next pending signal; `EAGAIN` when there is none.
    static func readSignal(_ descriptor: Int32) throws(Errno) -> Int32 {
        try check { clinux_read_signal(descriptor) }
    }
}
