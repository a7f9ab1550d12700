/// A point on `CLOCK_MONOTONIC`, in nanoseconds: for intervals, time-outs and kernel message stamps.
///
/// Does not advance while the host is suspended and never steps (`clock_gettime(2)`).
public struct Instant: InstantProtocol, Hashable, Sendable {
    /// The point, in nanoseconds.
    public var nanoseconds: Int64

    /// Wraps a number of nanoseconds.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The point that lies `duration` later; stops at the ends of the range (292 years).
    public func advanced(by duration: Duration) -> Instant {
        Instant(nanoseconds: nanoseconds.addingClamped(duration.wholeNanoseconds))
    }

    /// The time from here to `other`; negative when that is earlier.
    public func duration(to other: Instant) -> Duration {
        .nanoseconds(other.nanoseconds.subtractingClamped(nanoseconds))
    }

    /// Whether `a` is earlier than `b`.
    public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
}

/// A point on `CLOCK_BOOTTIME`, in nanoseconds since boot, suspend included: the clock of process start
/// times.
public struct BootTime: Hashable, Comparable, Sendable {
    /// The point, in nanoseconds.
    public var nanoseconds: Int64

    /// Wraps a number of nanoseconds.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Whether `a` is earlier than `b`.
    public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
}

/// A point on `CLOCK_REALTIME`: nanoseconds since 1970-01-01T00:00:00Z, for records only.
///
/// The administrator can step it in both directions: never subtract two of these to learn a duration.
public struct WallTime: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The point, in nanoseconds.
    public var nanoseconds: Int64

    /// Wraps a number of nanoseconds.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Whether `a` is earlier than `b`.
    public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }

    /// RFC 3339 in UTC with nine fractional digits: `2026-03-01T10:00:00.000000000Z`.
    public var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(30)
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the RFC 3339 form, 30 bytes for the years 0 to 9999 (every 64-bit value lies within 1677 to
    /// 2262).
    package func append(to bytes: inout [UInt8]) {
        let (seconds, fraction) = nanoseconds.flooredDivision(by: 1_000_000_000)
        let (days, secondOfDay) = seconds.flooredDivision(by: 86_400)
        let date = CivilDate(daysSinceEpoch: days)
        func digits(_ value: Int64, _ count: Int, then separator: UInt8, to out: inout OutputSpan<UInt8>) {
            out.append(decimal: UInt64(value), digitCount: count)
            out.append(separator)
        }
        bytes.append(addingCapacity: 30) { out in
            digits(date.year, 4, then: 0x2d, to: &out)
            digits(date.month, 2, then: 0x2d, to: &out)
            digits(date.day, 2, then: 0x54, to: &out)
            digits(secondOfDay / 3_600, 2, then: 0x3a, to: &out)
            digits(secondOfDay / 60 % 60, 2, then: 0x3a, to: &out)
            digits(secondOfDay % 60, 2, then: 0x2e, to: &out)
            digits(fraction, 9, then: 0x5a, to: &out)
        }
    }
}

/// A day of the proleptic Gregorian calendar.
package struct CivilDate: Hashable, Sendable {
    /// The year; 0 is the one before 1.
    package var year: Int64
    /// The month, 1 ... 12.
    package var month: Int64
    /// The day of the month, 1 ... 31.
    package var day: Int64

    /// The day `days` after 1970-01-01, by eras of 400 years that start on a first of March.
    package init(daysSinceEpoch days: Int64) {
        let (era, dayOfEra) = (days + 719_468).flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Makes a date from its parts, which must name a day that exists.
    package init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The number of days after 1970-01-01: the inverse of ``init(daysSinceEpoch:)``.
    package var daysSinceEpoch: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shiftedYear.flooredDivision(by: 400)
        let shiftedMonth = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Duration {
    /// The duration in nanoseconds, towards zero, clamped to 64 bits (292 years).
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return product.addingClamped(attoseconds / 1_000_000_000)
    }
}

extension Int64 {
    /// The sum, or the end of the range that it lies beyond.
    package func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the end of the range that it lies beyond.
    package func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }

    /// Quotient towards minus infinity, and the remainder that is never negative.
    package func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
