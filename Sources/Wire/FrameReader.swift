/// Cuts a stream of bytes into the payloads of its frames.
///
/// Holds at most one frame and what arrived with it. After an error the stream is lost: nothing says where the next frame
/// begins.
package struct FrameReader: Sendable {
    /// The most bytes that are asked for at a time.
    package static let chunkByteCount = 16 << 10

    private let payloadLimit: Int
    private let checksum: Checksum
    private var buffer: [UInt8] = []
    /// Where the first byte lies that no payload has contained yet.
    private var position = 0

    /// - Parameter payloadLimit: Most bytes of a payload; more is refused before there is room for it.
    package init(payloadLimit: Int, checksum: Checksum = .crc32) {
        self.payloadLimit = payloadLimit
        self.checksum = checksum
    }

    /// Whether a frame has begun that has not ended.
    package var isWithinFrame: Bool { position < buffer.count }

    /// Bytes that are kept.
    package var byteCount: Int { buffer.count - position }

    /// Takes what `receive` appends to the buffer it is given, of which it is told how many bytes are wanted at most.
    ///
    /// - Returns: What `receive` returns.
    package mutating func fill<Failure>(
        _ receive: (_ count: Int, _ buffer: inout [UInt8]) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        compact()
        return try receive(wantedByteCount, &buffer)
    }

    /// The next payload that has arrived entire; `nil` when more bytes are needed.
    ///
    /// - Throws: ``FrameError``, again at each later call.
    package mutating func next() throws(FrameError) -> [UInt8]? {
        guard byteCount >= Frame.headerByteCount else { return nil }
        let length = try payloadLength()
        let begin = position + Frame.headerByteCount
        guard buffer.count - begin >= length else { return nil }
        let payload = [UInt8](buffer[begin..<begin + length])
        let expected = word(at: position + 4)
        let actual = checksum.value(of: payload.span)
        guard actual == expected else { throw .wrongChecksum(expected: expected, actual: actual) }
        position = begin + length
        return payload
    }

    private func payloadLength() throws(FrameError) -> Int {
        let length = Int(word(at: position))
        guard length > 0 else { throw .empty }
        guard length <= payloadLimit else { throw .tooLarge(length, limit: payloadLimit) }
        return length
    }

    /// At most the rest of the frame that has begun: what follows it can wait in the kernel.
    private var wantedByteCount: Int {
        guard byteCount >= Frame.headerByteCount, let length = try? payloadLength() else {
            return Self.chunkByteCount
        }
        return min(max(Frame.headerByteCount + length - byteCount, 1), Self.chunkByteCount)
    }

    private mutating func compact() {
        if position == buffer.count {
            // A large frame must not keep its room for as long as the client is idle.
            buffer.removeAll(keepingCapacity: buffer.capacity <= Self.chunkByteCount)
        } else {
            buffer.removeFirst(position)
        }
        position = 0
    }

    private func word(at index: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(buffer[index + $1]) << UInt32(8 * $1) }
    }
}

/// Why a stream of bytes is not one of frames.
package enum FrameError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A frame without a payload.
    case empty
    /// A frame that claims to be larger than allowed.
    case tooLarge(Int, limit: Int)
    /// The payload is not what was sent.
    case wrongChecksum(expected: UInt32, actual: UInt32)

    /// The reason in counters.
    package var label: String {
        switch self {
        case .empty: "frame_empty"
        case .tooLarge: "frame_too_large"
        case .wrongChecksum: "frame_checksum"
        }
    }

    package var description: String {
        switch self {
        case .empty: "a frame without a payload"
        case .tooLarge(let count, let limit): "a frame of \(count) bytes, of at most \(limit)"
        case .wrongChecksum(let expected, let actual):
            "a frame whose checksum is 0x\(String(actual, radix: 16)), not 0x\(String(expected, radix: 16)) as it says"
        }
    }
}
