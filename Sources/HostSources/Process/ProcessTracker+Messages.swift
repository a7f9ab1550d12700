import CollectorCore
import EventModel
import KernelFormats

extension ProcessTracker {
    /// Handles one message: exactly one event, or one count of ``FilterCounts``.
    mutating func handle(_ message: ConnectorMessage, at index: Int, reading: ProcessReading?) {
        switch message.event {
        case .fork(let parent, let child):
            forkCount += 1
            turns.note(child.tid, usedCount: table.count)
            guard child.isLeader else { return startThread(of: child.tgid, by: message) }
            fork(parent: parent.tgid, child: child.tgid, by: message)
        case .exec(let task):
            exec(task.tgid, by: message, reading: reading)
        case .exit(let task, let code, _, _):
            guard task.isLeader else { return endThread(of: task.tgid, code: code, by: message) }
            exit(task.tgid, code: code, at: index, by: message)
        case .uid(let task, let real, let effective):
            guard task.isLeader else { return filtered.thread += 1 }
            setUID(task.tgid, real: real, effective: effective, by: message)
        case .gid(let task, _, let effective):
            guard task.isLeader else { return filtered.thread += 1 }
            let process = incarnationOrSeen(of: task.tgid, by: message)
            process.event.gid = effective
            process.event.provenance.gid = .kernelMessage
            emit(.processSetID, process, by: message) { $0.modifiedFields = [.gid] }
        case .session(let task):
            guard task.isLeader else { return filtered.thread += 1 }
            let process = incarnationOrSeen(of: task.tgid, by: message)
            process.event.session = task.tgid
            process.event.provenance.session = .kernelMessage
            emit(.processSession, process, by: message)
        case .ptrace(let task, let tracer):
            guard task.isLeader else { return filtered.thread += 1 }
            let process = incarnationOrSeen(of: task.tgid, by: message)
            process.event.tracer = tracer.isNone ? nil : tracer.tgid
            emit(.processPtrace, process, by: message)
        case .comm(let task, let name):
            #if MUTANTS
                if Mutation.ownEvents.isActive, task.tgid == ownProcessID {
                    return rename(task.tgid, to: name, by: message)
                }
            #endif
            guard task.isLeader else { return countThread(of: task.tgid) }
            rename(task.tgid, to: name, by: message)
        case .coredump(let task, _):
            // The kernel names the thread that dumps; the dump is the process's.
            emit(.processCoredump, incarnationOrSeen(of: task.tgid, by: message), by: message)
        case .acknowledgement:
            filtered.acknowledgement += 1
        case .unknown:
            filtered.unknown += 1
        }
    }

    // MARK: - Processes

    private mutating func fork(parent: ProcessID, child: ProcessID, by message: ConnectorMessage) {
        // A child has nothing from somebody who may be another one by now.
        let parentProcess = table[parent.rawValue].flatMap { isInDoubt($0) ? nil : $0 }
        if let known = table[child.rawValue] {
            if known.isBirthUntold, let scannedAt = known.scannedAt, message.timestamp <= scannedAt {
                // A scan was faster than this message: it tells how the process that the scan published began.
                known.isBirthUntold = false
                adoptParent(parentProcess, of: known)
                return emit(.processFork, known, by: message)
            }
            infer(endOf: known, at: message.timestamp)
        }
        let process = makeChild(of: parentProcess, parentPID: parent, pid: child, by: message)
        process.birthTurn = forkCount
        insert(process)
        lateReads.append(process.event.identity, due: message.timestamp.advanced(by: settings.lateReadDelay))
        emit(.processFork, process, by: message)
    }

    private func makeChild(
        of parent: TrackedProcess?, parentPID: ProcessID, pid: ProcessID, by message: ConnectorMessage
    ) -> TrackedProcess {
        #if MUTANTS
            let birth: ProcessBirth =
                Mutation.pidOnlyIdentity.isActive
                ? .scan(startTicks: 0, pidFDInode: 0)
                : .fork(
                    processor: message.processor, sequence: message.sequence, timestamp: message.timestamp)
        #else
            let birth = ProcessBirth.fork(
                processor: message.processor, sequence: message.sequence, timestamp: message.timestamp)
        #endif
        var event = ProcessEvent(identity: ProcessIdentity(pid: pid, birth: birth))
        let startTicks = ticks(at: message.timestamp)
        event.ppid = parentPID
        event.provenance.ppid = .kernelMessage
        if startTicks > 0 {
            event.startTime = wallTime(at: message.timestamp)
            event.provenance.startTime = .kernelMessage
        }
        guard let parent else {
            event.provenance.setInheritable(.unknown(.gap))
            return TrackedProcess(event: event, escaped: [], startTicks: startTicks, isStartTicksExact: false)
        }
        inherit(from: parent.event, into: &event)
        event.ancestors = parent.ancestorsOfChildren
        let child = TrackedProcess(
            event: event, escaped: parent.escaped, startTicks: startTicks, isStartTicksExact: false)
        child.parentPath = parent.event.executablePath
        if settings.rules.treatChildrenAlike { child.decision = parent.decision }
        return child
    }

