/// What a frame looks like: length of the payload, checksum of the payload, payload.
///
/// Both numbers are unsigned, of 32 bits, little-endian. A payload is never empty.
package enum Frame {
    /// Bytes before the payload.
    package static let headerByteCount = 8
    /// Most bytes of a payload that a client sends.
    package static let clientPayloadByteCount = 64 << 10
    /// Most bytes of a payload that a server sends.
    package static let serverPayloadByteCount = 1 << 20

    /// Appends a frame with the payload that `body` appends.
    package static func append(
        to bytes: inout [UInt8], checksum: Checksum = .crc32, _ body: (inout [UInt8]) -> Void
    ) {
        let begin = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: headerByteCount))
        body(&bytes)
        seal(&bytes, from: begin, checksum: checksum)
    }

    /// Writes the header of the frame that begins at `begin` and whose payload ends with `bytes`.
    package static func seal(_ bytes: inout [UInt8], from begin: Int, checksum: Checksum) {
        let length = UInt32(bytes.count - begin - headerByteCount)
        let value = checksum.value(of: bytes.span.extracting((begin + headerByteCount)...))
        for index in 0..<4 {
            bytes[begin + index] = UInt8(truncatingIfNeeded: length >> UInt32(8 * index))
            bytes[begin + 4 + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
        }
    }
}
