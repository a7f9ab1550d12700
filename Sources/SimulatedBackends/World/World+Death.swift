import EventModel
import KernelFormats

extension World {
    func exit(_ pid: ProcessID, _ status: ExitStatus) -> Bool {
        // Without init there is no host, and the collector that runs cannot be dead.
        guard let process = process(pid), process.isAlive, pid.rawValue != 1, pid != ownProcessID else {
            return false
        }
        settle(process)
        end(process, code: status.code)
        return true
    }

    /// `do_group_exit`: every thread ends, in any order.
    func end(_ process: ProcessState, code: UInt32) {
        let others = process.threads.dropFirst().map(\.tid)
        // Whoever calls exit_group(2) is mostly first to end, and that is mostly the first thread.
        let isLeaderFirst = others.isEmpty || generator.below(4) != 0
        if isLeaderFirst { endLeader(of: process, code: code) }
        for thread in others { endThread(thread, of: process, code: code) }
        if !isLeaderFirst { endLeader(of: process, code: code) }
        becomeZombie(process, code: code)
    }

    private func endLeader(of process: ProcessState, code: UInt32) {
        guard !process.isLeaderDead else { return }
        process.threads[0].hasExited = true
        emitExit(of: process, tid: process.pid, code: code, on: process.threads[0].processor)
    }

    func coredump(_ pid: ProcessID, signal: UInt8, core: CoreFile) -> Bool {
        guard let process = process(pid), process.isAlive, pid.rawValue != 1, pid != ownProcessID,
            !process.isKernelThread
        else { return false }
        settle(process)
        let thread = process.threads[runningThread(of: process)]
        connector.emit(
            .coredump(process.task(thread.tid), parent: parentTask(of: process)), by: process,
            on: thread.processor, in: self)
        end(process, code: ExitStatus.signaled(signal, isCoreDumped: core == .written).code)
        return true
    }

    func exitThread(_ tid: ProcessID, status: ExitStatus) -> Bool {
        guard let process = process(ofThread: tid), process.isAlive, let index = process.threadIndex(tid),
            !process.threads[index].hasExited, process.pid != ownProcessID, process.pid.rawValue != 1
        else { return false }
        settle(process)
        let isLast = process.threads.count { !$0.hasExited } == 1
        if isLast {
            // What the parent learns is the status of the last thread, whichever that is.
            end(process, code: status.code)
        } else if index == 0 {
            process.threads[0].hasExited = true
            traceWorld(4, tid)
            emitExit(of: process, tid: tid, code: status.code, on: process.threads[0].processor)
        } else {
            endThread(tid, of: process, code: status.code)
        }
        return true
    }

    /// A thread that is not the first leaves nothing behind.
    func endThread(_ tid: ProcessID, of process: ProcessState, code: UInt32) {
        guard let index = process.threadIndex(tid), index > 0 else { return }
        let processor = process.threads[index].processor
        process.threads.remove(at: index)
        threadOwners[tid] = nil
        pids.release(tid)
        traceWorld(4, tid)
        emitExit(of: process, tid: tid, code: code, on: processor)
        truth.note(process, at: now, .threadCount(process.threads.count))
    }

    /// EXIT: the first thread signals the parent (SIGCHLD); the others signal nobody and are unhashed before the message
    /// is made, so that it names no parent (measured on Linux 6.18).
    func emitExit(of process: ProcessState, tid: ProcessID, code: UInt32, on processor: UInt32) {
        let isLeader = tid == process.pid
        let event = ConnectorEvent.exit(
            process.task(tid), code: code, signal: isLeader ? 17 : -1,
            parent: isLeader ? parentTask(of: process) : nil)
        connector.emit(event, by: process, on: processor, in: self)
    }

    private func becomeZombie(_ process: ProcessState, code: UInt32) {
        sockets.closeEnds(of: process.pid)
        process.isZombie = true
        process.exitCode = code
        process.memory?.isGone = true
        process.memory = nil
        process.virtualByteCount = 0
        process.residentPageCount = 0
        process.tracer = nil
        traceWorld(5, process.pid)
        truth.note(process, at: now, .ended(code: code))
        let heir = findHeir(of: process)
        for child in process.childCount == 0 ? [] : processesInOrder where child.ppid == process.pid {
            adopt(child, by: heir)
            truth.note(child, at: now, .parent(heir))
            if child.isZombie { leaveToInit(child) }
        }
        if process.traceeCount > 0 {
            for tracee in processesInOrder where tracee.tracer == process.pid { tracee.tracer = nil }
        }
        leaveToInit(process)
    }

    /// `find_new_reaper`: the nearest ancestor that asked for orphans, else init.
    private func findHeir(of process: ProcessState) -> ProcessID {
        var ancestor = self.process(process.ppid)
        // A chain of parents is at most as long as there are processes.
        for _ in 0..<listedPIDs.count {
            guard let candidate = ancestor, candidate.pid.rawValue > 1 else { break }
            if candidate.isSubreaper, candidate.isAlive { return candidate.pid }
            ancestor = self.process(candidate.ppid)
        }
        return ProcessID(1)
    }

    private func adopt(_ child: ProcessState, by heir: ProcessID) {
        process(child.ppid)?.childCount -= 1
        process(heir)?.childCount += 1
        child.ppid = heir
        child.parentThread = heir
    }

    /// init waits for its children all the time, kthreadd never lets one become a zombie.
    private func leaveToInit(_ process: ProcessState) {
        guard process.ppid.rawValue <= 2 else { return }
        let incarnation = process.incarnation
        let pid = process.pid
        pump.scheduleWorldEvent(at: now.advanced(by: configuration.initReapDelay)) { [self] in
            guard let zombie = self.process(pid), zombie.incarnation == incarnation else { return }
            _ = reap(pid)
        }
    }

    func reap(_ pid: ProcessID) -> Bool {
        guard let process = process(pid), process.isZombie else { return false }
        process.isReaped = true
        remove(process)
        self.process(process.ppid)?.childCount -= 1
        pids.release(pid)
        stampFloors[pid] = process.stampFloor
        if let parent = self.process(process.ppid) {
            parent.stampFloor = max(parent.stampFloor, process.stampFloor)
        }
        traceWorld(6, pid)
        truth.note(process, at: now, .reaped)
        return true
    }

    func setSubreaper(_ pid: ProcessID) -> Bool { change(pid) { $0.isSubreaper = true } }

    /// The collector ends and init starts it again: another pid, no sockets, no handles.
    func restartCollector() -> ProcessID? {
        for socket in connector.sockets { connector.close(socket) }
        let old = ownProcessID
        guard let process = process(old) else { return nil }
        ownProcessID = ProcessID(0)
        end(process, code: 0)
        _ = reap(old)
        handles.closeAll()
        fileSystem.closeAllOfCollector()
        sockets.closeAllOfCollector()
        guard let pid = fork(parent: ProcessID(1), as: nil, startTicks: nil, namespace: .inherited) else {
            return nil
        }
        ownProcessID = pid
        let request = ExecRequest(
            program: .file("/usr/sbin/collectord"), argv: nil, comm: nil, duration: .zero, setUserID: nil)
        _ = exec(pid, request)
        _ = setUserID(pid, real: configuration.ownUserID, effective: configuration.ownUserID)
        ownThreadID = createThread(in: pid, as: nil) ?? pid
        return pid
    }
}
