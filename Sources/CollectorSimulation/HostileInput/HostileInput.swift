import SimulatedBackends

/// What must hold whatever bytes somebody hands to a parser; fuzzers ask it, and tests ask it again of what they found.
public enum HostileInput: String, Hashable, Sendable, CaseIterable {
    /// The text of a scenario file, or of a filed bug.
    case scenario
    /// The text of a scenario that is small enough to be run.
    case simulation
    /// The text of a swarm profile.
    case swarm
    /// The text of a litmus case.
    case litmus
    /// A byte that chooses a format, and what is read as that: what the kernel says, and small files and texts of the host.
    case formats
    /// What a client or a server sends: frames.
    case frames
    /// What a client says, message after message.
    case client
    /// What a server says, message after message.
    case server
    /// What a DaemonEye client says, message after message.
    case daemoneye
    /// A byte that chooses a message of the protocol, and its bytes.
    case messages
    /// A file of settings, variables and flags.
    case settings

    /// What does not hold for `bytes`, and `nil` when everything does.
    ///
    /// A trap within is the other way to fail. Takes milliseconds, ``simulation`` up to seconds.
    ///
    /// - Parameter bytes: Anything, however long.
    public func violation(of bytes: [UInt8]) -> String? {
        switch self {
        case .scenario:
            Self.text(bytes) { (text, path) throws(ScenarioError) in
                let scenario = try Scenario(parsing: text, path: path)
                _ = try? SourcesUnderTest([HostileSettings.source], of: scenario)
                return scenario.document
            }
        case .swarm:
            Self.text(bytes) { (text, path) throws(ScenarioError) in
                try SwarmProfile(parsing: text, path: path).document
            }
        case .litmus:
            Self.text(bytes) { (text, path) throws(ScenarioError) in
                _ = try LitmusCase(parsing: text, path: path)
                return try SceneDocument(parsing: text, path: path, grammar: .litmus)
            }
        case .simulation: SmallSimulation.violation(of: bytes)
        case .formats: FormatRoundTrip.violation(of: bytes)
        case .frames: FrameStream.violation(of: bytes)
        case .client: HostileSession.serverViolation(of: bytes)
        case .server: HostileSession.clientViolation(of: bytes)
        case .daemoneye: HostileSession.daemonEyeViolation(of: bytes)
        case .messages: MessageRoundTrip.violation(of: bytes)
        case .settings: HostileSettings.violation(of: bytes)
        }
    }

    private static let path = "input"

    /// A text is refused with its place, or what it says survives printing; printing twice changes nothing.
    private static func text(
        _ bytes: [UInt8], parse: ([UInt8], String) throws(ScenarioError) -> SceneDocument
    ) -> String? {
        let document: SceneDocument
        do throws(ScenarioError) { document = try parse(bytes, path) } catch {
            return placeViolation(of: error, in: bytes)
        }
        let printed = document.print()
        let again: SceneDocument
        do throws(ScenarioError) { again = try parse(Array(printed.utf8), path) } catch {
            return "the canonical text is refused: \(error)"
        }
        if again != document { return "the canonical text says something else" }
        return again.print() == printed ? nil : "the canonical text is not canonical"
    }

    /// The place of an error lies in the text, or directly behind a line's or the text's end.
    private static func placeViolation(of error: ScenarioError, in bytes: [UInt8]) -> String? {
        if error.message.isEmpty { return "an error without a message" }
        if error.line == 0 { return error.column == 0 ? nil : "a column without a line" }
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
        guard error.line <= lines.count else { return "an error behind the last line: \(error)" }
        let characterCount = lines[error.line - 1].count { $0 & 0xc0 != 0x80 }
        guard error.column >= 1, error.column <= characterCount + 1 else {
            return "an error outside its line: \(error)"
        }
        return nil
    }
}

/// Runs what is a scenario, if it is small.
private enum SmallSimulation {
    private static let lineLimit = 64
    private static let burstLimit = 200
    /// Virtual time of the last line, in nanoseconds.
    private static let timeLimit: Int64 = 100_000_000_000
    private static let jobLimit = 5_000

    /// A run ends, and a second one of the same seed is the same.
    static func violation(of bytes: [UInt8]) -> String? {
        guard let scenario = try? Scenario(parsing: bytes, path: "input"), isSmall(scenario) else {
            return nil
        }
        let first = ScenarioRunner.simulate(scenario, seed: scenario.seed, jobLimit: jobLimit).report
        let second = ScenarioRunner.simulate(scenario, seed: scenario.seed, jobLimit: jobLimit).report
        guard first == second else { return "two runs differ, after \(first.stepCount) steps" }
        if case .threw(let reason) = first.ending { return "the run threw: \(reason)" }
        return nil
    }

    private static func isSmall(_ scenario: Scenario) -> Bool {
        guard scenario.when.count <= lineLimit, scenario.given.count <= lineLimit,
            scenario.when.last.map({ $0.time <= timeLimit }) ?? true
        else { return false }
        let burstCount = scenario.when.reduce(0) { sum, line in
            if case .burst(let burst) = line.action { sum + min(burst.count, burstLimit + 1) } else { sum }
        }
        return burstCount <= burstLimit
    }
}
