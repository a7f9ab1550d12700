/// What a frame looks like: length of the payload, CRC-32 of the payload, payload.
///
/// Both numbers are unsigned, of 32 bits, little-endian; the CRC is zlib's. A payload is never empty.
package enum Frame {
    /// Bytes before the payload.
    package static let headerByteCount = 8
    /// Most bytes of a payload that a client sends.
    package static let clientPayloadByteCount = 64 << 10
    /// Most bytes of a payload that a server sends.
    package static let serverPayloadByteCount = 1 << 20
}
