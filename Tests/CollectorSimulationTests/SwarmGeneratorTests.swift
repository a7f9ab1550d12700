import CollectorSimulation
import Testing

@Suite struct `scenarios of a swarm` {
    static func generator(_ text: String = SwarmProfiles.small) throws -> ScenarioGenerator {
        ScenarioGenerator(try SwarmProfiles.profile(text))
    }

    static func document(_ text: String, seed: UInt64) throws -> SceneDocument {
        var tape = ChoiceTape(seed: seed, recording: false)
        return try generator(text).document(seed: seed, from: &tape)
    }

    static func section(_ name: String, of document: SceneDocument) -> [String] {
        document.sections.first { $0.name == name }?.lines.map { Printer.line($0.tokens) } ?? []
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `have a text that parses to the same scenario`(_ seed: UInt64) throws {
        for generator in [try Self.generator(), ScenarioGenerator(try SwarmProfiles.shipped("lite.swarm"))] {
            let scenario = try generator.scenario(seed: seed)
            let parsed = try Scenario(parsing: Array(scenario.formatted.utf8), path: scenario.path)
            #expect(parsed.document == scenario.document)
            #expect(parsed.when.map(\.action) == scenario.when.map(\.action))
            #expect(parsed.when.map(\.time) == scenario.when.map(\.time))
            #expect(parsed.faults.map(\.behaviour) == scenario.faults.map(\.behaviour))
            #expect(parsed.host == scenario.host)
            #expect(parsed.settings == scenario.settings)
            #expect(parsed.schedule == scenario.schedule)
            #expect(parsed.formatted == scenario.formatted)
        }
    }

    @Test func `are the same for the same seed, and others for others`() throws {
        let generator = try Self.generator()
        let texts = try (1...30 as ClosedRange<UInt64>).map { try generator.scenario(seed: $0).formatted }
        #expect(
            try texts == (1...30 as ClosedRange<UInt64>).map { try generator.scenario(seed: $0).formatted })
        #expect(Set(texts.map { $0.drop { $0 != "\n" } }).count == 30)
    }

    @Test func `refer to what exists, but for a few lines`() throws {
        let generator = try Self.generator()
        var skipped = 0
        var all = 0
        for seed in 1...16 as ClosedRange<UInt64> {
            let scenario = try generator.scenario(seed: seed)
            all += scenario.when.count + scenario.given.count
            skipped += ScenarioRunner.run(scenario, seed: seed).skippedLineCount
        }
        #expect(all > 400)
        #expect(skipped * 50 < all, "\(skipped) of \(all) lines were skipped")
    }

    @Test func `give the same run twice`() throws {
        let generator = try Self.generator()
        for seed in 1...4 as ClosedRange<UInt64> {
            #expect(RunRecord.swarm(seed: seed, of: generator) == RunRecord.swarm(seed: seed, of: generator))
        }
    }

    @Test func `change nothing of the world when a setting is added`() throws {
        let more = SwarmProfiles.small.replacing("knob queue", with: "knob buffer=1|2|3 queue")
        for seed in 1...20 as ClosedRange<UInt64> {
            let (one, other) = (
                try Self.document(SwarmProfiles.small, seed: seed), try Self.document(more, seed: seed)
            )
            #expect(one.sections == other.sections)
            #expect(one.directives != other.directives)
        }
    }

    @Test func `change nothing of the world when a fault is added`() throws {
        let more = SwarmProfiles.small + "\nfault netlink.recv p=0.1 -> short=1..8\n"
        for seed in 1...20 as ClosedRange<UInt64> {
            let one = try Self.document(SwarmProfiles.small, seed: seed)
            let other = try Self.document(more, seed: seed)
            #expect(Self.section("when", of: one) == Self.section("when", of: other))
        }
    }

    @Test func `leave features out, each seed others, but never all`() throws {
        let text = """
            swarm some v1
            phase safety=1
            omit p=0.9 at-least=1
            length sim=5s steps=60 processes=10
            feature process.comm
            feature process.title
            feature process.hide
            feature process.setid
            """
        var kinds: Set<Set<String>> = []
        for seed in 1...40 as ClosedRange<UInt64> {
            let verbs = try Set(
                Self.section("when", of: Self.document(text, seed: seed)).map { line in
                    String(line.split(separator: " ")[1])
                }
            ).subtracting(["start", "stop"])
            #expect(!verbs.isEmpty)
            kinds.insert(verbs)
        }
        #expect(kinds.count >= 4)
    }

    @Test func `hold a feature no more often than the profile says`() throws {
        let text = """
            swarm few v1
            phase safety=1
            length sim=5s steps=100 processes=10
            feature process.comm
            feature collector.restart weight=100 most=2
            """
        for seed in 1...20 as ClosedRange<UInt64> {
            let lines = Self.section("when", of: try Self.document(text, seed: seed))
            #expect(lines.count { $0.contains(" restart ") } == 2)
        }
    }

