import Backends
import CollectorCore
import EventModel
import Synchronization

/// Lists the processes it was made with, and knows the digest of one file, quickly or slowly.
final class TableSource: EventSource {
    static let digest = String(repeating: "ab", count: 32)
    static let path = "/watched/file"

    private struct State {
        var processes: [ProcessEvent]
        var isReady = false
        var taskDuration = Duration.zero
        var performing = 0
        var mostPerforming = 0
    }

    private let state: Mutex<State>
    private let clock: any SystemClock

    init(_ processes: [ProcessEvent], clock: any SystemClock) {
        state = Mutex(State(processes: processes))
        self.clock = clock
    }

    let descriptor = SourceDescriptor(
        name: "table", capabilities: [.process, .filesystem, .realtime], overflowPolicy: .block,
        tasks: [.enumerateProcesses, .processTree, .checkHash])

    var isReady: Bool { state.withLock { $0.isReady } }

    /// Tasks that are being carried out, and the most there ever were.
    var performing: (now: Int, most: Int) { state.withLock { ($0.performing, $0.mostPerforming) } }

    /// Each task takes so long from now on.
    func take(_ duration: Duration) { state.withLock { $0.taskDuration = duration } }

    func run(_ context: SourceContext) async throws {
        context.ready()
        state.withLock { $0.isReady = true }
        let never = Wakeup()
        while !Task.isCancelled { _ = await never.waitUnlessCancelled(until: nil, on: context.clock) }
    }

    func perform(_ task: SourceTask) async throws(TaskError) -> TaskAnswer {
        let (processes, duration) = state.withLock { state in
            state.performing += 1
            state.mostPerforming = max(state.mostPerforming, state.performing)
            return (state.processes, state.taskDuration)
        }
        defer { state.withLock { $0.performing -= 1 } }
        // Nobody cancels it: a source that is asked answers.
        if duration > .zero { try? await clock.sleep(until: clock.monotonic.advanced(by: duration)) }
        switch task {
        case .enumerateProcesses(let selection, let after, let limit):
            return page(processes.filter(selection.matches), after, limit)
        case .processTree(let root, let after, let limit):
            guard processes.contains(where: { $0.pid == root }) else {
                throw TaskError(.notFound, "there is no process \(root)")
            }
            return page(processes.filter { $0.pid == root || $0.ppid == root }, after, limit)
        case .checkHash(let path, let algorithm):
            var answer = TaskAnswer(monotonic: clock.monotonic)
            let isKnown = path == Self.path
            answer.hash = HashAnswer(
                path: path, algorithm: algorithm, digest: isKnown ? Self.digest : nil,
                obstacle: isKnown ? nil : .vanished)
            return answer
        case .verifyExecutable, .listFiles: throw TaskError(.unsupported, "not offered")
        }
    }

    private func page(_ all: [ProcessEvent], _ after: ProcessID?, _ limit: Int) -> TaskAnswer {
        let rest = all.filter { process in after.map { process.pid > $0 } ?? true }
        var answer = TaskAnswer(monotonic: clock.monotonic)
        answer.processes = Array(rest.prefix(limit))
        answer.totalCount = all.count
        answer.hasMore = rest.count > limit
        return answer
    }

    /// Processes 1 to `count`, children of 1, which run one of three programs.
    static func processes(_ count: Int, argumentByteCount: Int = 10) -> [ProcessEvent] {
        (1...count).map { number in
            var process = ProcessEvent(
                identity: ProcessIdentity(
                    pid: ProcessID(Int32(number)), birth: .scan(startTicks: 1, pidFDInode: 1)))
            process.ppid = ProcessID(number == 1 ? 0 : 1)
            process.name = ["bash", "sleep", "nginx"][number % 3]
            process.executablePath = ["/usr/bin/bash", "/usr/bin/sleep", "/opt/nginx/sbin/nginx"][number % 3]
            process.commandLine = [String(repeating: "x", count: argumentByteCount)]
            process.uid = UserID(1_000)
            return process
        }
    }
}
