import CollectorCore
import EventModel

/// Looking things up for others, between two rounds: so that every answer is true of one moment.
extension ProcessLoop {
    /// What ``performTasks()`` can do.
    static let tasks: [TaskKind] = [.enumerateProcesses, .processTree]

    /// The most processes of one answer.
    private static let answerCount = 1_000

    /// Carries out what waits at the desk.
    func performTasks() {
        while let order = taskDesk.takeFirst() {
            tracker.setClocks(sampleClocks())
            switch order.task {
            case .enumerateProcesses(let selection, let after, let limit):
                order.finish(.success(answer(tracker.processes(matching: selection), after, limit)))
            case .processTree(let root, let after, let limit):
                guard tracker.table[root.rawValue] != nil else {
                    order.finish(.failure(TaskError(.notFound, "there is no process \(root)")))
                    continue
                }
                order.finish(.success(answer(tracker.tree(of: root), after, limit)))
            case .verifyExecutable, .checkHash, .listFiles:
                order.finish(
                    .failure(TaskError(.unsupported, "this source does not \(order.task.kind.rawValue)")))
            }
        }
    }

    /// One page of the processes, in ascending order of pid.
    private func answer(_ all: [TrackedProcess], _ after: ProcessID?, _ limit: Int) -> TaskAnswer {
        let rest = all.filter { process in after.map { process.event.pid > $0 } ?? true }
            .sorted { $0.event.pid < $1.event.pid }
        let count = min(max(limit, 1), Self.answerCount, rest.count)
        var answer = TaskAnswer(monotonic: now)
        answer.processes = rest.prefix(count).map { tracker.present($0) }
        answer.totalCount = all.count
        answer.hasMore = count < rest.count
        return answer
    }
}

extension ProcessTracker {
    /// What is known of a process at present.
    func present(_ process: TrackedProcess) -> ProcessEvent {
        var event = process.event
        if isInDoubt(process) { event.isAmbiguous = true }
        return event
    }

    /// In no particular order. Those whose events the rules leave out are left out here, too.
    func processes(matching selection: ProcessSelection) -> [TrackedProcess] {
        table.values.filter { selection.matches($0.event) && admits($0) }
    }

    /// The process and its descendants, in no particular order.
    func tree(of root: ProcessID) -> [TrackedProcess] {
        var children: [ProcessID: [TrackedProcess]] = [:]
        for process in table.values {
            if let parent = process.event.ppid { children[parent, default: []].append(process) }
        }
        var found: [TrackedProcess] = []
        var seen: Set<ProcessID> = [root]
        var next = table[root.rawValue].map { [$0] } ?? []
        while let process = next.popLast() {
            if admits(process) { found.append(process) }
            // A pid that was handed out again may seem to be its own ancestor.
            next += (children[process.event.pid] ?? []).filter { seen.insert($0.event.pid).inserted }
        }
        return found
    }

    private func admits(_ process: TrackedProcess) -> Bool {
        decision(on: process) == .admitted
    }
}
