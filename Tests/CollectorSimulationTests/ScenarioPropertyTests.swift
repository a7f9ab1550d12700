import CollectorSimulation
import Foundation
import Testing

/// SplitMix64: the tests' own, fixed source of numbers.
struct TestGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &self)] }
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func chance(_ percent: Int) -> Bool { number(0...99) < percent }
}

/// Writes random scenarios that are valid by construction.
private struct ScenarioWriter {
    var random: TestGenerator

    mutating func text() -> String {
        var text = "scenario s\(random.number(0...99)) v1\n"
        if random.chance(50) { text += "about \(quoted())\n" }
        if random.chance(50) { text += "# a comment \(random.number(0...9))\n" }
        if random.chance(50) { text += "host cpus=\(random.number(1...8)) hidepid=\(random.number(0...2))\n" }
        text += "given\n"
        for _ in 0..<random.number(0...4) {
            text += "   proc \(pid()) \(path()) uid=\(pid()) argv=\(list())\n"
        }
        text += "\n\nwhen\n"
        for _ in 0..<random.number(0...8) { text += "  @\(time()) \(action())\n" }
        if random.chance(30) { text += "  # within\n\n\n" }
        text += "fault\n"
        for _ in 0..<random.number(0...3) { text += "  \(fault())\n" }
        text += "expect\n"
        for _ in 0..<random.number(0...3) { text += "  \(expectation())\n" }
        return text
    }

    private mutating func pid() -> Int { random.number(1...4_000) }

    private mutating func time() -> String {
        random.pick([
            "\(random.number(0...99))s", "\(random.number(0...99)).\(random.number(0...999))s",
            "\(random.number(0...9_999))ms", "\(random.number(1...9))h", "\(random.number(0...99_999))ns",
        ])
    }

    private mutating func quoted() -> String {
        var text = "\""
        for _ in 0..<random.number(0...8) {
            switch random.number(0...5) {
            case 0: text += "\\x" + hexadecimal(UInt8(random.number(0...255)))
            case 1: text += random.pick(["\\n", "\\t", "\\\\", "\\\""])
            case 2: text += random.pick(["é", "語", "🦔", "[", "]", ",", "#", "|", "->"])
            default: text += random.pick(["a", "B", " ", "0", "(", ")"])
            }
        }
        return text + "\""
    }

    private mutating func path() -> String {
        random.chance(30) ? quoted() : "/usr/bin/p\(random.number(0...9))"
    }

    private mutating func list() -> String {
        let values = (0..<random.number(0...4)).map { _ in
            random.chance(50) ? quoted() : "w\(random.number(0...9))"
        }
        return "[" + values.joined(separator: random.pick([",", ", "])) + "]"
    }

    private mutating func reference() -> String {
        random.chance(30) ? "\(pid())#\(random.number(1...5))" : "\(pid())"
    }

    private mutating func action() -> String {
        switch random.number(0...11) {
        case 0: "start"
        case 1: "fork \(reference()) -> \(pid()) reuse start=same-tick"
        case 2: "exec \(reference()) \(path()) argv=\(list()) comm=\(quoted())"
        case 3: "exit \(reference()) code=\(random.number(0...255))"
        case 4: "kill \(reference()) signal=\(random.number(1...64))"
        case 5: "burst fork+exec+exit \(reference()) x\(random.number(1...999)) over=\(time()) exe=\(path())"
        case 6: "thread exec \(reference()) \(pid()) \(path())"
        case 7: "clock realtime step=-\(time())"
        case 8: "clock suspend \(time())"
        case 9: "comm \(reference()) \(quoted())"
        case 10: "forge exec \(pid()) port=\(random.number(1...9_999))"
        default: "ptrace attach \(reference()) -> \(reference())"
        }
    }

    private mutating func fault() -> String {
        let condition = random.pick([
            "nth=3 ", "every=7 ", "p=0.25 ", "during=@1s..@2.5s ", "pid=7 file=stat ", "",
        ])
        return
            "procfs.read \(condition)-> \(random.pick(["EIO", "short=4KiB", "stall=2ms", "dies-before-read"]))"
    }

    private mutating func expectation() -> String {
        switch random.number(0...5) {
        case 0: "events kind=process.* pid=\(reference())\n  | 1.000 process.exec \\x00 ->  \"\n  |\n"
        case 1: "count process.exec exe=\(path()) >= \(random.number(0...9))"
        case 2: "gap netlink lost=any attributed=all"
        case 3: "eventually within=\(time()) after=@\(time()) resync"
        case 4: "latency process.exit p99 <= \(time())"
        default: "waive bounds because=\"x\(random.number(0...9))\""
        }
    }
}

