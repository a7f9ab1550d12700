/// One privilege of `capabilities(7)`.
package struct Capability: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The kernel's number, 0 to 63 (`linux/capability.h`).
    package let rawValue: UInt8

    /// Traps for a number that no mask can hold.
    package init(rawValue: UInt8) {
        precondition(rawValue < 64, "a capability mask has 64 bits")
        self.rawValue = rawValue
    }

    /// Reads a name in any case, with or without `CAP_`; `nil` for an unknown one.
    package init?(name: String) {
        let upper = name.uppercased()
        let bare = upper.hasPrefix("CAP_") ? String(upper.dropFirst(4)) : upper
        guard let number = Self.names.firstIndex(of: bare) else { return nil }
        self.init(rawValue: UInt8(number))
    }

    /// Reads and traverses what file permissions would hide.
    package static let dacReadSearch = Capability(rawValue: 2)
    /// Changes group ids.
    package static let setGID = Capability(rawValue: 6)
    /// Changes user ids.
    package static let setUID = Capability(rawValue: 7)
    /// Changes the bounding set and securebits.
    package static let setPCap = Capability(rawValue: 8)
    /// Forces receive buffers beyond `net.core.rmem_max`.
    package static let netAdmin = Capability(rawValue: 12)
    /// Looks into other users' processes.
    package static let sysPtrace = Capability(rawValue: 19)

    /// `CAP_NET_ADMIN`; `CAP_50` for a number without a name.
    package var description: String {
        let number = Int(rawValue)
        return "CAP_" + (number < Self.names.count ? Self.names[number] : String(number))
    }

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// In the order of their numbers (`linux/capability.h`, Linux 6.18).
    private static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK",
        "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT",
        "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL",
        "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]
}

/// A set of capabilities, as a mask of the kernel.
package struct CapabilitySet: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// Capability 0 in bit 0.
    package var rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package init(arrayLiteral elements: Capability...) {
        rawValue = elements.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
    }

    /// Reads the hexadecimal form of `/proc/PID/status`, at most 16 digits; `nil` for anything else.
    package init?(hexadecimal text: some StringProtocol) {
        guard (1...16).contains(text.utf8.count), text.utf8.first != 0x2b, text.utf8.first != 0x2d,
            let mask = UInt64(text, radix: 16)
        else { return nil }
        rawValue = mask
    }

    package var isEmpty: Bool { rawValue == 0 }

    package func contains(_ capability: Capability) -> Bool {
        rawValue & 1 << UInt64(capability.rawValue) != 0
    }
    package func intersection(_ other: Self) -> Self { Self(rawValue: rawValue & other.rawValue) }
    package func union(_ other: Self) -> Self { Self(rawValue: rawValue | other.rawValue) }
    package func subtracting(_ other: Self) -> Self { Self(rawValue: rawValue & ~other.rawValue) }

    /// The members in the order of their numbers.
    package var members: [Capability] {
        (UInt8(0)..<64).map(Capability.init(rawValue:)).filter(contains)
    }

    /// Names separated by commas; `none` for the empty set.
    package var description: String {
        isEmpty ? "none" : members.map(\.description).joined(separator: ",")
    }
}
