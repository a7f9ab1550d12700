import CLinux

import struct SystemPackage.Errno

extension Syscall {
    /// Opens a file to read it, and gives the bare descriptor.
    static func openFile(_ name: StaticString, in base: Base) throws(Errno) -> Int32 {
        try check { unsafe clinux_open_read(base.rawValue, name.cString) }
    }

    /// Opens a file to read it; a symbolic link gives `ELOOP`.
    static func openFileNoFollow(_ name: String, in base: Base) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(
            adopting: try check {
                unsafe name.withCString { unsafe clinux_open_read_no_follow(base.rawValue, $0) }
            })
    }

    /// Opens a file to read it, through symbolic links, without waiting for the writer of a FIFO.
    static func openFileAtOnce(_ path: String) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(
            adopting: try check { unsafe path.withCString { unsafe clinux_open_read_at_once($0) } })
    }

    /// Makes a new file of mode 0600; `EEXIST` when the name is taken.
    static func makeFile(_ name: String, in base: Base) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(
            adopting: try check { unsafe name.withCString { unsafe clinux_open_new(base.rawValue, $0) } })
    }

    /// One `read(2)`, appended to `bytes`; 0 at the end.
    static func read(_ descriptor: Int32, atMost count: Int, into bytes: inout [UInt8]) throws(Errno) -> Int {
        try unsafe append(to: &bytes, atMost: count) { address, capacity in
            unsafe clinux_read(descriptor, capacity, address)
        }
    }

    /// One `write(2)` of a part of `bytes`; may write less.
    static func write(_ descriptor: Int32, _ bytes: [UInt8], from offset: Int) throws(Errno) -> Int {
        precondition(offset <= bytes.count, "the offset lies within the bytes")
        return try check {
            unsafe bytes.withUnsafeBufferPointer { buffer in
                guard let address = buffer.baseAddress else { return 0 }
                return unsafe clinux_write(descriptor, buffer.count - offset, address + offset)
            }
        }
    }

    /// Returns once file contents or directory entries are on stable storage.
    static func synchronise(_ descriptor: borrowing OwnedDescriptor) throws(Errno) {
        let number = descriptor.rawValue
        _ = try check { clinux_synchronise(number) }
    }

    /// Blocks until the descriptor takes bytes or is broken.
    static func waitWritable(_ descriptor: Int32) throws(Errno) {
        _ = try check { clinux_wait_writable(descriptor) }
    }

    static func isTerminal(_ descriptor: Int32) -> Bool { clinux_is_terminal(descriptor) == 1 }

    /// Rows and columns of a terminal; `ENOTTY` for anything else.
    static func terminalSize(_ descriptor: Int32) throws(Errno) -> (rows: Int, columns: Int) {
        var rows: UInt16 = 0
        var columns: UInt16 = 0
        _ = try check { unsafe clinux_terminal_size(descriptor, &rows, &columns) }
        return (Int(rows), Int(columns))
    }

    /// Lets `call` fill fresh room at the end of `bytes`, which is not cleared before; the room itself may be larger.
    ///
    /// - Returns: What `call` returned: the bytes that it filled.
    static func append(
        to bytes: inout [UInt8], atMost count: Int, _ call: (UnsafeMutablePointer<UInt8>, Int) -> Int
    ) throws(Errno) -> Int {
        precondition(count >= 0, "a count is not negative")
        var result = 0
        try bytes.append(addingCapacity: count) { (span) throws(Errno) in
            try unsafe span.withUnsafeMutableBufferPointer { (buffer, initializedCount) throws(Errno) in
                guard let address = buffer.baseAddress else { return }
                result = try check { unsafe call(address, count) }
                precondition(result <= count, "the kernel fills no more than it may")
                initializedCount = result
            }
        }
        return result
    }
}
