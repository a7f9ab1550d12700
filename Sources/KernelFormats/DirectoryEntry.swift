/// One `struct linux_dirent64` (`getdents64(2)`).
package struct DirectoryEntry: Hashable, Sendable {
    package var inode: UInt64
    /// Where the next call would go on; means nothing to us.
    package var offset: Int64
    /// `d_type`, which a file system may leave unknown.
    package var kind: Kind
    /// Any bytes but NUL and slash, 1 to 255 of them.
    package var name: [UInt8]

    /// `d_type` (`include/linux/fs_types.h`).
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        case unknown = 0
        case fifo = 1
        case characterDevice = 2
        case directory = 4
        case blockDevice = 6
        case regular = 8
        case symlink = 10
        case socket = 12
    }

    package init(inode: UInt64, offset: Int64 = 0, kind: Kind, name: [UInt8]) {
        self.inode = inode
        self.offset = offset
        self.kind = kind
        self.name = name
    }

    static let headerByteCount = 19
    /// Enough room for any one record.
    package static let greatestByteCount = 280

    /// Bytes that the kernel takes for it: a multiple of 8.
    package var byteCount: Int { (Self.headerByteCount + name.count + 1 + 7) & ~7 }

    /// `.` or `..`.
    package var isSelfOrParent: Bool {
        name == [Ascii.period] || name == [Ascii.period, Ascii.period]
    }
}

extension DirectoryEntry: KernelFormat {
    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        var reader = DirectoryEntryReader(at: 0, count: bytes.count)
        guard let entry = try reader.next(in: bytes) else {
            throw FormatError(.directoryEntry, at: 0, .truncated, expected: "19 bytes of linux_dirent64")
        }
        guard reader.isAtEnd else {
            throw FormatError(.directoryEntry, at: entry.byteCount, .malformed, expected: "the end")
        }
        self = entry
    }

    package func append(to bytes: inout [UInt8]) {
        let length = byteCount
        bytes.append(addingCapacity: length) { bytes in
            bytes.append(doubleWord: inode)
            bytes.append(doubleWord: UInt64(bitPattern: offset))
            bytes.append(halfWord: UInt16(length))
            bytes.append(kind.rawValue)
            for byte in name { bytes.append(byte) }
            bytes.append(repeating: Ascii.nul, count: length - Self.headerByteCount - name.count)
        }
    }
}

/// Steps through the entries that one `getdents64(2)` gave.
package struct DirectoryEntryReader: Hashable, Sendable {
    private var offset: Int
    private let end: Int

    /// A reader of the `count` bytes from `offset` of the span that each ``next(in:)`` is given.
    package init(at offset: Int, count: Int) {
        self.offset = max(offset, 0)
        end = self.offset.addingReportingOverflow(max(count, 0)).overflow ? .max : self.offset + max(count, 0)
    }

    package var isAtEnd: Bool { offset >= end }

    /// The next entry; `nil` at the end.
    ///
    /// - Throws: When a record is cut or no file system can have its name. Where its length is sound, the next call goes
    ///   on behind it, else the bytes end.
    package mutating func next(in bytes: Span<UInt8>) throws(FormatError) -> DirectoryEntry? {
        let limit = min(end, bytes.count)
        guard offset < limit else {
            offset = max(offset, end)
            return nil
        }
        let start = offset
        offset = end
        guard limit - start >= DirectoryEntry.headerByteCount + 1 else {
            throw FormatError(.directoryEntry, at: limit, .truncated, expected: "19 bytes of linux_dirent64")
        }
        let length = Int(bytes.halfWord(at: start + 16))
        guard length > DirectoryEntry.headerByteCount, length <= limit - start else {
            throw FormatError(
                .directoryEntry, at: start + 16, .truncated, expected: "d_reclen within the bytes read")
        }
        offset = start + length
        let nameStart = start + DirectoryEntry.headerByteCount
        guard let nameEnd = bytes.firstIndex(of: Ascii.nul, in: nameStart..<(start + length)),
            nameEnd > nameStart,
            bytes.firstIndex(of: Ascii.slash, in: nameStart..<nameEnd) == nil
        else {
            throw FormatError(
                .directoryEntry, at: nameStart, .malformed, expected: "a name with a NUL and no slash")
        }
        guard nameEnd - nameStart <= 4_095 else {
            throw FormatError(
                .directoryEntry, at: nameStart, .tooLong, expected: "a name of at most NAME_MAX bytes")
        }
        return DirectoryEntry(
            inode: bytes.doubleWord(at: start), offset: Int64(bitPattern: bytes.doubleWord(at: start + 8)),
            kind: DirectoryEntry.Kind(rawValue: bytes[start + 18]) ?? .unknown,
            name: bytes.copy(nameStart..<nameEnd))
    }
}
