import EventModel
import KernelFormats

extension World {
    /// init, kthreadd and the collector: what every host has before a scenario adds to it.
    func populate() {
        var initTemplate = ProcessTemplate(path: "/sbin/init", ppid: ProcessID(0))
        initTemplate.startTicks = 1
        _ = addProcess(ProcessID(1), initTemplate)
        var kthreadd = ProcessTemplate.kernelThread("kthreadd")
        kthreadd.ppid = ProcessID(0)
        kthreadd.startTicks = 1
        _ = addProcess(ProcessID(2), kthreadd)
        var own = ProcessTemplate(path: "/usr/sbin/collectord", uid: configuration.ownUserID)
        own.extraThreadCount = 1
        let isAdded = addProcess(ownProcessID, own) != nil
        precondition(isAdded, "the collector's pid lies within pid_max and is neither 1 nor 2")
        ownThreadID = process(ownProcessID)?.threads.last?.tid ?? ownProcessID
    }

    /// Whether a process is part of every host: a template replaces its attributes instead of adding it.
    private func isFixture(_ pid: ProcessID) -> Bool { pid.rawValue <= 2 || pid == ownProcessID }

    func addProcess(_ pid: ProcessID, _ template: ProcessTemplate) -> IncarnationID? {
        if isFixture(pid), let existing = process(pid), now == configuration.start {
            apply(template, to: existing)
            truth.describe(existing, at: now)
            return existing.incarnation
        }
        guard template.ppid.rawValue == 0 || process(template.ppid) != nil, pids.take(pid) else { return nil }
        let comm = template.comm ?? template.program?.defaultComm(on: configuration.kernel) ?? []
        let process = ProcessState(
            incarnation: truth.makeIncarnationID(), pid: pid, ppid: template.ppid,
            comm: Array(comm.prefix(Limits.commByteCount)), processor: randomProcessor(),
            startTicks: template.startTicks ?? currentTicks, pidFDInode: makePIDFDInode())
        apply(template, to: process)
        insert(process)
        forkCount += 1
        truth.add(process, parent: nil, born: now)
        for _ in 0..<template.extraThreadCount { addThread(to: process, as: nil) }
        return process.incarnation
    }

    private func apply(_ template: ProcessTemplate, to process: ProcessState) {
        if process.ppid != template.ppid {
            self.process(process.ppid)?.childCount -= 1
            self.process(template.ppid)?.childCount += 1
            process.ppid = template.ppid
            process.parentThread = template.ppid
        }
        process.realUID = template.uid
        process.effectiveUID = template.uid
        process.realGID = template.gid
        process.effectiveGID = template.gid
        process.isKernelThread = template.isKernelThread
        process.isDumpable = template.isDumpable
        process.cgroup = template.cgroup
        process.innerPIDs = template.innerPIDs
        if !template.innerPIDs.isEmpty {
            process.pidNamespace = makeNamespaceInode()
        }
        if let comm = template.comm ?? template.program?.defaultComm(on: configuration.kernel) {
            process.threads[0].comm = Array(comm.prefix(Limits.commByteCount))
        }
        let parent = self.process(template.ppid)
        process.session =
            template.session ?? (template.isKernelThread ? ProcessID(0) : parent?.session ?? process.pid)
        process.processGroup = template.isKernelThread ? ProcessID(0) : process.pid
        if template.isKernelThread {
            process.memory = nil
            process.virtualByteCount = 0
            process.residentPageCount = 0
        } else {
            let program = template.program ?? .file("/usr/bin/unnamed")
            process.memory = AddressSpace(
                program: files.file(for: program), argv: template.argv ?? [program.path],
                environment: template.environment)
        }
    }

    // MARK: Fork

