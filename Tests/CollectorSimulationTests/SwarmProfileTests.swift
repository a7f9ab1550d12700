import CollectorSimulation
import Foundation
import Testing

/// Profiles that the tests write down and those in `Scenarios/swarm`.
enum SwarmProfiles {
    static let folder = `the gallery`.folder.deletingLastPathComponent().appendingPathComponent("swarm")
    static let files: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter {
            $0.hasSuffix(".swarm")
        }
        .sorted()

    static func bytes(_ file: String) throws -> [UInt8] {
        try Array(Data(contentsOf: folder.appendingPathComponent(file)))
    }

    static func shipped(_ file: String) throws -> SwarmProfile {
        try SwarmProfile(parsing: bytes(file), path: file)
    }

    /// A profile with everything in it, and little of each.
    static let small = """
        swarm small v1
        length sim=8s steps=30..50 processes=5..15 forks=3/s clump=0.3
        omit p=0..0.5 at-least=2
        schedule fifo=1 random=2 pct=1 depth=1..5
        phase safety=1 heal-then-liveness=1 rest=2s..3s
        buggify run=0.5 activate=0.5
        host cpus=1|2 hz=100|250 pid_max=600|default
        knob queue=default|10|log(16..4096) batch=1..100
        feature process.life hostile=0.2
        feature process.exit
        feature process.reuse same-tick=0.5
        feature process.burst count=1..20
        feature process.setid
        feature thread.create
        feature thread.exec
        feature thread.leader-exits
        feature collector.restart most=1
        fault procfs.read p=log(0.001..0.1) -> short=1..64
        fault procfs.readlink p=0.05 -> EACCES|ENOMEM
        """

    static func profile(_ text: String) throws -> SwarmProfile {
        try SwarmProfile(parsing: Array(text.utf8), path: "test.swarm")
    }
}

@Suite struct `swarm profiles` {
    @Test(arguments: SwarmProfiles.files) func `of the repository are in canonical form`(_ file: String)
        throws
    {
        let bytes = try SwarmProfiles.bytes(file)
        let profile = try SwarmProfile(parsing: bytes, path: file)
        #expect(profile.formatted == String(decoding: bytes, as: UTF8.self))
        #expect(profile.name + ".swarm" == file)
    }

    @Test func `has lite among them`() { #expect(SwarmProfiles.files.contains("lite.swarm")) }

    @Test func `parsing the canonical text gives the same profile`() throws {
        let profile = try SwarmProfiles.profile(SwarmProfiles.small)
        let again = try SwarmProfile(parsing: Array(profile.formatted.utf8), path: "test.swarm")
        #expect(profile == again)
        #expect(profile.features.count == 9)
        #expect(profile.faults.count == 2)
    }

    @Test(
        arguments: [
            ("feature process.fly", "2:9: expected one of process.life"),
            ("feature process.life speed=3", "2:22: unknown key \"speed\"; expected one of weight, most"),
            ("feature process.life weight=-1", "2:22: expected weight="),
            ("feature process.life exec=1.5", "2:22: expected exec= with a fraction"),
            ("feature process.life lifetime=5", "2:22: expected lifetime= with a duration"),
            ("feature process.exit\nfeature process.exit", "3:9: expected each feature once"),
            ("host cpus=0..4", "2:6: expected cpus=a number between 1 and 256, not 0"),
            ("host planets=9", "2:6: unknown key \"planets\""),
            ("host cpus=1\nhost cpus=2", "3:6: key \"cpus\" is given twice"),
            ("knob queue=zero", "2:6: expected queue="),
            ("knob", "2:2: expected at least one key="),
            ("limit fds=log(0..5)", "2:7: expected fds="),
            ("fault procfs.fly -> EIO", "2:7: unknown verb \"procfs.fly\""),
            ("fault procfs.read p=0.1", "expected \"->\""),
            ("fault procfs.read p=2 -> EIO", "expected p=a probability"),
            ("fault procfs.read -> EIO|EOOPS", "EOOPS"),
            ("schedule", "expected a weight for at least one of fifo="),
            ("phase safety=0", "expected a weight for at least one of safety="),
            ("require teleportation", "unknown probe \"teleportation\""),
            ("length sim=1..2", "expected sim= with a duration"),
            ("length sim=5s..1s", "expected sim= with A|B"),
            ("@1s feature process.exit", "expected no time"),
            ("dance", "unknown verb \"dance\""),
            ("about \"nothing else\"", "expected at least one feature line"),
        ])
    func `that are wrong are refused with their place`(_ lines: String, _ expected: String) {
        let text = "swarm wrong v1\n" + lines + "\n"
        #expect {
            _ = try SwarmProfiles.profile(text)
        } throws: { error in
            let description = (error as? ScenarioError)?.description ?? ""
            return description.hasPrefix("test.swarm:") && description.contains(expected)
        }
    }

    @Test(arguments: 0..<300) func `with any bytes changed give a profile or an error`(_ seed: UInt64) throws
    {
        var random = TestGenerator(state: seed)
        var bytes = seed % 2 == 0 ? Array(SwarmProfiles.small.utf8) : try SwarmProfiles.bytes("lite.swarm")
        for _ in 0..<random.number(1...12) {
            let index = random.number(0...(bytes.count - 1))
            switch random.number(0...2) {
            case 0: bytes[index] = UInt8(random.number(0...255))
            case 1: bytes.remove(at: index)
            default: bytes.insert(random.pick(Array("()..|=0159smhd/\" \n->log".utf8) + [0, 255]), at: index)
            }
        }
        guard let profile = try? SwarmProfile(parsing: bytes, path: "x.swarm") else { return }
        #expect((try? SwarmProfile(parsing: Array(profile.formatted.utf8), path: "x.swarm")) != nil)
        // Whatever was accepted can be made scenarios of, unless values that cannot stand together were drawn.
        var tape = ChoiceTape(seed: seed, recording: false)
        _ = ScenarioGenerator(profile).document(seed: seed, from: &tape)
    }

    @Test(arguments: [
        ("1..5", "1..5"), ("log(1..4096)", "1..4096"), ("exp(20ms)", "0..20000000"), ("7", "7..7"),
        ("4KiB..8MiB", "4096..8388608"), ("0..0.5", "0..500000"), ("0.25..1", "250000..1000000"),
        ("-5s..5s", "-5000000000..5000000000"), ("20/s", "20000000..20000000"),
    ])
    func `have ranges with units`(_ text: String, _ expected: String) throws {
        let distribution = try #require(Distribution(text))
        let units: [Distribution.Unit] = [.integer, .fraction, .duration, .byteCount, .rate]
        let ranges = units.compactMap { distribution.numbers(in: $0)?.ranges.first?.range }
        let shown = ranges.map { "\($0.lowerBound)..\($0.upperBound)" }
        #expect(shown.contains(expected))
    }

    @Test(arguments: [
        "", "|", "a||b", "5..1", "1..2s", "log(1)", "exp(1..2)", "log(-1..2)", "0.5..2", "1..", "..1",
    ])
    func `have no other ranges`(_ text: String) { #expect(Distribution(text) == nil) }
}
