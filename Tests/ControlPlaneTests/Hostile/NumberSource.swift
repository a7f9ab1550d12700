import Backends
import CollectorCore
import EventModel
import Synchronization

/// Emits as many events as it is asked for, and lists ten processes, quickly or slowly.
final class NumberSource: EventSource {
    private struct State {
        var wanted = 0
        var emitted = 0
        var performing = 0
        var mostPerforming = 0
        var taskDuration = Duration.zero
    }

    static let name: SourceName = "test"
    static let processCount = 10

    private let state = Mutex(State())
    private let asked = Wakeup()
    private let clock: any SystemClock

    init(clock: any SystemClock) { self.clock = clock }

    var descriptor: SourceDescriptor {
        SourceDescriptor(
            name: Self.name, capabilities: .process, overflowPolicy: .block, tasks: [.enumerateProcesses])
    }

    /// How many events there will be in all.
    var wantedCount: Int { state.withLock { $0.wanted } }
    /// Tasks that are being carried out, and the most there ever were.
    var performing: (now: Int, most: Int) { state.withLock { ($0.performing, $0.mostPerforming) } }

    func emit(_ count: Int) {
        state.withLock { $0.wanted += count }
        asked.signal()
    }

    /// Each task takes so long from now on.
    func take(_ duration: Duration) { state.withLock { $0.taskDuration = duration } }

    func run(_ context: SourceContext) async throws {
        context.ready()
        while !Task.isCancelled {
            let (first, last) = state.withLock { state in
                defer { state.emitted = state.wanted }
                return (state.emitted, state.wanted)
            }
            for number in first..<last { await context.emitter.emit(Self.event(number + 1)) }
            context.emitter.flush()
            _ = await asked.waitUnlessCancelled(until: nil, on: context.clock)
        }
    }

    private static func event(_ number: Int) -> Event {
        var process = ProcessEvent(
            identity: ProcessIdentity(
                pid: ProcessID(Int32(number)), birth: .scan(startTicks: UInt64(number), pidFDInode: 1)))
        process.name = "process \(number)"
        return Event(
            source: name, kind: number % 3 == 0 ? .processExec : .processFork, origin: .emitted,
            time: WallTime(nanoseconds: 0), monotonic: Instant(nanoseconds: Int64(number)),
            subject: .process(process), escaped: [])
    }

    func perform(_ task: SourceTask) async throws(TaskError) -> TaskAnswer {
        let duration = state.withLock { state in
            state.performing += 1
            state.mostPerforming = max(state.mostPerforming, state.performing)
            return state.taskDuration
        }
        defer { state.withLock { $0.performing -= 1 } }
        if duration > .zero {
            // Nobody cancels it: a source that is asked answers.
            try? await clock.sleep(until: clock.monotonic.advanced(by: duration))
        }
        guard case .enumerateProcesses(let selection, let after, let limit) = task else {
            throw TaskError(.unsupported, "this source only lists processes")
        }
        var answer = TaskAnswer(monotonic: clock.monotonic)
        let all = (1...Self.processCount).map { number in
            ProcessEvent(
                identity: ProcessIdentity(
                    pid: ProcessID(Int32(number)), birth: .scan(startTicks: 1, pidFDInode: 1)))
        }.filter(selection.matches)
        let rest = all.filter { $0.pid.rawValue > after?.rawValue ?? 0 }
        answer.processes = Array(rest.prefix(limit))
        answer.totalCount = all.count
        answer.hasMore = rest.count > limit
        return answer
    }
}