    func fork(
        parent parentID: ProcessID, as wanted: ProcessID?, startTicks: UInt64?, namespace: PIDNamespaceOfChild
    ) -> ProcessID? {
        guard let parent = process(ofThread: parentID), parent.isAlive else { return nil }
        settle(parent)
        // The one that was named forks, unless it has ended and others live on.
        migrate(parent)
        let named = parent.threadIndex(parentID).flatMap { parent.threads[$0].hasExited ? nil : $0 }
        let thread = named ?? runningThread(of: parent)
        guard let pid = takePID(wanted) else { return nil }
        let child = ProcessState(
            incarnation: truth.makeIncarnationID(), pid: pid, ppid: parent.pid,
            comm: parent.threads[thread].comm, processor: randomProcessor(),
            startTicks: startTicks ?? currentTicks, pidFDInode: makePIDFDInode())
        inherit(child, from: parent)
        child.parentThread = parent.threads[thread].tid
        if namespace == .new {
            child.innerPIDs.append(ProcessID(1))
            child.pidNamespace = makeNamespaceInode()
        }
        insert(child)
        forkCount += 1
        truth.add(child, parent: parent.incarnation, born: now)
        traceWorld(1, pid)
        let floor = stampFloors[pid] ?? .min
        parent.stampFloor = max(parent.stampFloor, floor)
        connector.emit(
            .fork(parent: parent.task(parent.threads[thread].tid), child: child.leaderTask), by: parent,
            subject: child.incarnation,
            on: parent.threads[thread].processor, in: self)
        child.stampFloor = parent.stampFloor
        return pid
    }

    private func inherit(_ child: ProcessState, from parent: ProcessState) {
        child.session = parent.session
        child.processGroup = parent.processGroup
        child.realUID = parent.realUID
        child.effectiveUID = parent.effectiveUID
        child.realGID = parent.realGID
        child.effectiveGID = parent.effectiveGID
        child.cgroup = parent.cgroup
        child.isKernelThread = parent.isKernelThread
        child.isDumpable = parent.isDumpable
        child.virtualByteCount = parent.virtualByteCount
        child.residentPageCount = parent.residentPageCount
        child.pidNamespace = parent.pidNamespace
        // The children of a namespace's process are in it too, with a number of their own in each.
        child.innerPIDs = parent.innerPIDs.map { _ in child.pid }
        child.memory = parent.memory.map { AddressSpace(copying: $0) }
    }

    // MARK: Threads

    func createThread(in pid: ProcessID, as wanted: ProcessID?) -> ProcessID? {
        guard let process = process(pid), process.isAlive else { return nil }
        settle(process)
        migrate(process)
        let creator = runningThread(of: process)
        guard let tid = addThread(to: process, as: wanted, comm: process.threads[creator].comm) else {
            return nil
        }
        forkCount += 1
        traceWorld(2, tid)
        // The parent of a thread is the parent of its process, not the thread that made it.
        let parent = parentTask(of: process)
        connector.emit(
            .fork(parent: parent, child: process.task(tid)), by: process,
            on: process.threads[creator].processor, in: self)
        truth.note(process, at: now, .threadCount(process.threads.count))
        return tid
    }

    @discardableResult
    private func addThread(to process: ProcessState, as wanted: ProcessID?, comm: [UInt8]? = nil)
        -> ProcessID?
    {
        guard let tid = takePID(wanted) else { return nil }
        threadOwners[tid] = process.pid
        let thread = ThreadState(tid: tid, comm: comm ?? process.comm, processor: randomProcessor())
        // Behind the first, ascending, as `task/` lists them.
        let index = process.threads.dropFirst().firstIndex { $0.tid > tid } ?? process.threads.endIndex
        process.threads.insert(thread, at: index)
        return tid
    }

    private func takePID(_ wanted: ProcessID?) -> ProcessID? {
        guard let wanted else { return pids.takeNext() }
        return pids.take(wanted) ? wanted : nil
    }

    /// The index of the first thread that has not ended.
    func runningThread(of process: ProcessState) -> Int { process.threads.firstIndex { !$0.hasExited } ?? 0 }

    /// Now and then a thread goes on elsewhere.
    func migrate(_ process: ProcessState) {
        let index = runningThread(of: process)
        if generator.below(8) == 0 { process.threads[index].processor = randomProcessor() }
    }
}
