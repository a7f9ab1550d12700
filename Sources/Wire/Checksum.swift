import CZlib

/// CRC-32 as zlib, gzip and Ethernet compute it (polynomial 0x04C11DB7, reflected).
package enum Checksum {
    package static func crc32(_ bytes: Span<UInt8>) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            UInt32(truncatingIfNeeded: unsafe crc32_z(0, buffer.baseAddress, buffer.count))
        }
    }
}
