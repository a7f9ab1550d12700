import EventModel
import KernelFormats
import SimulatedBackends

import struct SystemPackage.Errno

/// Carries out the lines of `when` that happen to the world.
struct ActionPlayer: Sendable {
    let recorder: Recorder

    /// Schedules every line that is not about the collector itself.
    func schedule(_ scenario: Scenario, on kernel: SimulatedKernel) {
        let start = kernel.configuration.start.nanoseconds
        let lines = scenario.when.filter { !$0.action.isAboutCollector }
        let times = lines.map { Instant(nanoseconds: start.addingClamped($0.time)) }
        kernel.play(at: times) { kernel, index in
            if !perform(lines[index].action, on: kernel) { recorder.update { $0.skippedLineCount += 1 } }
        }
    }

    /// - Returns: `false` when the subject does not exist.
    private func perform(_ action: WhenAction, on kernel: SimulatedKernel) -> Bool {
        let isDone = apply(action, on: kernel)
        if isDone, let probe = action.probe { recorder.update { _ = $0.probes.insert(probe) } }
        return isDone
    }

    private func apply(_ action: WhenAction, on kernel: SimulatedKernel) -> Bool {
        switch action {
        case .fork(let parent, let child, _, let keepsStartTick):
            guard let parent = resolve(parent, on: kernel) else { return false }
            let ticks = keepsStartTick ? child.flatMap { lastStartTicks(of: ProcessID($0), on: kernel) } : nil
            return kernel.fork(parent: parent, as: child.map { ProcessID($0) }, startTicks: ticks) != nil
        case .exec(let process, let execution):
            return with(process, on: kernel) {
                kernel.exec($0, execution.program, argv: execution.arguments, comm: execution.name)
            }
        case .exit(let process, let code, let signal):
            let status = signal.map { ExitStatus.signaled($0, isCoreDumped: false) } ?? .exited(code)
            return with(process, on: kernel) { kernel.exit($0, status) }
        case .reap(let process): return with(process, on: kernel) { kernel.reap($0) }
        case .setUID(let process, let uid):
            return with(process, on: kernel) {
                kernel.setUserID($0, real: UserID(uid), effective: UserID(uid))
            }
        case .setGID(let process, let gid):
            return with(process, on: kernel) {
                kernel.setGroupID($0, real: GroupID(gid), effective: GroupID(gid))
            }
        case .setSession(let process): return with(process, on: kernel) { kernel.setSession($0) }
        case .setName(let process, let name): return with(process, on: kernel) { kernel.setComm($0, name) }
        case .setTitle(let process, let title):
            return with(process, on: kernel) { kernel.setTitle($0, title) }
        case .coredump(let process, let signal):
            return with(process, on: kernel) { kernel.coredump($0, signal: signal) }
        case .ptraceAttach(let tracer, let target):
            guard let tracer = resolve(tracer, on: kernel) else { return false }
            return with(target, on: kernel) { kernel.ptraceAttach($0, by: tracer) }
        case .ptraceDetach(let process): return with(process, on: kernel) { kernel.ptraceDetach($0) }
        case .hide(let process): return with(process, on: kernel) { kernel.setDumpable($0, false) }
        case .unlink(let path): return kernel.unlinkExecutable(path)
        case .thread(let action): return apply(action, on: kernel)
        case .file(let action): return apply(action, on: kernel)
        case .burst(let burst):
            return with(burst.parent, on: kernel) { parent in
                kernel.burst(
                    parent: parent, count: burst.count, over: .nanoseconds(burst.span),
                    executing: burst.executable.map { .file($0) })
            }
        case .stepRealtime(let nanoseconds):
            kernel.stepRealtime(by: .nanoseconds(nanoseconds))
            return true
        case .suspend(let nanoseconds):
            kernel.suspend(for: .nanoseconds(nanoseconds))
            return true
        case .forge(let kind, let pid, let port): return forge(kind, ProcessID(pid), port: port, on: kernel)
        case .start, .stop, .account, .restart: return true
        }
    }

    private func apply(_ action: FileAction, on kernel: SimulatedKernel) -> Bool {
        do throws(Errno) {
            try kernel.perform(action)
            return true
        } catch {
            return false
        }
    }

