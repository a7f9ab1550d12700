import Backends
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// The state behind ``SimulatedKernel``; only the pump's thread comes here.
final class World {
    let configuration: WorldConfiguration
    let pump: Pump
    /// The pump's own state, without the check of the thread that ``Pump`` makes each time: the world is confined itself.
    let clockwork: PumpState
    var truth: TruthLog
    var faults: FaultInjector
    var pids: PIDAllocator
    let files = FileTable()
    let fileSystem: SimulatedFileSystem
    let sockets = SocketTable()
    let signals: SignalQueue
    let disk: SimulatedDisk
    var hidepid: HidePID
    /// Capabilities of the collector, asked for at almost every call.
    let mayTraceAll: Bool
    let mayReadAnyFile: Bool
    var skippedVerbCount = 0
    /// `total_forks`: processes and threads since boot.
    var forkCount: UInt64
    /// Every process that is not reaped.
    private var processes = PIDTable<ProcessState>()
    /// Their pids, ascending.
    private(set) var listedPIDs: [Int32] = []
    /// The process of each thread that is not the first of its own.
    var threadOwners: [ProcessID: ProcessID] = [:]
    /// The stamp of the last message of the latest incarnation of a pid: one that follows it comes later.
    var stampFloors = PIDTable<Int64>()
    var ownProcessID: ProcessID
    /// The thread with which the collector announces itself.
    var ownThreadID: ProcessID
    let connector: ConnectorBus
    /// In nanoseconds, as converting a `Duration` takes longer than most calls.
    private let callCost: ClosedRange<Int64>
    let stampJitter: ClosedRange<Int64>
    private let execDuration: ClosedRange<Int64>
    private var costGenerator: SeededGenerator
    var generator: SeededGenerator
    private var nextPIDFDInode: UInt64 = 1_048_577
    private var nextNamespaceInode = ProcessState.initialPIDNamespace + 400
    private var nextExecSerial: UInt64 = 1
    private var lastNamespace: (link: NamespaceLink, text: [UInt8])?
    /// What the collector holds open below `/proc`.
    var handles = HandleTable()

    init(_ configuration: WorldConfiguration, pump: Pump, faults plan: FaultPlan, disk: SimulatedDisk) {
        precondition((1...64).contains(configuration.processorCount), "a host has 1 to 64 processors")
        precondition(configuration.clockTicksPerSecond > 0, "clock ticks need a rate")
        self.configuration = configuration
        self.pump = pump
        clockwork = pump.state
        self.disk = disk
        truth = TruthLog(retention: configuration.truthRetention)
        faults = FaultInjector(plan, seed: configuration.seed)
        pids = PIDAllocator(maximum: configuration.pidMaximum)
        hidepid = configuration.hidepid
        mayTraceAll = configuration.ownCapabilities.contains(.ptrace)
        mayReadAnyFile = configuration.ownCapabilities.contains(.readAnyFile)
        signals = SignalQueue(pump: pump)
        ownProcessID = configuration.ownProcessID
        ownThreadID = configuration.ownProcessID
        forkCount = 0
        callCost = configuration.callCost.wholeNanoseconds
        stampJitter = configuration.stampJitter.wholeNanoseconds
        execDuration = configuration.execDuration.wholeNanoseconds
        costGenerator = SeededGenerator(seed: configuration.seed, stream: .callCost)
        generator = SeededGenerator(seed: configuration.seed, stream: .world)
        connector = ConnectorBus(configuration)
        fileSystem = SimulatedFileSystem(configuration, pump: pump)
    }

    var now: Instant { clockwork.now }

    /// Clock ticks since boot, as a process that starts now has them.
    var currentTicks: UInt64 {
        let nanoseconds = UInt64(max(0, pump.bootTime.nanoseconds))
        return nanoseconds / (1_000_000_000 / configuration.clockTicksPerSecond)
    }

    var ownIncarnation: IncarnationID {
        processes[ownProcessID]?.incarnation ?? IncarnationID(rawValue: 0)
    }

    func randomProcessor() -> UInt32 { UInt32(generator.below(UInt64(configuration.processorCount))) }

    func makePIDFDInode() -> UInt64 {
        guard configuration.kernel.hasPIDFS else { return 0 }
        defer { nextPIDFDInode += 1 }
        return nextPIDFDInode
    }

    func makeNamespaceInode() -> UInt64 {
        defer { nextNamespaceInode += 1 }
        return nextNamespaceInode
    }

    func makeExecSerial() -> UInt64 {
        defer { nextExecSerial += 1 }
        return nextExecSerial
    }

    func drawExecDuration() -> Int64 { generator.draw(execDuration) }

