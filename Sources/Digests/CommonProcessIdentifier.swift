package import EventModel

/// Computes the OCSF Common Process Identifier of Linux processes.
///
/// Source: `ocsf/common-process-id`, specification.md, section "Linux".
package enum CommonProcessIdentifier {
    /// The identifier of the process that these four values single out: SHA-256 over 40 bytes, its first 16
    /// as a UUIDv8.
    ///
    /// Every value is that of the innermost pid namespace, so that the result is the same whoever computes
    /// it.
    ///
    /// - Parameters:
    ///   - bootID: The boot, 16 bytes in network order (RFC 9562).
    ///   - pidNamespace: Inode of the pid namespace that the process was made in (`/proc/PID/ns/pid`).
    ///   - startTicks: Start time in clock ticks since boot (`proc(5)`, field 22 of `stat`).
    ///   - tgid: The thread group id in that namespace: the last number of `NStgid` in `/proc/PID/status`.
    package static func make(
        bootID: BootID, pidNamespace: UInt64, startTicks: UInt64, tgid: ProcessID
    ) -> CommonProcessID {
        var input: InlineArray<40, UInt8> = .init(repeating: 0)
        // The specification wants the host's own byte order for the numbers, and network order for the boot
        // id.
        let words = [
            bootID.high.bigEndian, bootID.low.bigEndian, pidNamespace, startTicks,
            UInt64(bitPattern: Int64(tgid.rawValue)),
        ]
        for index in words.indices {
            for byte in 0..<8 {
                input[index * 8 + byte] = UInt8(
                    truncatingIfNeeded: words[index].littleEndian >> UInt64(byte * 8))
            }
        }
        let digest = SHA256.digest(input.span)
        func word(at start: Int) -> UInt64 { digest[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        let version: UInt64 = 0x8000
        let variant: UInt64 = 0x8000_0000_0000_0000
        return CommonProcessID(
            high: word(at: 0) & ~0xf000 | version,
            low: word(at: 8) & ~0xc000_0000_0000_0000 | variant)
    }
}
