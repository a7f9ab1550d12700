import Configuration
import Testing

struct QuantitiesTests {
    @Test(arguments: [
        ("30s", Duration.seconds(30)), ("100ms", .milliseconds(100)), ("1.5s", .milliseconds(1_500)),
        ("2m", .seconds(120)), ("1h", .seconds(3_600)), ("0s", .zero), ("250 us", .microseconds(250)),
        ("7ns", .nanoseconds(7)), ("0.000000001s", .nanoseconds(1)),
    ])
    func `durations are a number and a unit`(text: String, duration: Duration) {
        #expect(DurationText.parse(text) == duration)
    }

    @Test(arguments: [
        "", "s", "30", "30 ", "-1s", "+1s", "1,5s", "1.s", ".5s", "1.5ns", "1e3s", "30S", "1m30s", "30  s",
        " 30s", "٣s",
        "9223372036854775807h", "99999999999999999999s", "1.0000000000s", "0x10s",
    ])
    func `other texts are no durations`(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(arguments: [
        (Duration.seconds(30), "30s"), (.seconds(90), "90s"), (.seconds(120), "2m"),
        (.milliseconds(1_500), "1500ms"),
        (.zero, "0s"), (.nanoseconds(1), "1ns"), (.seconds(86_400), "24h"),
    ])
    func `a duration prints in its largest whole unit and reads back`(duration: Duration, text: String) {
        #expect(DurationText.format(duration) == text)
        #expect(DurationText.parse(text) == duration)
    }

    @Test(arguments: [
        ("8 KiB", 8_192), ("1MiB", 1_048_576), ("4096", 4_096), ("4096 B", 4_096), ("1.5 GiB", 1_610_612_736),
        ("0.5KiB", 512), ("2TiB", 2_199_023_255_552),
    ])
    func `byte counts take binary units`(text: String, bytes: Int) {
        #expect(ByteCount(text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", "lots", "8 kB", "8 MB", "8mib", "0.3KiB", "-1", "1 KiB ", "9223372036854775807 KiB", "1.5", "KiB",
    ])
    func `other texts are no byte counts`(text: String) {
        #expect(ByteCount(text) == nil)
    }

    @Test(arguments: [
        (0, "0 B"), (100, "100 B"), (8_192, "8 KiB"), (1_572_864, "1536 KiB"), (1 << 30, "1 GiB"),
    ])
    func `a byte count prints in its largest whole unit and reads back`(bytes: Int, text: String) {
        #expect(ByteCount(bytes: bytes).description == text)
        #expect(ByteCount(text)?.bytes == bytes)
    }

    @Test func `a percentage needs its sign and gives shares`() {
        #expect(Percentage("80%")?.share(of: 1_000) == 800)
        #expect(Percentage("80 %")?.share(of: 7) == 5)
        #expect(Percentage("80") == nil)
        #expect(Percentage("1001%") == nil)
        #expect(Percentage("1.5%") == nil)
    }

    @Test(arguments: [
        ("", []), ("  ", []), ("a", ["a"]), ("a,b", ["a", "b"]), (" a , b c ", ["a", "b c"]),
        (#"a\,b,c"#, ["a,b", "c"]),
        (#"\ a,b\\"#, [" a", #"b\"#]), (#"a\ "#, ["a "]),
    ])
    func `a list is split at commas that are not escaped`(text: String, elements: [String]) {
        #expect(ListText.parse(text) == elements)
    }

    @Test(arguments: ["a,", ",a", "a,,b", ",", #"a\"#])
    func `a list with an empty element or a loose backslash is refused`(text: String) {
        #expect(ListText.parse(text) == nil)
    }

    @Test(arguments: [[], ["a"], ["a,b", #"c\d"#, " e ", "f g"], [" "], [#"\"#, ","], ["naïve", "日本"]])
    func `a printed list reads back`(elements: [String]) {
        #expect(ListText.parse(ListText.format(elements)) == elements)
    }
}
