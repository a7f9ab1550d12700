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
            #expect(file.bytes.value == Array("run \(number)\n".utf8))
        }
    }

    @Test(arguments: [
        "", "run", "run x", "run -1", "run 1 2", "walk 1", "run 18446744073709551615", "\u{0}\u{1}",
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