    /// Descriptors of the collector.
    var openHandleCount: Int {
        handles.count + connector.sockets.count + fileSystem.descriptorCount + sockets.descriptorCount
    }

    // MARK: The table of processes

    func process(_ pid: ProcessID) -> ProcessState? { processes[pid] }

    func isAlive(_ pid: ProcessID) -> Bool { processes[pid]?.isAlive ?? false }

    /// The process of a thread id, be it the first or another one.
    func process(ofThread tid: ProcessID) -> ProcessState? {
        processes[tid] ?? (threadOwners.isEmpty ? nil : threadOwners[tid].flatMap { processes[$0] })
    }

    /// The parent as messages name it: the thread that made the process or, when it has ended, the first of its
    /// siblings that lives (`find_alive_thread`, `kernel/exit.c`).
    func parentTask(of process: ProcessState) -> ConnectorTask {
        guard let parent = self.process(process.ppid) else { return ConnectorTask(leaderOf: process.ppid) }
        let maker = parent.threads.first { $0.tid == process.parentThread && !$0.hasExited }
        guard let thread = maker ?? parent.threads.first(where: { !$0.hasExited }) else {
            return parent.leaderTask
        }
        return parent.task(thread.tid)
    }

    func insert(_ process: ProcessState) {
        precondition(processes[process.pid] == nil, "a pid names one process at a time")
        processes[process.pid] = process
        processes[process.ppid]?.childCount += 1
        listedPIDs.insert(process.pid.rawValue, at: lowerBound(process.pid.rawValue))
    }

    func remove(_ process: ProcessState) {
        processes[process.pid] = nil
        let index = lowerBound(process.pid.rawValue)
        precondition(listedPIDs[index] == process.pid.rawValue, "the list follows the table")
        listedPIDs.remove(at: index)
    }

    /// Where `pid` stands, or would stand, among the listed ones.
    func lowerBound(_ pid: Int32) -> Int {
        var low = 0
        var high = listedPIDs.count
        while low < high {
            let middle = (low + high) / 2
            if listedPIDs[middle] < pid { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// All processes in the order of their pids.
    var processesInOrder: [ProcessState] { listedPIDs.compactMap { processes[ProcessID($0)] } }

    // MARK: Calls of backends

    /// The text of a namespace's link, made once for each run of equal ones: most processes share theirs.
    func text(of link: NamespaceLink) -> [UInt8] {
        if let last = lastNamespace, last.link == link { return last.text }
        let text = link.bytes
        lastNamespace = (link, text)
        return text
    }

    /// Carries out one backend call: time passes and the world goes on, faults strike, the trace records it.
    ///
    /// - Parameter body: What the kernel does, with a digest of its result.
    @inline(__always)
    func call<Result>(
        _ operation: BackendOperation, pid: ProcessID? = nil, file: String? = nil,
        _ body: (CallEffects) throws(Errno) -> (result: Result, digest: UInt64)
    ) throws(Errno) -> Result {
        let arguments = beginCall(pid: pid, file: file)
        do throws(Errno) {
            let effects =
                faults.hasRules(for: operation)
                ? try applyFaults(operation, pid: pid, file: file) : CallEffects()
            let (result, digest) = try body(effects)
            endCall(operation, arguments: arguments, digest: digest)
            return result
        } catch {
            endCall(
                operation, arguments: arguments, digest: 1 << 63 | UInt64(UInt32(bitPattern: error.rawValue)))
            throw error
        }
    }

    /// Lets the call's time pass.
    ///
    /// - Returns: A digest of the arguments.
    private func beginCall(pid: ProcessID?, file: String?) -> UInt64 {
        clockwork.callCountOfJob += 1
        precondition(
            clockwork.callCountOfJob <= configuration.limits.callCountPerJob,
            "a job makes backend calls for ever without suspending")
        spendCallCost()
        var arguments = Digest()
        arguments.fold(UInt64(bitPattern: Int64(pid?.rawValue ?? 0)))
        if let file { arguments.fold(file) }
        return arguments.value
    }

    private func endCall(_ operation: BackendOperation, arguments: UInt64, digest: UInt64) {
        clockwork.trace.record(.call, at: clockwork.now, operation.index, arguments, digest)
    }

    func spendCallCost() { clockwork.spend(costGenerator.draw(callCost)) }

    // MARK: Counting what happens

    /// Notes in the trace that the world changed.
    func traceWorld(_ kind: UInt64, _ subject: ProcessID) {
        clockwork.trace.record(.world, at: now, kind, UInt64(bitPattern: Int64(subject.rawValue)))
    }
}
