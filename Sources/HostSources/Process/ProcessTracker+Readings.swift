import CollectorCore
import Digests
package import EventModel
import KernelFormats

extension ProcessTracker {
    // MARK: - At exec

    /// Gives a process what was read after its EXEC message; without a reading, what it had before is void.
    func applyExec(_ reading: ProcessReading?, to process: TrackedProcess) {
        process.event.executableHash = nil
        process.event.hashAlgorithm = nil
        guard let reading else { return forgetImage(of: process, .vanished) }
        if let reason = reading.failure ?? (isOf(reading, process) ? nil : .reused) {
            sometimes(.readingVanished, when: reason == .vanished)
            return forgetImage(of: process, reason)
        }
        applyStat(reading, to: process)
        applyName(reading, to: process)
        applyExecutable(reading, to: process)
        applyCommandLine(reading, to: process)
    }

    private func forgetImage(of process: TrackedProcess, _ reason: UnknownReason) {
        process.event.name = nil
        process.event.executablePath = nil
        process.event.executableExists = nil
        process.event.commandLine = []
        process.event.isCommandLineTruncated = false
        process.event.redactedCount = 0
        process.escaped.removeAll { $0 == "name" || $0 == "exe" || $0.hasPrefix("cmdline[") }
        process.event.provenance.name = .unknown(reason)
        process.event.provenance.exe = .unknown(reason)
        process.event.provenance.cmdline = .unknown(reason)
        if reason == .denied { process.event.isAccessible = false }
    }

    /// Whether a reading is of this incarnation, by the start time.
    func isOf(_ reading: ProcessReading, _ process: TrackedProcess) -> Bool {
        guard let stat = reading.stat else { return false }
        #if MUTANTS
            if Mutation.startTimeIgnored.isActive { return true }
        #endif
        if reading.pidFDInode != 0, process.pidFDInode != 0 {
            sometimes(
                .inodeToldApart,
                when: reading.pidFDInode != process.pidFDInode && stat.startTicks == process.startTicks)
            return reading.pidFDInode == process.pidFDInode
        }
        if process.startTicks == 0 { return true }
        if process.isStartTicksExact { return stat.startTicks == process.startTicks }
        let difference = Int64(clamping: stat.startTicks) - Int64(clamping: process.startTicks)
        return abs(difference) <= 1
    }

    // MARK: - Fields

    func applyStat(_ reading: ProcessReading, to process: TrackedProcess) {
        guard let stat = reading.stat else { return }
        process.startTicks = stat.startTicks
        process.isStartTicksExact = true
        process.event.startTicks = stat.startTicks
        if process.event.startTime == nil { process.event.startTime = wallTime(ofTicks: stat.startTicks) }
        if process.event.provenance.startTime != .kernelMessage {
            process.event.provenance.startTime = reading.evidence
        }
        // What is known from before is truer than what a task says that is just being released.
        if !stat.isBeingReaped {
            process.event.ppid = stat.ppid
            process.event.provenance.ppid = reading.evidence
            process.event.session = stat.session
            process.event.provenance.session = reading.evidence
        }
        let memory = stat.rssPageCount.multipliedReportingOverflow(by: settings.pageByteCount)
        process.event.memoryUsage = memory.overflow ? .max : memory.partialValue
        process.event.provenance.memory = reading.evidence
        process.event.isKernelThread = stat.isKernelThread
        process.event.isZombie = stat.state == .zombie
        if reading.pidFDInode != 0 { process.pidFDInode = reading.pidFDInode }
        applyProcessorTime(stat, at: reading.aliveAt, to: process)
    }

    /// CPU use over the time since the last look, of one CPU in percent.
    private func applyProcessorTime(_ stat: ProcessStat, at instant: Instant, to process: TrackedProcess) {
        let ticks = stat.utime &+ stat.stime
        defer { process.cpuTicks = (ticks, instant) }
        guard let last = process.cpuTicks, ticks >= last.ticks else { return }
        let elapsed = instant.nanoseconds.subtractingClamped(last.at.nanoseconds)
        // Within a tick or two the quotient says more about the tick than about the process.
        guard elapsed >= 50_000_000 else { return }
        let used = Double(ticks - last.ticks) * 1e9 / Double(settings.clockTicksPerSecond)
        process.event.cpuUsage = 100 * used / Double(elapsed)
    }

    func applyName(_ reading: ProcessReading, to process: TrackedProcess) {
        guard let stat = reading.stat else { return }
        let (name, isEscaped) = KernelText.decode(stat.comm)
        process.event.name = name
        process.setEscaped("name", isEscaped)
        process.event.provenance.name = reading.isNameLate ? .lateRead : reading.evidence
    }

