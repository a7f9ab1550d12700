import EventModel
import KernelFormats

extension World {
    /// Changes a living process without any message.
    func change(_ pid: ProcessID, _ body: (ProcessState) -> Void) -> Bool {
        guard let process = process(pid), process.isAlive else { return false }
        settle(process)
        body(process)
        traceWorld(7, pid)
        return true
    }

    func setCgroup(_ pid: ProcessID, _ path: [UInt8]) -> Bool {
        change(pid) { process in
            process.cgroup = path
            truth.note(process, at: now, .cgroup(path))
        }
    }

    func setTitle(_ pid: ProcessID, _ title: [UInt8]) -> Bool {
        guard process(pid)?.memory != nil else { return false }
        return change(pid) { process in
            process.memory?.overwrite(with: title)
            truth.note(process, at: now, .commandLine(Array(process.memory?.commandLine ?? [])))
        }
    }

    func unlink(_ path: [UInt8]) -> Bool {
        guard let file = files.unlink(path) else { return false }
        for process in processesInOrder where process.memory?.program === file {
            truth.noteProgram(process, at: now)
        }
        return true
    }

    func setUserID(_ tid: ProcessID, real: UserID, effective: UserID) -> Bool {
        guard let (process, index) = settledThread(tid) else { return false }
        guard process.realUID != real || process.effectiveUID != effective else { return true }
        let task = process.task(tid)
        let processor = process.threads[index].processor
        // Credentials belong to threads, and `/proc/PID` shows those of the first.
        if index == 0 {
            if process.effectiveUID != effective { process.isDumpable = false }
            process.realUID = real
            process.effectiveUID = effective
            truth.note(process, at: now, .uid(real: real, effective: effective))
        }
        traceWorld(7, tid)
        connector.emit(.uid(task, real: real, effective: effective), by: process, on: processor, in: self)
        return true
    }

    func setGroupID(_ tid: ProcessID, real: GroupID, effective: GroupID) -> Bool {
        guard let (process, index) = settledThread(tid) else { return false }
        guard process.realGID != real || process.effectiveGID != effective else { return true }
        let task = process.task(tid)
        let processor = process.threads[index].processor
        if index == 0 {
            if process.effectiveGID != effective { process.isDumpable = false }
            process.realGID = real
            process.effectiveGID = effective
            truth.note(process, at: now, .gid(real: real, effective: effective))
        }
        traceWorld(7, tid)
        connector.emit(.gid(task, real: real, effective: effective), by: process, on: processor, in: self)
        return true
    }

    /// A thread that has not ended, of a process that is not in the middle of an `execve(2)`.
    private func settledThread(_ tid: ProcessID) -> (process: ProcessState, index: Int)? {
        guard let process = process(ofThread: tid), process.isAlive else { return nil }
        settle(process)
        guard let index = process.threadIndex(tid), !process.threads[index].hasExited else { return nil }
        return (process, index)
    }

    func setSession(_ pid: ProcessID) -> Bool {
        guard let process = process(pid), process.isAlive, process.processGroup != pid else { return false }
        return change(pid) { process in
            process.session = pid
            process.processGroup = pid
            truth.note(process, at: now, .session(pid))
            connector.emit(
                .session(process.leaderTask), by: process,
                on: process.threads[runningThread(of: process)].processor, in: self)
        }
    }

    func setComm(_ tid: ProcessID, _ comm: [UInt8]) -> Bool {
        guard let (process, index) = settledThread(tid) else { return false }
        setComm(of: process, thread: index, comm, on: process.threads[index].processor)
        return true
    }

    func setComm(of process: ProcessState, thread index: Int, _ comm: [UInt8], on processor: UInt32) {
        let name = Array(comm.prefix { $0 != 0 }.prefix(Limits.commByteCount))
        process.threads[index].comm = name
        if index == 0 { truth.note(process, at: now, .comm(name)) }
        traceWorld(8, process.threads[index].tid)
        connector.emit(
            .comm(process.task(process.threads[index].tid), name: TaskComm(name)), by: process, on: processor,
            in: self)
    }

    func ptrace(_ pid: ProcessID, by tracer: ProcessID?) -> Bool {
        guard let process = process(pid), process.isAlive, !process.isKernelThread else { return false }
        if let tracer {
            guard process.tracer == nil, tracer != pid, isAlive(tracer) else { return false }
        } else {
            guard process.tracer != nil else { return false }
        }
        return change(pid) { process in
            process.tracer = tracer
            // Never decreased: it only says whether a tracer's end needs a search.
            if let tracer { self.process(tracer)?.traceeCount += 1 }
            truth.note(process, at: now, .tracer(tracer))
            let task = tracer.map { ConnectorTask(leaderOf: $0) } ?? ConnectorTask(leaderOf: ProcessID(0))
            connector.emit(
                .ptrace(process.leaderTask, tracer: task), by: process,
                on: process.threads[runningThread(of: process)].processor, in: self)
        }
    }
}
