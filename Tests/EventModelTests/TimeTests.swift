import EventModel
import Foundation
import Testing

@Suite struct TimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (1, "1970-01-01T00:00:00.000000001Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (-86_400_000_000_000, "1969-12-31T00:00:00.000000000Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
            (951_868_799_999_999_999, "2000-02-29T23:59:59.999999999Z"),
            (951_868_800_000_000_000, "2000-03-01T00:00:00.000000000Z"),
            (1_709_164_800_000_000_000, "2024-02-29T00:00:00.000000000Z"),
            (1_772_359_200_000_000_000, "2026-03-01T10:00:00.000000000Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
            (-2_203_977_600_000_000_000, "1900-02-28T00:00:00.000000000Z"),
            (-2_203_891_200_000_000_000, "1900-03-01T00:00:00.000000000Z"),
            (2_147_483_647_000_000_000, "2038-01-19T03:14:07.000000000Z"),
            (.max, "2262-04-11T23:47:16.854775807Z"),
            (.min, "1677-09-21T00:12:43.145224192Z"),
        ] as [(Int64, String)])
    func `wall times print as RFC 3339 with nanoseconds`(nanoseconds: Int64, text: String) {
        #expect(WallTime(nanoseconds: nanoseconds).description == text)
    }

    @Test func `random wall times print what Foundation reads back`() throws {
        var random = SplitMix64(seed: 8)
        let style = Date.ISO8601FormatStyle(timeZone: try #require(TimeZone(secondsFromGMT: 0)))
        for _ in 0..<2_000 {
            let time = WallTime(nanoseconds: Int64(truncatingIfNeeded: random.next()))
            let text = time.description
            let seconds = try style.parse(text.prefix(19) + "Z").timeIntervalSince1970
            let fraction = try #require(Int64(text.dropFirst(20).prefix(9)))
            // Times within the first second after the earliest one would overflow on the way through whole
            // seconds.
            #expect(
                Int64(seconds).multipliedFullWidth(by: 1_000_000_000).low &+ UInt64(fraction)
                    == UInt64(bitPattern: time.nanoseconds))
            #expect(text.utf8.count == 30)
        }
    }

    @Test func `every day of 3 000 years has its successor and comes back`() {
        var previous = CivilDate(daysSinceEpoch: -720_000)
        for days in Int64(-719_999)...400_000 {
            let date = CivilDate(daysSinceEpoch: days)
            guard date.daysSinceEpoch == days, isSuccessor(date, of: previous) else {
                Issue.record("day \(days) gave \(date) after \(previous)")
                return
            }
            previous = date
        }
    }

    private func isSuccessor(_ date: CivilDate, of previous: CivilDate) -> Bool {
        let isLeap = previous.year % 4 == 0 && (previous.year % 100 != 0 || previous.year % 400 == 0)
        let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        if previous.day < lengths[Int(previous.month) - 1] {
            return date == CivilDate(year: previous.year, month: previous.month, day: previous.day + 1)
        }
        if previous.month < 12 {
            return date == CivilDate(year: previous.year, month: previous.month + 1, day: 1)
        }
        return date == CivilDate(year: previous.year + 1, month: 1, day: 1)
    }

    @Test func `instants move by durations and never wrap`() {
        let start = Instant(nanoseconds: 1_000)
        #expect(start.advanced(by: .microseconds(2)) == Instant(nanoseconds: 3_000))
        #expect(start.duration(to: Instant(nanoseconds: 0)) == .nanoseconds(-1_000))
        #expect(Instant(nanoseconds: .max).advanced(by: .seconds(1)) == Instant(nanoseconds: .max))
        #expect(Instant(nanoseconds: .min).advanced(by: .seconds(-1)) == Instant(nanoseconds: .min))
        #expect(start.advanced(by: .seconds(Int64.max)) == Instant(nanoseconds: .max))
        #expect(Instant(nanoseconds: -1).advanced(by: .seconds(Int64.min)) == Instant(nanoseconds: .min))
        #expect(
            Instant(nanoseconds: .min).duration(to: Instant(nanoseconds: .max)) == .nanoseconds(Int64.max))
    }

    @Test(
        arguments: [
            (7, 3, 2, 1), (-7, 3, -3, 2), (-6, 3, -2, 0), (0, 3, 0, 0), (-1, 1_000_000_000, -1, 999_999_999),
        ] as [(Int64, Int64, Int64, Int64)])
    func `floored division leaves a remainder that is never negative`(
        number: Int64, divisor: Int64, quotient: Int64, remainder: Int64
    ) {
        #expect(number.flooredDivision(by: divisor) == (quotient, remainder))
    }
}
