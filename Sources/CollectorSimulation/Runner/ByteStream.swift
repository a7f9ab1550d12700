import CSimulation

/// The reading end of a pipe or file, line by line, through one buffer.
struct ByteReader {
    let descriptor: Int32

    /// The bytes up to the next LF, without it; `nil` at the end.
    func line() -> [UInt8]? {
        var bytes: [UInt8] = []
        while true {
            let byte = csim_read_byte(descriptor)
            guard byte >= 0 else { return bytes.isEmpty ? nil : bytes }
            if byte == 0x0a { return bytes }
            bytes.append(UInt8(truncatingIfNeeded: byte))
        }
    }

    /// Exactly `count` bytes; `nil` when the stream ends before.
    func bytes(count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for _ in 0..<count {
            let byte = csim_read_byte(descriptor)
            guard byte >= 0 else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: byte))
        }
        return bytes
    }

    /// At most `limit` bytes up to the end.
    func rest(limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit {
            let byte = csim_read_byte(descriptor)
            guard byte >= 0 else { break }
            bytes.append(UInt8(truncatingIfNeeded: byte))
        }
        return bytes
    }
}

/// The writing end of a pipe or file, buffered.
struct ByteWriter {
    let descriptor: Int32

    func write(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { _ = csim_write_byte(descriptor, byte) }
    }

    func writeLine(_ text: String) {
        write(text.utf8)
        _ = csim_write_byte(descriptor, 0x0a)
    }

    /// - Returns: Whether everything so far has been written.
    @discardableResult
    func flush() -> Bool { csim_flush(descriptor) == 0 }
}