    func applyExecutable(_ reading: ProcessReading, to process: TrackedProcess) {
        switch reading.exe {
        case .absent: return
        case .unknown(let reason):
            process.event.executablePath = nil
            process.event.executableExists = nil
            process.setEscaped("exe", false)
            // Kernel threads have no executable: that is knowledge, not ignorance.
            process.event.provenance.exe = process.event.isKernelThread ? reading.evidence : .unknown(reason)
            if reason == .denied { process.event.isAccessible = false }
        case .value(let link):
            let isUnlinked = reading.executableLinkCount == 0
            let (path, isEscaped) = KernelText.decode(isUnlinked ? link.path : link.target[...])
            process.event.executablePath = path
            // A link that says "(deleted)" and could not be followed any more proves nothing.
            process.event.executableExists =
                link.isMarkedDeleted && reading.executableLinkCount == nil ? nil : !isUnlinked
            process.setEscaped("exe", isEscaped)
            process.event.provenance.exe = reading.evidence
            process.event.isAccessible = true
        }
    }

    func applyCommandLine(_ reading: ProcessReading, to process: TrackedProcess) {
        switch reading.commandLine {
        case .absent: return
        case .unknown(let reason):
            process.event.commandLine = []
            process.event.isCommandLineTruncated = false
            process.event.redactedCount = 0
            process.event.provenance.cmdline = .unknown(reason)
        case .value(let commandLine):
            setCommandLine(commandLine, of: process)
            let lostItsMemory = reading.stat.map { !$0.isKernelThread && $0.vsize == 0 } ?? true
            let isVoid = commandLine.arguments.isEmpty && (lostItsMemory || reading.mayHaveEnded)
            process.event.provenance.cmdline = isVoid ? .unknown(.vanished) : reading.evidence
        }
    }

    private func setCommandLine(_ commandLine: CommandLineFile, of process: TrackedProcess) {
        var arguments: [String] = []
        arguments.reserveCapacity(commandLine.arguments.count)
        process.escaped.removeAll { $0.hasPrefix("cmdline[") }
        for (index, bytes) in commandLine.argumentsWithoutPadding.enumerated() {
            let (text, isEscaped) = KernelText.decode(bytes)
            arguments.append(text)
            if isEscaped { process.escaped.append("cmdline[\(index)]") }
        }
        process.event.commandLine = arguments
        process.event.isCommandLineTruncated = commandLine.isTruncated
        process.event.redactedCount = commandLine.redactedCount
    }

    func applyNamespace(_ reading: ProcessReading, to process: TrackedProcess) {
        switch reading.pidNamespace {
        case .absent: return
        case .unknown(let reason):
            if process.event.provenance.pidNamespace != .verified {
                process.event.provenance.pidNamespace = .unknown(reason)
                process.event.pidNamespace = nil
                process.event.cpid = nil
                process.event.provenance.cpid = .unknown(reason)
            }
        case .value(let inode):
            process.event.pidNamespace = inode
            process.event.provenance.pidNamespace = reading.evidence
            identify(process, namespace: inode, reading: reading)
        }
    }

    /// Computes the common process id from what was read; absent rather than wrong.
    private func identify(_ process: TrackedProcess, namespace: UInt64, reading: ProcessReading) {
        guard process.event.cpid == nil else { return }
        guard process.isStartTicksExact else { return }
        let innermost: ProcessID
        if namespace == Self.initialPIDNamespace {
            innermost = process.event.pid
        } else if let tgid = reading.status.value?.namespaceTgids?.last {
            innermost = tgid
        } else {
            process.event.provenance.cpid = .absent
            return
        }
        process.event.cpid = CommonProcessIdentifier.make(
            bootID: bootID, pidNamespace: namespace, startTicks: process.startTicks, tgid: innermost)
        process.event.provenance.cpid = reading.evidence
    }

    /// `PROC_PID_INIT_INO` (`include/linux/proc_ns.h`).
    static var initialPIDNamespace: UInt64 { 0xEFFF_FFFC }

