import Backends
import CollectorCore
import EventModel
import Testing

import struct SystemPackage.Errno

@Suite struct RunCounterTests {
    private struct MemoryFile: DurableFile {
        let bytes: Shared<[UInt8]?>
        var readError: Errno?
        var writeError: Errno?

        init(_ text: String?) { bytes = Shared(text.map { Array($0.utf8) }) }

        func read() throws(Errno) -> [UInt8]? {
            if let readError { throw readError }
            return bytes.value
        }

        func replace(with bytes: [UInt8]) throws(Errno) {
            if let writeError { throw writeError }
            self.bytes.change { $0 = bytes }
        }
    }

    @Test func `the first run is 1, and each next one is kept before it is used`() throws {
        let file = MemoryFile(nil)
        for number in 1...UInt64(3) {
            #expect(try RunCounter.next(from: file) == RunID(number))
            #expect(file.bytes.value == Array("run \(number)\nrun \(number)\n".utf8))
        }
    }

    @Test func `a number that a person wrote once is taken`() throws {
        #expect(try RunCounter.next(from: MemoryFile("run 41\n")) == RunID(42))
    }

    @Test func `a wrong bit, or a part of the file, is never another number`() throws {
        let whole = Array("run 123\nrun 123\n".utf8)
        for bit in 0..<8 * whole.count {
            var bytes = whole
            bytes[bit / 8] ^= 1 << (bit % 8)
            let file = MemoryFile("")
            file.bytes.change { $0 = bytes }
            #expect(throws: RunCounterError.self, "bit \(bit)") { try RunCounter.next(from: file) }
        }
        for count in 0..<whole.count {
            let file = MemoryFile(String(decoding: whole[..<count], as: UTF8.self))
            let next = try? RunCounter.next(from: file)
            #expect(next == nil || next == RunID(124), "\(count) bytes")
        }
    }

    @Test(arguments: [
        "", "run", "run x\n", "run -1\n", "run 1 2\n", "walk 1\n", "run 18446744073709551615\n", "\u{0}\u{1}",
        "run 12", "run 1\nrun 2\n", "run 1\nrun 1\nrun 1\n",
    ])
    func `a damaged file is an error, never a new beginning`(text: String) {
        let file = MemoryFile(text)
        let error = #expect(throws: RunCounterError.self) { try RunCounter.next(from: file) }
        #expect(error?.description.contains("damaged") == true)
        #expect(file.bytes.value == Array(text.utf8))
    }

    @Test func `an id that could not be kept is not given`() {
        var file = MemoryFile("run 7\n")
        file.writeError = .noSpace
        let unwritable = #expect(throws: RunCounterError.self) { try RunCounter.next(from: file) }
        #expect(unwritable?.description.contains("written") == true)
        file.readError = .permissionDenied
        let unreadable = #expect(throws: RunCounterError.self) { try RunCounter.next(from: file) }
        #expect(unreadable?.description.contains("read") == true)
    }
}
