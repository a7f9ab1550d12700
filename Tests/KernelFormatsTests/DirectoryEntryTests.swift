import KernelFormats
import Testing

@Suite struct DirectoryEntryTests {
    /// All entries of one call; an error stands for an entry that cannot be read.
    private func entries(of bytes: [UInt8], count: Int? = nil) -> [DirectoryEntry?] {
        var reader = DirectoryEntryReader(at: 0, count: count ?? bytes.count)
        var entries: [DirectoryEntry?] = []
        while !reader.isAtEnd {
            do {
                guard let entry = try reader.next(in: bytes.span) else { break }
                entries.append(entry)
            } catch {
                entries.append(nil)
            }
        }
        return entries
    }

    @Test func `captured entries are read`() throws {
        let read = entries(of: DirectoryCapture.all.flatMap(\.self)).compactMap(\.self)
        #expect(
            read.map { String(decoding: $0.name, as: UTF8.self) }
                == [".", "fifo", "back", "link", "12345", "sub", ".."])
        #expect(
            read.map(\.kind) == [.directory, .fifo, .regular, .symlink, .regular, .directory, .directory])
        #expect(
            read.map(\.inode)
                == [1_639_002, 1_639_005, 1_639_003, 1_639_004, 1_639_007, 1_639_006, 1_639_001])
        #expect(read.map(\.isSelfOrParent) == [true, false, false, false, false, false, true])
        #expect(read.last?.offset == .max)
    }

    @Test(arguments: DirectoryCapture.all)
    func `a captured entry is printed as the kernel did`(bytes: [UInt8]) throws {
        let entry = try DirectoryEntry(parsing: bytes)
        #expect(entry.bytes == bytes)
        #expect(entry.byteCount == bytes.count)
    }

    @Test func `a list that is cut anywhere gives the whole entries before the cut and one error`() {
        let bytes = DirectoryCapture.all.flatMap(\.self)
        var ends: [Int] = [0]
        for entry in DirectoryCapture.all { ends.append(ends[ends.count - 1] + entry.count) }
        for count in 0...bytes.count {
            let whole = ends.count { $0 <= count } - 1
            let read = entries(of: bytes, count: count)
            #expect(read.count { $0 != nil } == whole)
            #expect(read.count { $0 == nil } == (ends.contains(count) ? 0 : 1), "\(count) bytes")
        }
    }

    @Test(arguments: ["a/b", "/", ""])
    func `a name that would lead elsewhere is refused, and the next entry is read`(name: String) throws {
        let entry = DirectoryEntry(inode: 1, kind: .regular, name: Array(name.utf8))
        #expect(
            entries(of: entry.bytes + DirectoryCapture.file) == [
                nil, try DirectoryEntry(parsing: DirectoryCapture.file),
            ])
    }

    @Test func `a name without its NUL is refused`() {
        var bytes = DirectoryCapture.fifo
        bytes[23] = 0x6f
        #expect(throws: FormatError.self) { try DirectoryEntry(parsing: bytes) }
    }

    @Test func `a record length that cannot be ends the list`() {
        for length: UInt8 in 0...19 {
            var bytes = DirectoryCapture.file
            bytes[16] = length
            #expect(entries(of: bytes + DirectoryCapture.fifo) == [nil])
        }
    }

    @Test func `a name as long as the record may be is refused`() {
        var bytes = DirectoryCapture.file
        (bytes[16], bytes[17]) = (0xff, 0xff)
        bytes.replaceSubrange(19..., with: [UInt8](repeating: 0x61, count: 65_535 - 20) + [0])
        let error = #expect(throws: FormatError.self) { try DirectoryEntry(parsing: bytes) }
        #expect(error?.reason == .tooLong)
    }

    @Test func `a type that Linux does not name is unknown`() throws {
        var bytes = DirectoryCapture.file
        bytes[18] = 14
        #expect(try DirectoryEntry(parsing: bytes).kind == .unknown)
    }

    @Test func `the greatest entry has a name of 255 bytes`() throws {
        let entry = DirectoryEntry(inode: .max, kind: .unknown, name: [UInt8](repeating: 0xfe, count: 255))
        #expect(entry.byteCount == DirectoryEntry.greatestByteCount)
        #expect(try DirectoryEntry(parsing: entry.bytes) == entry)
    }

    @Test func `what is printed is read back`() throws {
        var generator = SeededGenerator(seed: 21)
        for _ in 0..<500 {
            let entries = (0..<Int(generator.next() % 6)).map { _ in
                DirectoryEntry(
                    inode: generator.integer(), offset: generator.integer(),
                    kind: generator.element(of: DirectoryEntry.Kind.allCases),
                    name: [0x61] + generator.bytes(atMost: 254, excluding: [0, 0x2f]))
            }
            #expect(self.entries(of: entries.flatMap(\.bytes)) == entries)
        }
    }
}
