import EventModel
import KernelFormats

extension World {
    func exec(_ pid: ProcessID, _ request: ExecRequest) -> Bool {
        guard let process = process(pid), process.isAlive, !process.isKernelThread else { return false }
        settle(process)
        // With the first thread gone, whichever executes is another one.
        if process.isLeaderDead {
            guard let tid = process.threads.last?.tid else { return false }
            return execFromThread(tid, request)
        }
        for thread in process.threads.dropFirst().map(\.tid) { endThread(thread, of: process, code: 0) }
        begin(request, of: process)
        return true
    }

    func execFromThread(_ tid: ProcessID, _ request: ExecRequest) -> Bool {
        guard let process = process(ofThread: tid), process.isAlive else { return false }
        guard tid != process.pid else { return exec(tid, request) }
        settle(process)
        guard let caller = process.threadIndex(tid) else { return false }
        let callingThread = process.threads[caller]
        for thread in process.threads.dropFirst().map(\.tid) where thread != tid {
            endThread(thread, of: process, code: 0)
        }
        if !process.isLeaderDead {
            process.threads[0].hasExited = true
            emitExit(of: process, tid: process.pid, code: 0, on: process.threads[0].processor)
        }
        // `de_thread`: the caller takes the first thread's place and id; its own id ends without a message.
        process.threads = [
            ThreadState(tid: process.pid, comm: callingThread.comm, processor: callingThread.processor)
        ]
        threadOwners[tid] = nil
        pids.release(tid)
        truth.note(process, at: now, .threadCount(1))
        begin(request, of: process)
        return true
    }

    /// Puts the program in place and plans the further steps (`begin_new_exec`, `fs/exec.c`).
    private func begin(_ request: ExecRequest, of process: ProcessState) {
        let program = request.program
        // An empty vector becomes one empty argument since 5.18.
        let emptyVector: [[UInt8]] = configuration.kernel >= KernelVersion(major: 5, minor: 18) ? [[]] : []
        let argv = request.argv.map { $0.isEmpty ? emptyVector : $0 } ?? [program.path]
        let memory = AddressSpace(
            program: files.file(for: program), argv: argv, environmentOf: process.memory)
        memory.areArgumentsVisible = false
        process.memory?.isGone = true
        process.memory = memory
        process.isDumpable =
            process.realUID == request.setUserID ?? process.effectiveUID
            && process.realGID == process.effectiveGID
        traceWorld(3, process.pid)
        let duration = request.duration?.wholeNanoseconds ?? drawExecDuration()
        let serial = makeExecSerial()
        process.execInProgress = ExecProgress(
            serial: serial, request: request, memory: memory,
            comm: Array(
                (request.comm ?? program.defaultComm(on: configuration.kernel)).prefix(Limits.commByteCount)),
            step: 1)
        truth.noteProgram(process, at: now)
        guard duration > 0 else { return settle(process) }
        let pid = process.pid
        for (step, share) in [(2, 1), (3, 2), (4, 3)] as [(Int, Int64)] {
            let time = now.advanced(by: .nanoseconds(duration / 3 * share + duration % 3 * (share / 3)))
            pump.scheduleWorldEvent(at: time) { [self] in
                guard let process = self.process(pid), process.execInProgress?.serial == serial else {
                    return
                }
                advanceExec(of: process, to: step)
            }
        }
    }

    /// Finishes an `execve(2)` that is in progress, because something else happens to the process.
    func settle(_ process: ProcessState) {
        while let progress = process.execInProgress { advanceExec(of: process, to: progress.step + 1) }
    }

    private func advanceExec(of process: ProcessState, to step: Int) {
        guard var progress = process.execInProgress, progress.step < step else { return }
        progress.step = step
        process.execInProgress = progress
        switch step {
        case 2:
            process.threads[0].comm = progress.comm
            truth.note(process, at: now, .comm(progress.comm))
        case 3:
            progress.memory.areArgumentsVisible = true
            truth.note(process, at: now, .commandLine(Array(progress.memory.commandLine)))
        default:
            process.execInProgress = nil
            migrate(process)
            let processor = process.threads[runningThread(of: process)].processor
            if let owner = progress.request.setUserID, owner != process.effectiveUID {
                process.effectiveUID = owner
                truth.note(process, at: now, .uid(real: process.realUID, effective: owner))
                connector.emit(
                    .uid(process.leaderTask, real: process.realUID, effective: owner), by: process,
                    on: processor, in: self)
            }
            connector.emit(.exec(process.leaderTask), by: process, on: processor, in: self)
        }
    }
}
