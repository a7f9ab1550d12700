import CollectorCore
import EventModel

/// Looking things up for others, between two rounds: so that every answer is true of one moment.
extension ProcessLoop {
    /// What ``performTasks()`` can do.
    static let tasks: [TaskKind] = [.enumerateProcesses, .processTree, .verifyExecutable]

    var hasTaskWork: Bool { executableCheck != nil || !waitingVerifications.isEmpty || !taskDesk.isEmpty }

    /// Carries out what waits at the desk, and a slice of what takes long.
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
            case .verifyExecutable: admitVerification(order)
            case .checkHash, .listFiles:
                order.finish(
                    .failure(TaskError(.unsupported, "this source does not \(order.task.kind.rawValue)")))
            }
        }
        verificationSlice()
    }

    /// One page of the processes, in ascending order of pid.
    private func answer(_ all: [TrackedProcess], _ after: ProcessID?, _ limit: Int) -> TaskAnswer {
        let rest = all.filter { process in after.map { process.event.pid > $0 } ?? true }
            .sorted { $0.event.pid < $1.event.pid }
        let count = min(max(limit, 1), Limits.taskPageCount, rest.count)
        var answer = TaskAnswer(monotonic: now)
        var byteCount = 0
        for process in rest.prefix(count) {
            let event = tracker.present(process)
            byteCount += event.roughByteCount
            guard byteCount <= Limits.taskPageByteCount || answer.processes.isEmpty else { break }
            answer.processes.append(event)
        }
        answer.totalCount = all.count
        answer.hasMore = answer.processes.count < rest.count
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

    /// Whether it is still known, and no other has taken its pid.
    func isTracked(_ process: TrackedProcess) -> Bool { table[process.event.pid.rawValue] === process }

    func admits(_ process: TrackedProcess) -> Bool {
        decision(on: process) == .admitted
    }
}

extension ProcessEvent {
    /// Bytes of a message about it, roughly.
    fileprivate var roughByteCount: Int {
        let arguments = commandLine.reduce(0) { $0 + 4 + $1.utf8.count }
        return 512 + 64 * ancestors.count + arguments + (executablePath?.utf8.count ?? 0)
            + (cgroup?.utf8.count ?? 0)
    }
}
