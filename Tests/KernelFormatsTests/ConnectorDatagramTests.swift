import EventModel
import KernelFormats
import Testing

@Suite struct ConnectorDatagramTests {
    /// All items of a datagram; at an error, the items before it.
    private func items(of bytes: [UInt8], at offset: Int = 0, count: Int? = nil) throws -> [ConnectorItem] {
        var reader = ConnectorDatagramReader(at: offset, count: count ?? bytes.count)
        var items: [ConnectorItem] = []
        while let item = try reader.next(of: bytes) { items.append(item) }
        return items
    }

    /// A netlink message with `payload` behind its header.
    private func netlink(type: UInt8, payload: [UInt8] = []) -> [UInt8] {
        [UInt8(16 + payload.count), 0, 0, 0, type] + [UInt8](repeating: 0, count: 11) + payload
    }

    private let fork = ConnectorCapture.fork
    private let exit = ConnectorCapture.exit

    @Test func `a datagram with one message gives it and ends`() throws {
        #expect(try items(of: fork) == [.message(try ConnectorMessage(parsing: fork))])
    }

    @Test func `several messages in one datagram come in order`() throws {
        let expected = try [fork, exit, fork].map { ConnectorItem.message(try ConnectorMessage(parsing: $0)) }
        #expect(try items(of: fork + exit + fork) == expected)
    }

    @Test func `a message begins at a multiple of four bytes behind its predecessor`() throws {
        var odd = fork + [0xaa]
        odd[0] = 77
        let expected = try [fork, exit].map { ConnectorItem.message(try ConnectorMessage(parsing: $0)) }
        #expect(try items(of: odd + [0, 0, 0] + exit) == expected)
    }

    @Test func `padding may lack at the end`() throws {
        var odd = fork + [0xaa]
        odd[0] = 77
        #expect(try items(of: odd) == [.message(try ConnectorMessage(parsing: fork))])
    }

    @Test func `only the given range of a larger buffer is read`() throws {
        let buffer = exit + fork + exit
        #expect(try items(of: buffer, at: 76, count: 76) == [.message(try ConnectorMessage(parsing: fork))])
    }

    @Test func `an empty datagram has no items`() throws {
        #expect(try items(of: []).isEmpty)
    }

    @Test func `the control messages of netlink are told apart`() throws {
        let datagram =
            netlink(type: 1) + netlink(type: 2, payload: [0xff, 0xff, 0xff, 0xff] + fork.prefix(16))
            + netlink(type: 3)
            + netlink(type: 4)
        #expect(try items(of: datagram) == [.noop, .error(1), .done, .overrun])
    }

    @Test func `a message of another protocol is foreign and what follows is read`() throws {
        var other = fork
        other[16] = 4
        let message = ConnectorItem.message(try ConnectorMessage(parsing: exit))
        #expect(
            try items(of: netlink(type: 0x20) + other + exit) == [
                .foreign(type: 0x20), .foreign(type: 3), message,
            ])
    }

    @Test func `behind a damaged message of known length the next one is read`() throws {
        var damaged = fork
        damaged[32] = 17
        var reader = ConnectorDatagramReader(at: 0, count: 152)
        let bytes = damaged + exit
        let error = #expect(throws: FormatError.self) { try reader.next(of: bytes) }
        #expect(error?.reason == .truncated)
        #expect(try reader.next(of: bytes) == .message(try ConnectorMessage(parsing: exit)))
        #expect(try reader.next(of: bytes) == nil)
    }

    @Test(arguments: [0, 15])
    func `a length below that of the header ends the datagram`(length: UInt8) throws {
        var damaged = fork
        damaged[0] = length
        let bytes = damaged + exit
        var reader = ConnectorDatagramReader(at: 0, count: bytes.count)
        let error = #expect(throws: FormatError.self) { try reader.next(of: bytes) }
        #expect(error?.reason == .malformed)
        #expect(try reader.next(of: bytes) == nil)
    }

    @Test func `a message longer than its datagram is truncated and ends it`() throws {
        var reader = ConnectorDatagramReader(at: 0, count: 75)
        let error = #expect(throws: FormatError.self) { try reader.next(of: fork) }
        #expect(error?.reason == .truncated)
        #expect(try reader.next(of: fork) == nil)
    }

    @Test(arguments: [(0, .max), (.max, .max), (-5, 10), (0, -1), (70, 76)])
    func `a range beyond the buffer is no trap`(offset: Int, count: Int) {
        _ = try? items(of: fork, at: offset, count: count)
        var reader = ConnectorDatagramReader(at: offset, count: count)
        for _ in 0..<10 { _ = try? reader.next(of: fork) }
    }

    @Test func `no bytes make the reader trap or run for ever`() {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<5_000 {
            var bytes: [UInt8] = []
            for _ in 0..<(generator.next() % 4) { bytes += generator.element(of: ConnectorCapture.all) }
            for _ in 0..<(generator.next() % 8) where !bytes.isEmpty {
                bytes[Int(generator.next() % UInt64(bytes.count))] = generator.integer()
            }
            bytes.removeLast(Int(generator.next() % UInt64(bytes.count + 1)))
            var reader = ConnectorDatagramReader(at: 0, count: bytes.count)
            var stepCount = 0
            while stepCount <= bytes.count {
                stepCount += 1
                do {
                    guard try reader.next(of: bytes) != nil else { break }
                } catch {}
            }
            #expect(stepCount <= bytes.count / 16 + 2)
        }
    }
}

extension ConnectorDatagramReader {
    /// A span must not pass through the macros of the tests.
    fileprivate mutating func next(of bytes: [UInt8]) throws -> ConnectorItem? { try next(in: bytes.span) }
}

@Suite struct ConnectorRequestTests {
    /// What a listener written by hand has sent: `PROC_CN_MCAST_LISTEN`, sequence 0x1234, acknowledgement 0x55.
    private static let listen = hex(
        """
        28000000030000003412000000000000 0100000001000000 34120000 55000000 04000000 01000000
        """)

    @Test func `a request to listen is read`() throws {
        let expected = ConnectorRequest(.listen, sequence: 0x1234, acknowledgement: 0x55)
        #expect(try ConnectorRequest(parsing: Self.listen) == expected)
        #expect(expected.bytes == Self.listen)
    }

    @Test func `a request with a mask has eight bytes of data`() throws {
        let request = ConnectorRequest(.listen, mask: [.exec, .nonzeroExit])
        #expect(request.bytes.suffix(8) == [1, 0, 0, 0, 2, 0, 0, 0x20])
        #expect(request.bytes[32] == 8)
        #expect(try ConnectorRequest(parsing: request.bytes) == request)
    }

    @Test func `a request to ignore is the second operation`() throws {
        #expect(ConnectorRequest(.ignore).bytes.suffix(4) == [2, 0, 0, 0])
    }

    @Test(arguments: [0, 1, 5, 7, 9, 40])
    func `data of another length than an operation or an operation and a mask are refused`(length: UInt8) {
        var bytes = Self.listen
        bytes[32] = length
        #expect(throws: FormatError.self) { try ConnectorRequest(parsing: bytes) }
    }

    @Test func `what is printed is read back`() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<500 {
            let request = generator.request()
            #expect(try ConnectorRequest(parsing: request.bytes) == request)
        }
    }
}

extension SeededGenerator {
    mutating func request() -> ConnectorRequest {
        ConnectorRequest(
            ConnectorRequest.Operation(rawValue: integer()),
            mask: maybe { ConnectorEventMask(rawValue: $0.integer()) },
            sequence: integer(), acknowledgement: integer(), port: integer())
    }
}