    private func inherit(from parent: borrowing ProcessEvent, into event: inout ProcessEvent) {
        event.name = parent.name
        event.executablePath = parent.executablePath
        event.executableExists = parent.executableExists
        event.commandLine = parent.commandLine
        event.isCommandLineTruncated = parent.isCommandLineTruncated
        event.redactedCount = parent.redactedCount
        event.uid = parent.uid
        event.gid = parent.gid
        event.realUID = parent.realUID
        event.session = parent.session
        event.cgroup = parent.cgroup
        event.container = parent.container
        event.pidNamespace = parent.pidNamespace
        event.isKernelThread = parent.isKernelThread
        event.isAccessible = parent.isAccessible
        #if MUTANTS
            if Mutation.parentOfParent.isActive { event.ppid = parent.ppid }
            if Mutation.userNotInherited.isActive { event.uid = nil }
        #endif
        event.parent = parent.identity
        event.provenance.inherit(from: parent.provenance)
    }

    private func adoptParent(_ parent: TrackedProcess?, of process: TrackedProcess) {
        guard let parent, process.event.parent == nil else { return }
        process.adopt(by: parent)
    }

    private mutating func exec(_ pid: ProcessID, by message: ConnectorMessage, reading: ProcessReading?) {
        let process = incarnationOrSeen(of: pid, by: message)
        // Exec by another thread ends the leader first; the process lives on with one thread.
        sometimes(.execByThread, when: process.leaderExitCode != nil)
        endOtherThreads(of: process, by: message)
        process.event.isZombie = false
        process.event.isKernelThread = false
        applyExec(reading, to: process)
        noteStranger(reading, under: process)
        if process.event.cpid == nil { process.event.provenance.cpid = .unknown(.notReadYet) }
        if let reading { lookAgainIfFailed(reading, at: process) }
        emit(.processExec, process, by: message)
        if decision(on: process) == .admitted {
            for suspicion in SuspicionRules.ofExecution(process.event, settings: settings) {
                conclude(.processSuspicious, .derived, process, at: message.timestamp) {
                    $0.suspicion = suspicion
                }
            }
        }
        Self.trimCommandLine(of: process)
    }

    /// Behind a loss, whoever is found under the pid of a process that executes may be the one who does.
    private func noteStranger(_ reading: ProcessReading?, under process: TrackedProcess) {
        guard turns.isInDoubt, process.lossEpoch < lossEpoch, process.doubtedSince == nil, let reading,
            reading.failure == nil, reading.stat != nil, !isOf(reading, process)
        else { return }
        sometimes(.reuseBehindLoss)
        process.doubtedSince = doubtBegan
    }

    private func endOtherThreads(of process: TrackedProcess, by message: ConnectorMessage) {
        // A scan has counted the threads that began after this exec.
        guard !process.isScanned(since: message) else { return }
        process.leaderExitCode = nil
        #if MUTANTS
            if Mutation.threadsSurviveExec.isActive { return }
        #endif
        process.otherThreadCount = 0
        process.mayHaveMoreThreads = false
    }

    private mutating func exit(_ pid: ProcessID, code: UInt32, at index: Int, by message: ConnectorMessage) {
        let isKnown = table[pid.rawValue] != nil
        let process = incarnationOrSeen(of: pid, by: message)
        #if MUTANTS
            if Mutation.leaderExitIsDeath.isActive { return end(process, code: code, by: message) }
        #endif
        if isKnown, process.isScanned(since: message), !process.wasDeadWhenScanned {
            guard !exitsBeforeExec.contains(index) else { return filtered.thread += 1 }
            return endPredecessor(of: process, code: code, by: message)
        }
        let mayLiveOn =
            process.otherThreadCount > 0 || (isKnown && process.mayHaveMoreThreads)
            || (isUncertain && exitsBeforeExec.contains(index))
        guard !mayLiveOn else {
            sometimes(.leaderExitedFirst)
            process.leaderExitCode = code
            lateReads.append(
                process.event.identity, due: clocks.monotonic.advanced(by: settings.lateReadDelay))
            return filtered.thread += 1
        }
        end(process, code: code, by: message)
    }

