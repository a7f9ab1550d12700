import Synchronization

package import struct SystemPackage.Errno

/// Buffered text output to a descriptor that is already open; callable from any thread, a write at a time.
///
/// A slow reader blocks the writer: a thread that must not wait keeps away. A broken pipe is `EPIPE`, provided that
/// `SIGPIPE` is ignored (``LinuxSignals``). What is not flushed when the object goes is lost.
package final class LinuxOutput: Sendable {
    private struct State {
        var buffer: [UInt8] = []
    }

    private let descriptor: Int32
    private let bufferByteCount: Int
    private let state: Mutex<State>

    /// Descriptor 1, written in blocks of 64 KiB.
    package static func standardOutput() -> LinuxOutput {
        LinuxOutput(descriptor: 1, bufferByteCount: 65_536)
    }
    /// Descriptor 2, written at once.
    package static func standardError() -> LinuxOutput { LinuxOutput(descriptor: 2, bufferByteCount: 0) }

    /// - Parameters:
    ///   - descriptor: Stays open, and is closed by whoever opened it.
    ///   - bufferByteCount: So many bytes are kept back at most; 0 keeps nothing.
    package init(descriptor: Int32, bufferByteCount: Int) {
        precondition(descriptor >= 0 && bufferByteCount >= 0, "neither is negative")
        self.descriptor = descriptor
        self.bufferByteCount = bufferByteCount
        state = Mutex(State())
    }

    /// Appends bytes, and writes all of them out once the buffer is full.
    ///
    /// - Throws: `EPIPE` when the reader is gone, `ENOSPC`, `EIO`: then what was kept back is lost.
    package func write(_ bytes: [UInt8]) throws(Errno) {
        try state.withLock { (state) throws(Errno) in
            state.buffer.append(contentsOf: bytes)
            if state.buffer.count > bufferByteCount { try empty(&state.buffer) }
        }
    }

    /// Appends text in UTF-8; see ``write(_:)-([UInt8])``.
    package func write(_ text: String) throws(Errno) {
        try state.withLock { (state) throws(Errno) in
            state.buffer.append(contentsOf: text.utf8)
            if state.buffer.count > bufferByteCount { try empty(&state.buffer) }
        }
    }

    /// Writes out what was kept back.
    package func flush() throws(Errno) {
        try state.withLock { (state) throws(Errno) in try empty(&state.buffer) }
    }

    /// Whether a person may be looking (`isatty(3)`).
    package var isTerminal: Bool { Syscall.isTerminal(descriptor) }

    /// Rows and columns of the terminal; `nil` for anything else.
    package var terminalSize: (rows: Int, columns: Int)? {
        // ENOTTY is the only error, and absence is normal.
        try? Syscall.terminalSize(descriptor)
    }

    private func empty(_ buffer: inout [UInt8]) throws(Errno) {
        defer { buffer.removeAll(keepingCapacity: true) }
        var offset = 0
        while offset < buffer.count {
            do {
                offset += try Syscall.write(descriptor, buffer, from: offset)
            } catch .resourceTemporarilyUnavailable {
                try Syscall.waitWritable(descriptor)
            }
        }
    }
}
