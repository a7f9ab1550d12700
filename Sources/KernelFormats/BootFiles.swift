package import EventModel

/// `/proc/sys/kernel/random/boot_id`: the canonical form of a UUID and a newline.
package struct BootIDFile: KernelFormat {
    package var bootID: BootID

    package init(_ bootID: BootID) { self.bootID = bootID }

    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        let textByteCount = 36
        guard bytes.count > textByteCount else {
            throw FormatError(.bootID, at: bytes.count, .truncated, expected: "36 characters and a newline")
        }
        guard let bootID = BootID(String(decoding: bytes.copy(0..<textByteCount), as: UTF8.self)) else {
            throw FormatError(.bootID, at: 0, .malformed, expected: "8-4-4-4-12 hexadecimal digits")
        }
        var cursor = ByteCursor(.bootID, at: textByteCount)
        try cursor.skip(Ascii.newline, in: bytes, "a newline")
        try cursor.expectEnd(of: bytes)
        self.bootID = bootID
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(text: bootID.description)
        bytes.append(Ascii.newline)
    }
}

/// `/proc/uptime`: time since boot, and the idle time of all CPUs together.
package struct UptimeFile: KernelFormat {
    /// Time since boot, suspend included, in hundredths of a second.
    package var uptimeHundredths: UInt64
    /// In hundredths of a second; runs as many times faster as there are CPUs.
    package var idleHundredths: UInt64

    package init(uptimeHundredths: UInt64, idleHundredths: UInt64) {
        self.uptimeHundredths = uptimeHundredths
        self.idleHundredths = idleHundredths
    }

    /// The time since boot on the clock of process start times, exact to 10 ms.
    package var bootTime: BootTime {
        let (nanoseconds, overflow) = uptimeHundredths.multipliedReportingOverflow(by: 10_000_000)
        return BootTime(nanoseconds: overflow ? .max : Int64(clamping: nanoseconds))
    }

    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        var cursor = ByteCursor(.uptime)
        uptimeHundredths = try cursor.hundredths(in: bytes)
        try cursor.skip(Ascii.space, in: bytes, "a blank")
        idleHundredths = try cursor.hundredths(in: bytes)
        try cursor.skip(Ascii.newline, in: bytes, "a newline")
        try cursor.expectEnd(of: bytes)
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(hundredths: uptimeHundredths)
        bytes.append(Ascii.space)
        bytes.append(hundredths: idleHundredths)
        bytes.append(Ascii.newline)
    }
}

/// `/proc/sys/kernel/pid_max`: pids stay below this number.
package struct PIDMaximumFile: KernelFormat {
    package var maximum: UInt32

    package init(_ maximum: UInt32) { self.maximum = maximum }

    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        var cursor = ByteCursor(.pidMaximum)
        maximum = try cursor.unsigned(in: bytes)
        try cursor.skip(Ascii.newline, in: bytes, "a newline")
        try cursor.expectEnd(of: bytes)
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(decimal: UInt64(maximum))
        bytes.append(Ascii.newline)
    }
}

extension ByteCursor {
    /// Reads a number with exactly two decimals.
    fileprivate mutating func hundredths(in bytes: Span<UInt8>) throws(FormatError) -> UInt64 {
        let start = position
        let whole: UInt64 = try unsigned(in: bytes)
        try skip(Ascii.period, in: bytes, "a decimal point")
        let fractionStart = position
        let fraction: UInt64 = try unsigned(in: bytes)
        guard position - fractionStart == 2 else {
            throw FormatError(format, at: fractionStart, .malformed, expected: "two decimals")
        }
        let (product, overflow) = whole.multipliedReportingOverflow(by: 100)
        let (sum, carry) = product.addingReportingOverflow(fraction)
        guard !overflow, !carry else {
            throw FormatError(format, at: start, .outOfRange, expected: "hundredths below 2^64")
        }
        return sum
    }
}

extension Array where Element == UInt8 {
    fileprivate mutating func append(hundredths value: UInt64) {
        append(decimal: value / 100)
        append(Ascii.period)
        if value % 100 < 10 { append(Ascii.zero) }
        append(decimal: value % 100)
    }
}