    @Test func `heal: faults end, the world rests, then the collector stops`() throws {
        let text = SwarmProfiles.small.replacing("safety=1", with: "safety=0").replacing(
            "run=0.5", with: "run=1"
        )
        .replacing("activate=0.5", with: "activate=1")
        for seed in 1...20 as ClosedRange<UInt64> {
            let scenario = try Self.generator(text).scenario(seed: seed)
            let stop = try #require(scenario.when.last)
            let last = try #require(scenario.when.dropLast().last)
            #expect(stop.time == 8_000_000_000)
            #expect(stop.time - last.time >= 2_000_000_000)
            #expect(scenario.faults.count == 2)
            for fault in scenario.faults {
                let during = try #require(fault.during)
                #expect(during.upperBound <= stop.time - 2_000_000_000)
            }
        }
    }

    @Test func `of lite hold 60 seconds, 200 processes and 20 forks a second`() throws {
        let generator = ScenarioGenerator(try SwarmProfiles.shipped("lite.swarm"))
        var forks = 0
        var processes = 0
        var faults = 0
        for seed in 1...100 as ClosedRange<UInt64> {
            let scenario = try generator.scenario(seed: seed)
            #expect(scenario.when.last?.time == 60_000_000_000)
            processes += scenario.given.count
            faults += scenario.faults.isEmpty ? 0 : 1
            for line in scenario.when {
                switch line.action {
                case .fork: forks += 1
                case .burst(let burst): forks += burst.count
                default: break
                }
            }
        }
        #expect((150...220).contains(processes / 100))
        #expect((15...35).contains(forks / 6_000), "\(forks) forks in 6000 s")
        #expect(faults >= 50)
    }
}

@Suite struct `a choice tape` {
    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func `that is replayed gives the same scenario`(_ seed: UInt64) throws {
        let generator = try `scenarios of a swarm`.generator()
        var tape = ChoiceTape(seed: seed, recording: true)
        let document = generator.document(seed: seed, from: &tape)
        var replay = ChoiceTape(replaying: tape.choices)
        #expect(generator.document(seed: seed, from: &replay) == document)
        #expect(replay.choices == tape.choices)
        var silent = ChoiceTape(seed: seed, recording: false)
        #expect(generator.document(seed: seed, from: &silent) == document)
        #expect(silent.choices.isEmpty)
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func `that was cut or changed in any way still gives a scenario`(_ seed: UInt64) throws {
        let generator = try `scenarios of a swarm`.generator()
        var random = TestGenerator(state: seed)
        var tape = ChoiceTape(seed: seed, recording: true)
        _ = generator.document(seed: seed, from: &tape)
        var choices = tape.choices
        for _ in 0..<random.number(1...20) where !choices.isEmpty {
            let index = random.number(0...(choices.count - 1))
            switch random.number(0...2) {
            case 0: choices.removeSubrange(index..<min(index + random.number(1...30), choices.count))
            case 1: choices[index].value = random.next()
            default: choices.insert(choices[random.number(0...(choices.count - 1))], at: index)
            }
        }
        var changed = ChoiceTape(replaying: choices)
        let document = generator.document(seed: seed, from: &changed)
        let scenario = try Scenario(document, path: "x.scn")
        #expect(try Scenario(parsing: Array(scenario.formatted.utf8), path: "x.scn").document == document)
    }

    @Test func `of zeros gives the simplest scenario`() throws {
        let generator = try `scenarios of a swarm`.generator()
        var empty = ChoiceTape(replaying: [])
        let document = generator.document(seed: 0, from: &empty)
        var seeded = ChoiceTape(seed: 1, recording: false)
        let other = generator.document(seed: 1, from: &seeded)
        #expect(document.sections.count == 2)
        #expect(document.sections[1].lines.count < other.sections[1].lines.count)
    }

    @Test func `draws every number of a range, and no other`() {
        var tape = ChoiceTape(seed: 1, recording: false)
        var uniform: Set<Int64> = []
        var logarithmic: [Int64] = []
        for _ in 0..<4_000 {
            uniform.insert(tape.uniform("x", in: -3...3, for: .world))
            logarithmic.append(tape.logarithmic("x", in: 3...5_000, for: .world))
        }
        #expect(uniform == Set(-3...3))
        #expect(logarithmic.allSatisfy { (3...5_000).contains($0) })
        // Half of the powers of two lie below 128.
        #expect((1_200...2_800).contains(logarithmic.count { $0 < 128 }))
    }

    @Test func `draws exponentially with the mean that is asked for`() {
        var tape = ChoiceTape(seed: 1, recording: false)
        let sum = (0..<20_000).reduce(0) { sum, _ in
            sum + tape.exponential("x", mean: 1_000_000, for: .world)
        }
        #expect((950_000...1_080_000).contains(sum / 20_000))
    }

    @Test func `happens as often as is asked for`() {
        var tape = ChoiceTape(seed: 1, recording: false)
        let count = (0..<10_000).count { _ in tape.happens("x", millionths: 250_000, for: .fault) }
        #expect((2_300...2_700).contains(count))
    }
}