@Suite struct `scenario files, in general` {
    @Test(arguments: 0..<400) func `parsing the canonical text gives the same scenario`(_ seed: UInt64) throws
    {
        var writer = ScenarioWriter(random: TestGenerator(state: seed))
        let text = writer.text()
        let once = try Scenario(parsing: Array(text.utf8), path: "x.scn")
        let again = try Scenario(parsing: Array(once.formatted.utf8), path: "x.scn")
        #expect(once.document == again.document)
        #expect(once.given.map(\.fact) == again.given.map(\.fact))
        #expect(once.when.map(\.action) == again.when.map(\.action))
        #expect(once.when.map(\.time) == again.when.map(\.time))
        #expect(once.faults.map(\.behaviour) == again.faults.map(\.behaviour))
        #expect(again.formatted == once.formatted)
    }

    @Test(arguments: 0..<200) func `a file with any bytes changed gives a scenario or an error`(
        _ seed: UInt64
    ) {
        var random = TestGenerator(state: seed)
        var writer = ScenarioWriter(random: TestGenerator(state: seed))
        var bytes = Array(writer.text().utf8)
        for _ in 0..<random.number(1...12) {
            let index = random.number(0...(bytes.count - 1))
            switch random.number(0...2) {
            case 0: bytes[index] = UInt8(random.number(0...255))
            case 1: bytes.remove(at: index)
            default: bytes.insert(random.pick(Array("\"[],=@|#\\ \n-> x\t".utf8) + [0, 255]), at: index)
            }
        }
        if let scenario = try? Scenario(parsing: bytes, path: "x.scn") {
            #expect((try? Scenario(parsing: Array(scenario.formatted.utf8), path: "x.scn")) != nil)
        }
    }

    @Test(arguments: 0..<50) func `every subset of the lines of a section is a scenario`(_ seed: UInt64)
        throws
    {
        var random = TestGenerator(state: seed)
        var document = try Scenario(parsing: Array(`scenario files`.example.utf8), path: "x.scn").document
        for index in document.sections.indices where document.sections[index].name != "expect" {
            document.sections[index].lines.removeAll { _ in random.chance(50) }
        }
        _ = try Scenario(document, path: "x.scn")
    }

    @Test func `every prefix of a file gives a scenario or an error`() {
        let bytes = Array(`scenario files`.example.utf8)
        for count in 0...bytes.count { _ = try? Scenario(parsing: Array(bytes[..<count]), path: "x.scn") }
    }

    @Test(
        arguments: [
            ("0s", 0), ("1.5s", 1_500_000_000), ("20ms", 20_000_000), ("-5s", -5_000_000_000),
            ("8h", 28_800_000_000_000),
            ("0.000000001s", 1), ("1d", 86_400_000_000_000), ("3us", 3_000),
        ] as [(String, Int64)])
    func `durations are exact`(_ text: String, _ nanoseconds: Int64) {
        #expect(Quantity.nanoseconds(text) == nanoseconds)
        #expect(Quantity.nanoseconds(Quantity.duration(nanoseconds: nanoseconds)) == nanoseconds)
        #expect(Quantity.nanoseconds(Quantity.seconds(nanoseconds: nanoseconds)) == nanoseconds)
    }

    @Test(arguments: [
        "", "s", "1", "1.s", ".5s", "1..5s", "1e3s", "0.0000000001s", "99999999999999999999s", "--1s", "1 s",
    ])
    func `what is no duration is refused`(_ text: String) {
        #expect(Quantity.nanoseconds(text) == nil)
    }
}

@Suite struct `the gallery` {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Scenarios/gallery")
    static let files: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter {
            $0.hasSuffix(".scn")
        }
        .sorted()

    @Test func `has at least eight scenarios`() { #expect(Self.files.count >= 8) }

    @Test(arguments: files) func `is in canonical form`(_ file: String) throws {
        let bytes = try Array(Data(contentsOf: Self.folder.appendingPathComponent(file)))
        let scenario = try Scenario(parsing: bytes, path: file)
        #expect(scenario.formatted == String(decoding: bytes, as: UTF8.self))
        #expect(scenario.name + ".scn" == file)
    }
}
