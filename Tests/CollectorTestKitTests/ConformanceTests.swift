import CollectorCore
import CollectorTestKit
import Synchronization
import Testing

/// That the conformance check notices each way of breaking the contract, and nothing else.
struct ConformanceTests {
    private static let scenario = """
        scenario folder v1
        given
          folder /srv
        when
          @1.2s file.create /srv/a
          @2.2s file.create /srv/b
        """

    private func rules(
        _ flaw: Flaw?, checking rules: [SourceConformance.Rule] = SourceConformance.Rule.allCases
    ) throws -> Set<SourceConformance.Rule> {
        var check = try SourceConformance(.counting(flaw), scenario: Self.scenario)
        check.seeds = 1...3
        let report = check.check(rules)
        if flaw == nil { #expect(report.violations.isEmpty, "\(report)") }
        return Set(report.violations.map(\.rule))
    }

    @Test func `a source that keeps the contract has no violations`() throws {
        #expect(try rules(nil).isEmpty)
    }

    @Test(arguments: Flaw.allCases)
    func `a flaw is noticed by its rule`(flaw: Flaw) throws {
        #expect(try rules(flaw, checking: [flaw.rule]).contains(flaw.rule), "\(flaw)")
    }

    @Test func `a check makes calls fail, and says how many`() throws {
        let report = try SourceConformance(.counting(nil), scenario: Self.scenario).check([.failures])
        #expect(report.failedCallCount > 20 && report.runCount > report.failedCallCount, "\(report)")
    }

    @Test func `a setting that is not there is a violation, not a run`() throws {
        let text = Self.scenario.replacing("given", with: "config sources.counting.nothing=1\ngiven")
        let report = try SourceConformance(.counting(nil), scenario: text).check()
        #expect(report.violations.count == 1 && "\(report)".contains("unknown setting"))
    }

    @Test func `a run gives what the source told, and no more`() throws {
        let run = try SourceRun(of: .counting(nil), scenario: Self.scenario, seed: 4)
        #expect(run.events.allSatisfy { $0.source == "counting" } && run.failures.isEmpty)
        let values = run.events.map { event -> Double in
            if case .performance(let sample) = event.subject { sample.value } else { -1 }
        }
        #expect(values.first == 0 && values.last == 2 && values == values.sorted())
        #expect(run.statuses.map(\.state).prefix(2) == [.starting, .ready])
        let again = try SourceRun(of: .counting(nil), scenario: Self.scenario, seed: 4)
        #expect(run.traceHash == again.traceHash)
        let other = try SourceRun(of: .counting(nil), scenario: Self.scenario, seed: 5)
        #expect(run.traceHash != other.traceHash)
    }

    @Test func `what is opened and not there keeps the collector from starting, and says so`() throws {
        let run = try SourceRun(of: .counting(nil), scenario: "scenario empty v1\n")
        #expect(run.events.isEmpty)
        #expect(run.failures.contains { $0.message.contains("cannot open the folder /srv") })
    }
}

/// A way of breaking the contract.
enum Flaw: String, CaseIterable {
    case neverReady, silent, wrongKind, future, throwsAtOnce, ignoresStop, hoardsFolders, runsOnce, busy
    case remembersOtherRuns, hangsAfterErrors

    var rule: SourceConformance.Rule {
        switch self {
        case .neverReady, .throwsAtOnce: .ready
        case .silent: .tells
        case .wrongKind: .kinds
        case .future: .times
        case .ignoresStop: .stops
        case .hoardsFolders: .oracles
        case .runsOnce: .runsAgain
        case .busy: .idles
        case .remembersOtherRuns: .repeats
        case .hangsAfterErrors: .failures
        }
    }
}

private struct Trouble: Error {}

/// Runs of the whole process: what a source must not look at.
private let runCount = Atomic<Int>(0)

/// Counts the files of a folder each second.
private final class Counting: EventSource {
    let descriptor = SourceDescriptor(
        name: "counting", capabilities: .performance, overflowPolicy: .dropOldest)
    private let folder: any RootedDirectory
    private let flaw: Flaw?
    private let hasRun = Mutex(false)

    init(_ folder: any RootedDirectory, _ flaw: Flaw?) {
        self.folder = folder
        self.flaw = flaw
    }

    func run(_ context: SourceContext) async throws {
        if flaw == .throwsAtOnce { throw Trouble() }
        if flaw == .runsOnce, hasRun.withLock({ $0 }) { throw Trouble() }
        hasRun.withLock { $0 = true }
        if flaw != .neverReady { context.ready() }
        var hoard: [Held] = []
        while !Task.isCancelled {
            if flaw == .hoardsFolders { hoard.append(Held(try folder.open([], as: .folder))) }
            try await sample(context)
            context.emitter.flush()
            let pause: Duration = flaw == .busy ? .milliseconds(2) : .seconds(1)
            let deadline = context.clock.monotonic.advanced(by: pause)
            if flaw == .ignoresStop {
                // Nobody cancels what is not a child of this task.
                let pause = Pause()
                _ = context.clock.schedule(at: deadline.advanced(by: .seconds(4))) { pause.end() }
                await pause.wait()
            } else {
                try? await context.clock.sleep(until: deadline)
            }
        }
        if flaw == .hoardsFolders { Self.hoards.withLock { $0 += hoard } }
    }

    /// Nobody ends it.
    private static let never = Pause()
    private static let hoards = Mutex<[Held]>([])

    private func sample(_ context: SourceContext) async throws {
        if flaw == .silent { return }
        var count: Double
        do { count = Double(try folder.names().count) } catch {
            if flaw == .hangsAfterErrors {
                await Self.never.wait()
            }
            throw error
        }
        if flaw == .remembersOtherRuns { count += Double(runCount.add(1, ordering: .relaxed).newValue) }
        let event = Event(
            source: descriptor.name, kind: flaw == .wrongKind ? .fileCreated : .performanceSample,
            origin: .emitted, time: context.clock.wall,
            monotonic: context.clock.monotonic.advanced(by: flaw == .future ? .seconds(60) : .zero),
            subject: .performance(
                PerformanceEvent(metricName: "files", value: count, unit: "1", pid: nil, component: "/srv")),
            escaped: [])
        await context.emitter.emit(event)
    }
}

/// A wait that cancellation does not end.
private final class Pause: Sendable {
    private let waiters = Mutex<[CheckedContinuation<Void, Never>]>([])

    func wait() async {
        await withCheckedContinuation { continuation in waiters.withLock { $0.append(continuation) } }
    }

    func end() { for waiter in waiters.withLock({ $0 }) { waiter.resume() } }
}

private final class Held: Sendable {
    let handle: FileHandle
    init(_ handle: consuming FileHandle) { self.handle = handle }
}

extension SourceDefinition {
    fileprivate static func counting(_ flaw: Flaw?) -> SourceDefinition {
        SourceDefinition("counting") { host in Counting(try host.rootedDirectory("/srv"), flaw) }
    }
}