    func applyDear(_ reading: ProcessReading, to process: TrackedProcess) {
        if let status = reading.status.value {
            if let uid = status.uid {
                process.event.uid = uid.effective
                process.event.realUID = uid.real
                process.event.provenance.uid = reading.evidence
            }
            if let gid = status.gid {
                process.event.gid = gid.effective
                process.event.provenance.gid = reading.evidence
            }
            if let tracer = status.tracerPid { process.event.tracer = tracer.rawValue == 0 ? nil : tracer }
        } else if case .unknown(let reason) = reading.status, process.event.uid == nil {
            process.event.provenance.uid = .unknown(reason)
            process.event.provenance.gid = .unknown(reason)
        }
        if let file = reading.cgroup.value, let path = file.reportedPath {
            let (text, isEscaped) = KernelText.decode(path)
            // One path says what it said before: then the process goes on sharing what it shares with its parent.
            if file.memberships.count > 1 || process.event.cgroup != text || process.event.container == nil {
                let place = ContainerMembership(file)
                if process.event.container != place { process.event.container = place }
            }
            process.event.cgroup = text
            process.setEscaped("cgroup", isEscaped)
            process.event.provenance.cgroup = reading.evidence
        }
    }

    func applyEverything(_ reading: ProcessReading, to process: TrackedProcess) {
        applyStat(reading, to: process)
        // Without the arguments nobody can say whether it is the name of a program that is still being loaded.
        if reading.depth.contains(.image) { applyName(reading, to: process) }
        applyExecutable(reading, to: process)
        applyCommandLine(reading, to: process)
        applyDear(reading, to: process)
        applyNamespace(reading, to: process)
    }

    // MARK: - Later looks

    /// Takes a later look at a process into account, and says what has changed without a message.
    mutating func applyLate(_ reading: ProcessReading, to process: TrackedProcess, origin: EventOrigin) {
        guard let stat = reading.stat else { return }
        // What is dying shows empty files; what it was is known better from before.
        guard stat.state != .zombie, stat.isKernelThread || stat.vsize > 0 else {
            sometimes(.readingOfDying)
            process.event.isZombie = stat.state == .zombie
            return
        }
        let before = process.event
        applyEverything(reading.withoutUnknowns, to: process)
        defer { Self.trimCommandLine(of: process) }
        let changed = changedFields(from: before, to: process.event)
        guard !changed.isEmpty else { return }
        conclude(.processModified, origin, process, at: reading.aliveAt) { $0.modifiedFields = changed }
        // Programs become `[kworker/0]` and the like without exec and without a COMM message of their leader.
        if changed.contains(.cmdline) || changed.contains(.name),
            let suspicion = SuspicionRules.ofName(process.event),
            SuspicionRules.ofName(before) == nil
        {
            conclude(.processSuspicious, .derived, process, at: reading.aliveAt) { $0.suspicion = suspicion }
        }
    }

    private func changedFields(from before: ProcessEvent, to after: ProcessEvent) -> [ProcessField] {
        var fields: [ProcessField] = []
        if before.name != after.name, !isWorker(after) { fields.append(.name) }
        if before.executablePath != after.executablePath { fields.append(.exe) }
        if before.commandLine != after.commandLine, !isTrimmed(before, of: after) { fields.append(.cmdline) }
        if before.uid != after.uid { fields.append(.uid) }
        if before.gid != after.gid { fields.append(.gid) }
        if before.session != after.session { fields.append(.session) }
        if before.ppid != after.ppid { fields.append(.ppid) }
        if before.cgroup != after.cgroup { fields.append(.cgroup) }
        if before.pidNamespace != after.pidNamespace { fields.append(.pidNamespace) }
        return fields
    }

    /// Whether `/proc` shows, behind its name, what it does at the moment (`wq_worker_comm`, `kernel/workqueue.c`).
    private func isWorker(_ process: ProcessEvent) -> Bool {
        process.isKernelThread && process.name?.hasPrefix("kworker/") == true
    }

    /// Whether the only difference is that the table kept less of a long command line.
    private func isTrimmed(_ before: ProcessEvent, of after: ProcessEvent) -> Bool {
        before.isCommandLineTruncated && after.commandLine.starts(with: before.commandLine)
    }

    // MARK: - Scans