    /// The leader of a process ended that a scan has seen later, and not dead: another thread has taken its place, or lives on
    /// without it, or another process has its pid, whose birth was lost.
    private mutating func endPredecessor(
        of process: TrackedProcess, code: UInt32, by message: ConnectorMessage
    ) {
        let ticks = ticks(at: message.timestamp)
        guard process.leaderExitCode == nil, process.isBirthUntold, process.isStartTicksExact,
            process.startTicks >= ticks, turns.isInDoubt
        else { return filtered.thread += 1 }
        sometimes(.reuseFoundByScan)
        var event = ProcessEvent(
            identity: ProcessIdentity(
                pid: process.event.pid,
                birth: .seen(
                    processor: message.processor, sequence: message.sequence, timestamp: message.timestamp)))
        event.provenance.setInheritable(.unknown(.gap))
        event.isAmbiguous = process.startTicks == ticks
        let predecessor = TrackedProcess(event: event, escaped: [], startTicks: 0, isStartTicksExact: false)
        predecessor.lossEpoch = lossEpoch
        emit(.processExit, predecessor, by: message) { $0.exit = ProcessExit(code: code) }
    }

    private mutating func end(_ process: TrackedProcess, code: UInt32, by message: ConnectorMessage) {
        remove(process)
        emit(.processExit, process, by: message) { $0.exit = ProcessExit(code: code) }
    }

    /// Ends a process whose EXIT message never came.
    mutating func infer(endOf process: TrackedProcess, at timestamp: Instant) {
        sometimes(.endInferred)
        remove(process)
        conclude(.processExit, .resync, process, at: timestamp) { $0.exit = .inferred }
    }

    // MARK: - Threads

    private mutating func countThread(of tgid: ProcessID) {
        #if MUTANTS
            if Mutation.threadUncounted.isActive { return }
        #endif
        if tgid == ownProcessID { filtered.own += 1 } else { filtered.thread += 1 }
    }

    private mutating func startThread(of tgid: ProcessID, by message: ConnectorMessage) {
        countThread(of: tgid)
        guard let process = table[tgid.rawValue], !process.isScanned(since: message) else { return }
        process.otherThreadCount += 1
    }

    private mutating func endThread(of tgid: ProcessID, code: UInt32, by message: ConnectorMessage) {
        guard tgid != ownProcessID else { return filtered.own += 1 }
        guard let process = table[tgid.rawValue], !process.isScanned(since: message) else {
            return filtered.thread += 1
        }
        process.otherThreadCount = max(0, process.otherThreadCount - 1)
        #if MUTANTS
            if Mutation.lastThreadForgotten.isActive { return filtered.thread += 1 }
        #endif
        let isLast = process.otherThreadCount == 0 && !process.mayHaveMoreThreads
        guard isLast, let leaderCode = process.leaderExitCode else {
            return filtered.thread += 1
        }
        sometimes(.lastThreadEnded)
        end(process, code: code == 0 ? leaderCode : code, by: message)
    }

    // MARK: - Attributes

    private mutating func setUID(
        _ pid: ProcessID, real: UserID, effective: UserID, by message: ConnectorMessage
    ) {
        let process = incarnationOrSeen(of: pid, by: message)
        let wasUnprivileged = process.event.uid.map { $0 != UserID(0) } ?? false
        process.event.uid = effective
        process.event.realUID = real
        process.event.provenance.uid = .kernelMessage
        emit(.processSetID, process, by: message) { $0.modifiedFields = [.uid] }
        if wasUnprivileged, effective == UserID(0) {
            conclude(.processSuspicious, .derived, process, at: message.timestamp) {
                $0.suspicion = Suspicion(reason: .becameRoot, severity: .medium)
            }
        }
    }

    private mutating func rename(_ pid: ProcessID, to comm: TaskComm, by message: ConnectorMessage) {
        let process = incarnationOrSeen(of: pid, by: message)
        let (name, isEscaped) = KernelText.decode(comm.bytes)
        process.event.name = name
        process.event.provenance.name = .kernelMessage
        process.setEscaped("name", isEscaped)
        emit(.processComm, process, by: message)
        if let suspicion = SuspicionRules.ofName(process.event) {
            conclude(.processSuspicious, .derived, process, at: message.timestamp) {
                $0.suspicion = suspicion
            }
        }
    }
}
