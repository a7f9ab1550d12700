import CZlib

/// The numbers of 32 bits by which frames are checked.
package enum Checksum: Hashable, Sendable {
    /// CRC-32 as zlib, gzip and Ethernet compute it (polynomial 0x04C11DB7, reflected).
    case crc32
    /// CRC-32C as iSCSI computes it (Castagnoli's polynomial 0x1EDC6F41, reflected; RFC 3720, 12.1).
    case crc32c

    package func value(of bytes: Span<UInt8>) -> UInt32 {
        switch self {
        case .crc32:
            unsafe bytes.withUnsafeBufferPointer { buffer in
                UInt32(truncatingIfNeeded: unsafe crc32_z(0, buffer.baseAddress, buffer.count))
            }
        case .crc32c: Castagnoli.checksum(of: bytes)
        }
    }
}

/// CRC-32C by tables, eight bytes at a time.
private enum Castagnoli {
    /// The polynomial, its bits reversed.
    private static let polynomial: UInt32 = 0x82f6_3b78

    /// Eight tables of 256 words: table `n` is what a byte leads to when `n` bytes follow it.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = (0..<256).map { byte in
            (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ polynomial }
        }
        for index in 256..<2_048 {
            let before = tables[index - 256]
            tables.append(before >> 8 ^ tables[Int(before & 0xff)])
        }
        return tables
    }()

    static func checksum(of bytes: Span<UInt8>) -> UInt32 {
        let tables = tables.span
        var value: UInt32 = 0xffff_ffff
        var place = 0
        while bytes.count - place >= 8 {
            var sum: UInt32 = 0
            for offset in 0..<8 {
                let mixed = offset < 4 ? UInt8(truncatingIfNeeded: value >> UInt32(8 * offset)) : 0
                sum ^= tables[256 * (7 - offset) + Int(bytes[place + offset] ^ mixed)]
            }
            value = sum
            place += 8
        }
        while place < bytes.count {
            value = value >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: value) ^ bytes[place])]
            place += 1
        }
        return ~value
    }
}