    /// Adds a process that a scan found and nobody announced.
    package mutating func adopt(_ reading: ProcessReading, origin: EventOrigin) {
        if let reason = reading.failure { return adoptUnread(reading, reason, origin: origin) }
        guard let stat = reading.stat else { return }
        let isDead = stat.state == .zombie && stat.threadCount <= 1
        // After a loss an unknown dead process is one whose end was reported; its parent is only slow to collect it.
        #if MUTANTS
            guard !isDead || origin == .baseline || Mutation.zombieReadopted.isActive else { return }
        #else
            guard !isDead || origin == .baseline else { return }
        #endif
        sometimes(.birthMissed, when: origin == .resync)
        let identity = ProcessIdentity(
            pid: reading.pid, birth: .scan(startTicks: stat.startTicks, pidFDInode: reading.pidFDInode))
        let process = TrackedProcess(
            event: ProcessEvent(identity: identity), escaped: [], startTicks: stat.startTicks,
            isStartTicksExact: true)
        process.noteThreads(stat, at: reading.aliveAt, epoch: lossEpoch)
        process.isBirthUntold = true
        sometimes(.zombieLeaderScanned, when: process.leaderExitCode != nil)
        applyEverything(reading, to: process)
        linkParent(of: process)
        // Its EXIT message is gone already, unless the scan was faster than the message.
        if !isDead || reading.mayHaveEnded { insert(process) } else { ended.insert(reading.pid.rawValue) }
        process.unread = []
        lookAgainIfFailed(reading, at: process)
        conclude(.processBaseline, origin, process, at: reading.aliveAt)
        let parentTicks = process.event.ppid.flatMap { table[$0.rawValue] }.flatMap {
            $0.isStartTicksExact ? $0.startTicks : nil
        }
        if let suspicion = SuspicionRules.ofStart(
            startTicks: stat.startTicks, nowTicks: ticks(at: clocks.monotonic), parentTicks: parentTicks)
        {
            conclude(.processSuspicious, .derived, process, at: reading.aliveAt) { $0.suspicion = suspicion }
        }
        Self.trimCommandLine(of: process)
    }

    /// Adds a process that is there but could not be read; a later look may fill in the rest.
    private mutating func adoptUnread(_ reading: ProcessReading, _ reason: UnknownReason, origin: EventOrigin)
    {
        guard reason != .vanished, reason != .reused, reason != .superseded else { return }
        let birth = ProcessBirth.scan(startTicks: 0, pidFDInode: reading.pidFDInode)
        var event = ProcessEvent(identity: ProcessIdentity(pid: reading.pid, birth: birth))
        event.isAccessible = reason != .denied
        event.isAmbiguous = reading.pidFDInode == 0
        event.provenance.setInheritable(.unknown(reason))
        let process = TrackedProcess(event: event, escaped: [], startTicks: 0, isStartTicksExact: false)
        process.mayHaveMoreThreads = true
        process.pidFDInode = reading.pidFDInode
        process.isBirthUntold = true
        process.scannedAt = clocks.monotonic
        insert(process)
        lateReads.append(process.event.identity, due: clocks.monotonic.advanced(by: settings.lateReadDelay))
        conclude(.processBaseline, origin, process, at: clocks.monotonic)
    }

    private func linkParent(of process: TrackedProcess) {
        guard process.event.parent == nil, let ppid = process.event.ppid, let parent = table[ppid.rawValue]
        else { return }
        process.adopt(by: parent)
    }

    /// Compares a scanned process with what was tracked, after messages were lost, and says the difference.
    package mutating func reconcile(_ reading: ProcessReading) {
        guard let process = table[reading.pid.rawValue] else { return adopt(reading, origin: .resync) }
        guard reading.failure == nil, let stat = reading.stat else {
            return lookAgainIfFailed(reading, at: process)
        }
        guard isOf(reading, process) else {
            sometimes(.reuseFoundByScan)
            infer(endOf: process, at: reading.aliveAt)
            return adopt(reading, origin: .resync)
        }
        settleDoubt(about: process, by: reading)
        process.noteThreads(stat, at: reading.aliveAt, epoch: lossEpoch)
        linkParent(of: process)
        applyLate(reading, to: process, origin: .resync)
        lookAgainIfFailed(reading, at: process)
        // Dead already, and only its parent is slow: later looks find out whether its EXIT message was lost.
        guard stat.state == .zombie, stat.threadCount <= 1 else { return }
        lateReads.append(process.event.identity, due: clocks.monotonic.advanced(by: settings.lateReadDelay))
    }

    /// Keeps the table small: long command lines were for the event only.
    static func trimCommandLine(of process: TrackedProcess) {
        var remaining = Limits.trackedCommandLineByteCount
        var keptCount = 0
        for argument in process.event.commandLine {
            remaining -= argument.utf8.count + 1
            if remaining < 0 { break }
            keptCount += 1
        }
        guard keptCount < process.event.commandLine.count else { return }
        process.event.commandLine = Array(process.event.commandLine[..<keptCount])
        process.event.isCommandLineTruncated = true
        let names = (0..<keptCount).map { "cmdline[\($0)]" }
        process.escaped.removeAll { $0.hasPrefix("cmdline[") && !names.contains($0) }
    }
}