    private func apply(_ action: ThreadAction, on kernel: SimulatedKernel) -> Bool {
        switch action {
        case .create(let process, let tid):
            return with(process, on: kernel) {
                kernel.createThread(in: $0, as: tid.map { ProcessID($0) }) != nil
            }
        case .exit(let process, let tid):
            return with(process, on: kernel) { pid in
                kernel.threadIDs(of: pid).contains(ProcessID(tid)) && kernel.exitThread(ProcessID(tid))
            }
        case .exec(let process, let tid, let execution):
            return with(process, on: kernel) { pid in
                guard kernel.threadIDs(of: pid).contains(ProcessID(tid)) else { return false }
                return kernel.execFromThread(
                    ProcessID(tid), execution.program, argv: execution.arguments, comm: execution.name)
            }
        case .leaderExits(let process):
            return with(process, on: kernel) { kernel.threadIDs(of: $0).count > 1 && kernel.exitThread($0) }
        }
    }

    // MARK: - Names

    private func with(
        _ process: ProcessReference, on kernel: SimulatedKernel, _ body: (ProcessID) -> Bool
    ) -> Bool {
        resolve(process, on: kernel).map(body) ?? false
    }

    /// The pid of a reference, if the incarnation that is meant has it now.
    private func resolve(_ process: ProcessReference, on kernel: SimulatedKernel) -> ProcessID? {
        let pid = ProcessID(process.pid)
        guard let incarnation = kernel.incarnation(of: pid) else { return nil }
        guard let wanted = process.incarnation else { return pid }
        return kernel.truth[incarnation].ordinal == wanted ? pid : nil
    }

    /// Start time of the newest process that had the pid, if that is this tick or the last one: start times
    /// cannot tie across more than that.
    private func lastStartTicks(of pid: ProcessID, on kernel: SimulatedKernel) -> UInt64? {
        guard let ticks = kernel.truth.incarnations.last(where: { $0.pid == pid })?.startTicks else {
            return nil
        }
        let perTick = 1_000_000_000 / Int64(clamping: kernel.configuration.clockTicksPerSecond)
        let now = UInt64(clamping: kernel.pump.bootTime.nanoseconds / perTick)
        return ticks <= now && now - ticks <= 1 ? ticks : nil
    }

    /// Sends what looks like a message of the connector from a port that is not the kernel's.
    private func forge(_ kind: ForgedKind, _ pid: ProcessID, port: UInt32, on kernel: SimulatedKernel) -> Bool
    {
        let task = ConnectorTask(leaderOf: pid)
        let event: ConnectorEvent =
            switch kind {
            case .fork: .fork(parent: ConnectorTask(leaderOf: ProcessID(1)), child: task)
            case .exec: .exec(task)
            case .exit: .exit(task, code: 0, signal: 17, parent: nil)
            }
        var bytes: [UInt8] = []
        // The next number of its processor: what would be believed if the sender were not looked at.
        let message = ConnectorMessage(
            processor: 0, sequence: kernel.nextSequences[0], acknowledgement: 0, timestamp: kernel.now,
            event: event)
        message.append(to: &bytes)
        return kernel.forge(bytes, senderPort: port)
    }
}

extension Execution {
    fileprivate var program: ExecutableProgram {
        guard isMemoryFile else { return .file(executable) }
        // The name given to memfd_create(2) is the last component.
        return .memory(Array(executable.split(separator: UInt8(ascii: "/")).last ?? executable[...]))
    }
}

extension WhenAction {
    /// Whether the line starts, stops or asks the collector, instead of changing the world.
    var isAboutCollector: Bool {
        switch self {
        case .start, .stop, .account, .restart: true
        default: false
        }
    }

    /// The probe that the action hits by being carried out.
    fileprivate var probe: String? {
        switch self {
        case .thread(.exec): "exec-by-thread"
        case .thread(.leaderExits): "zombie-leader"
        case .forge: "forged-sender"
        case .stepRealtime: "clock-stepped"
        case .suspend: "suspended"
        case .hide: "hidden-process"
        default: nil
        }
    }
}
