import KernelFormats
import Testing

@Suite struct InotifyRecordTests {
    /// All records of a read; an error stands for a record that cannot be read.
    private func records(of bytes: [UInt8], at offset: Int = 0, count: Int? = nil) -> [InotifyRecord?] {
        var reader = InotifyReader(at: offset, count: count ?? bytes.count - offset)
        var records: [InotifyRecord?] = []
        while !reader.isAtEnd {
            do {
                guard let record = try reader.next(in: bytes.span) else { break }
                records.append(record)
            } catch {
                records.append(nil)
            }
        }
        return records
    }

    @Test func `captured records are read`() throws {
        let read = try InotifyCapture.all.map { try InotifyRecord(parsing: $0) }
        #expect(
            read == [
                InotifyRecord(watch: 1, mask: .create, name: Array("a".utf8)),
                InotifyRecord(watch: 1, mask: .movedFrom, cookie: 298_265, name: Array("a".utf8)),
                InotifyRecord(
                    watch: 1, mask: .movedTo, cookie: 298_265, name: Array(repeating: 0x6e, count: 15)),
                InotifyRecord(
                    watch: 1, mask: .movedTo, cookie: 298_266, name: Array(repeating: 0x6e, count: 16)),
                InotifyRecord(watch: 1, mask: [.create, .isDirectory], name: Array("sub".utf8)),
                InotifyRecord(watch: 1, mask: .closeWrite, name: [0xff, 0x0a, 0x20, 0x78]),
                InotifyRecord(watch: 1, mask: .ignored), InotifyRecord(watch: -1, mask: .queueOverflow),
            ])
    }

    @Test(arguments: InotifyCapture.all)
    func `a captured record is printed as the kernel did`(bytes: [UInt8]) throws {
        let record = try InotifyRecord(parsing: bytes)
        #expect(record.bytes == bytes)
        #expect(record.byteCount == bytes.count)
    }

    @Test func `the records of one read come in order`() throws {
        let expected = try InotifyCapture.all.map { try InotifyRecord(parsing: $0) }
        #expect(records(of: InotifyCapture.all.flatMap(\.self)) == expected)
    }

    @Test func `a reader keeps to its part of the bytes`() throws {
        let bytes = [0xaa, 0xaa] + InotifyCapture.create + InotifyCapture.ignored + [0xbb]
        #expect(
            try records(of: bytes, at: 2, count: 48) == [
                InotifyRecord(parsing: InotifyCapture.create), InotifyRecord(parsing: InotifyCapture.ignored),
            ])
    }

    @Test func `a read that is cut anywhere gives the whole records before the cut and one error`() {
        let bytes = InotifyCapture.all.flatMap(\.self)
        var ends: [Int] = [0]
        for record in InotifyCapture.all { ends.append(ends[ends.count - 1] + record.count) }
        for count in 0...bytes.count {
            let whole = ends.count { $0 <= count } - 1
            let read = records(of: bytes, count: count)
            #expect(read.count { $0 != nil } == whole)
            #expect(read.count { $0 == nil } == (ends.contains(count) ? 0 : 1), "\(count) bytes")
        }
    }

    @Test func `a name without its NUL is an error, and the next record is read`() throws {
        var bytes = InotifyCapture.movedTo
        bytes[31] = 0x6e
        let next = try InotifyRecord(parsing: InotifyCapture.ignored)
        #expect(records(of: bytes + InotifyCapture.ignored) == [nil, next])
    }

    @Test func `a length beyond any name is refused, however many bytes there are`() {
        var bytes = InotifyCapture.create
        bytes[13] = 0x20
        bytes += [UInt8](repeating: 0, count: 10_000)
        let error = #expect(throws: FormatError.self) { try InotifyRecord(parsing: bytes) }
        #expect(error?.reason == .tooLong)
        bytes[15] = 0xff
        #expect(throws: FormatError.self) { try InotifyRecord(parsing: bytes) }
    }

    @Test func `the greatest record has a name of 255 bytes`() throws {
        let record = InotifyRecord(watch: .max, mask: .allEvents, name: [UInt8](repeating: 0xfe, count: 255))
        #expect(record.byteCount == InotifyRecord.greatestByteCount)
        #expect(try InotifyRecord(parsing: record.bytes) == record)
    }

    @Test func `what is printed is read back`() throws {
        var generator = SeededGenerator(seed: 20)
        for _ in 0..<500 {
            let records = (0..<Int(generator.next() % 6)).map { _ in
                InotifyRecord(
                    watch: generator.integer(), mask: InotifyMask(rawValue: generator.integer()),
                    cookie: generator.integer(), name: generator.bytes(atMost: 255, excluding: [0]))
            }
            #expect(self.records(of: records.flatMap(\.bytes)) == records)
        }
    }
}
