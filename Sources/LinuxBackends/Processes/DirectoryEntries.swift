package import EventModel

/// The records of `getdents64(2)`.
package enum DirectoryEntries {
    /// Bytes of a record before its name: inode, offset, length, type (`struct linux_dirent64`).
    private static let headerByteCount = 19
    private static let lengthOffset = 16

    /// Appends the names that are decimal numbers; others, and what follows a malformed record, are skipped.
    package static func appendNumbers(of entries: Span<UInt8>, to pids: inout [ProcessID]) {
        var offset = 0
        while offset + headerByteCount < entries.count {
            let length = Int(entries[offset + lengthOffset]) | Int(entries[offset + lengthOffset + 1]) << 8
            guard length > headerByteCount, offset + length <= entries.count else { return }
            if let number = number(entries.extracting(offset + headerByteCount..<offset + length)) {
                pids.append(ProcessID(number))
            }
            offset += length
        }
    }

    /// The number that a name, up to its NUL, spells; `nil` for anything else.
    private static func number(_ name: Span<UInt8>) -> Int32? {
        var value: Int32 = 0
        for index in name.indices {
            let byte = name[index]
            if byte == 0 { return index == 0 ? nil : value }
            guard (0x30...0x39).contains(byte) else { return nil }
            let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(Int32(byte - 0x30))
            if overflowed || carried { return nil }
            value = sum
        }
        return nil
    }
}
