/// One `struct inotify_event` (`inotify(7)`, `include/uapi/linux/inotify.h`).
package struct InotifyRecord: Hashable, Sendable {
    /// The watch; -1 with ``InotifyMask/queueOverflow``.
    package var watch: Int32
    package var mask: InotifyMask
    /// The same for both halves of a rename, 0 otherwise.
    package var cookie: UInt32
    /// The name within the watched folder, without NUL; empty when the event is about what is watched itself.
    package var name: [UInt8]

    package init(watch: Int32, mask: InotifyMask, cookie: UInt32 = 0, name: [UInt8] = []) {
        self.watch = watch
        self.mask = mask
        self.cookie = cookie
        self.name = name
    }

    /// Bytes of a record without its name.
    package static let headerByteCount = 16
    /// Enough room for any one record: the header, `NAME_MAX` bytes and a NUL.
    package static let greatestByteCount = headerByteCount + 255 + 1

    /// Bytes that the kernel takes for it: a name is padded with NULs to a multiple of the header
    /// (`round_event_name_len`, `fs/notify/inotify/inotify_user.c`).
    package var byteCount: Int {
        guard !name.isEmpty else { return Self.headerByteCount }
        return Self.headerByteCount + (name.count / Self.headerByteCount + 1) * Self.headerByteCount
    }
}

/// The bits of an inotify event and of a watch.
package struct InotifyMask: OptionSet, Hashable, Sendable {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let access = InotifyMask(rawValue: 0x1)
    package static let modify = InotifyMask(rawValue: 0x2)
    package static let attributes = InotifyMask(rawValue: 0x4)
    package static let closeWrite = InotifyMask(rawValue: 0x8)
    package static let closeNoWrite = InotifyMask(rawValue: 0x10)
    package static let open = InotifyMask(rawValue: 0x20)
    package static let movedFrom = InotifyMask(rawValue: 0x40)
    package static let movedTo = InotifyMask(rawValue: 0x80)
    package static let create = InotifyMask(rawValue: 0x100)
    package static let delete = InotifyMask(rawValue: 0x200)
    package static let deleteSelf = InotifyMask(rawValue: 0x400)
    package static let moveSelf = InotifyMask(rawValue: 0x800)
    /// The file system was unmounted; ``ignored`` follows.
    package static let unmount = InotifyMask(rawValue: 0x2000)
    /// Events were dropped because the queue was full.
    package static let queueOverflow = InotifyMask(rawValue: 0x4000)
    /// The watch is gone, and its number will not come again.
    package static let ignored = InotifyMask(rawValue: 0x8000)
    /// For a watch: only if it is a folder.
    package static let onlyDirectory = InotifyMask(rawValue: 0x0100_0000)
    /// For a watch: do not follow a symbolic link.
    package static let doNotFollow = InotifyMask(rawValue: 0x0200_0000)
    /// For a watch: nothing about children once they have no name.
    package static let excludeUnlinked = InotifyMask(rawValue: 0x0400_0000)
    /// For a watch: fail when there is one already (Linux 4.18).
    package static let createOnly = InotifyMask(rawValue: 0x1000_0000)
    /// For a watch: add to the mask that is there instead of replacing it.
    package static let add = InotifyMask(rawValue: 0x2000_0000)
    /// The subject is a folder.
    package static let isDirectory = InotifyMask(rawValue: 0x4000_0000)
    /// For a watch: one event, then no more.
    package static let oneShot = InotifyMask(rawValue: 0x8000_0000)

    /// Everything that a program can ask to be told (`IN_ALL_EVENTS`).
    package static let allEvents = InotifyMask(rawValue: 0xfff)
}

extension InotifyRecord: KernelFormat {
    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        var reader = InotifyReader(at: 0, count: bytes.count)
        guard let record = try reader.next(in: bytes) else {
            throw FormatError(.inotifyEvent, at: 0, .truncated, expected: "16 bytes of inotify_event")
        }
        guard reader.isAtEnd else {
            throw FormatError(.inotifyEvent, at: record.byteCount, .malformed, expected: "the end")
        }
        self = record
    }

    package func append(to bytes: inout [UInt8]) {
        let nameRoom = byteCount - Self.headerByteCount
        bytes.append(addingCapacity: byteCount) { bytes in
            bytes.append(word: UInt32(bitPattern: watch))
            bytes.append(word: mask.rawValue)
            bytes.append(word: cookie)
            bytes.append(word: UInt32(nameRoom))
            for byte in name { bytes.append(byte) }
            bytes.append(repeating: Ascii.nul, count: nameRoom - name.count)
        }
    }
}

/// Steps through the records that one `read(2)` gave, without copying them.
package struct InotifyReader: Hashable, Sendable {
    private var offset: Int
    private let end: Int

    /// A reader of the `count` bytes from `offset` of the span that each ``next(in:)`` is given.
    package init(at offset: Int, count: Int) {
        self.offset = max(offset, 0)
        end = self.offset.addingReportingOverflow(max(count, 0)).overflow ? .max : self.offset + max(count, 0)
    }

    package var isAtEnd: Bool { offset >= end }

    /// The next record; `nil` at the end.
    ///
    /// - Throws: When a record is cut or its name is not what the kernel writes. Where its length is sound, the next call
    ///   goes on behind it, else the bytes end.
    package mutating func next(in bytes: Span<UInt8>) throws(FormatError) -> InotifyRecord? {
        let limit = min(end, bytes.count)
        guard offset < limit else {
            offset = max(offset, end)
            return nil
        }
        let start = offset
        offset = end
        guard limit - start >= InotifyRecord.headerByteCount else {
            throw FormatError(.inotifyEvent, at: limit, .truncated, expected: "16 bytes of inotify_event")
        }
        let length = Int(bytes.word(at: start + 12))
        let nameStart = start + InotifyRecord.headerByteCount
        guard length <= limit - nameStart else {
            throw FormatError(
                .inotifyEvent, at: start + 12, .truncated, expected: "len within the bytes read")
        }
        offset = nameStart + length
        guard length <= 4_096 else {
            throw FormatError(
                .inotifyEvent, at: start + 12, .tooLong, expected: "a name of at most NAME_MAX bytes")
        }
        let nameEnd =
            bytes.firstIndex(of: Ascii.nul, in: nameStart..<(nameStart + length)) ?? nameStart + length
        guard length == 0 || nameEnd < nameStart + length else {
            throw FormatError(.inotifyEvent, at: nameEnd, .malformed, expected: "a NUL behind the name")
        }
        return InotifyRecord(
            watch: Int32(bitPattern: bytes.word(at: start)),
            mask: InotifyMask(rawValue: bytes.word(at: start + 4)), cookie: bytes.word(at: start + 8),
            name: bytes.copy(nameStart..<nameEnd))
    }
}
