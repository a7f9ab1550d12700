import EventModel
import SimulatedBackends

import struct SystemPackage.Errno

/// Turns the header, `given` and `fault` of a scenario into a simulated host.
enum WorldBuilder {
    /// Virtual time after the last line at which a run that has not ended is given up.
    static let patience: Int64 = 600_000_000_000

    static func configuration(of scenario: Scenario, seed: UInt64) -> WorldConfiguration {
        let host = scenario.host
        var world = WorldConfiguration(seed: seed)
        world.policy =
            switch scenario.schedule {
            case .fifo: .fifo
            case .random: .random
            case .priority(let depth): .pct(depth: depth)
            }
        world.kernel = KernelVersion(
            major: Int(clamping: host.kernelMajor), minor: Int(clamping: host.kernelMinor))
        world.processorCount = UInt32(clamping: host.processorCount)
        world.clockTicksPerSecond = UInt64(host.ticksPerSecond)
        world.pidMaximum = host.pidMaximum
        world.start = Instant(nanoseconds: host.uptimeNanoseconds)
        world.bootWall = WallTime(
            nanoseconds: host.wallNanoseconds.subtractingClamped(host.uptimeNanoseconds))
        world.hidepid = [.off, .noAccess, .invisible][min(host.hidePID, 2)]
        world.connector = host.connector
        world.ownProcessID = ProcessID(host.ownPID)
        world.ownUserID = UserID(host.uid)
        world.ownCapabilities = Set(host.capabilities.compactMap(SimulatedCapability.init(rawValue:)))
        world.callCost =
            .nanoseconds(host.callNanoseconds.lowerBound) ... .nanoseconds(host.callNanoseconds.upperBound)
        if let value = scenario.limits.receiveBufferMaximum { world.receiveBufferMaximum = value }
        if let value = scenario.limits.openFileCount { world.descriptorLimit = value }
        if let value = scenario.limits.watchQueue { world.watchQueueLimit = value }
        if let value = scenario.limits.watchCount { world.watchLimit = value }
        if let value = scenario.limits.watchInstanceCount { world.watchInstanceLimit = value }
        let last = scenario.when.last?.time ?? 0
        world.limits.end = Instant(
            nanoseconds: host.uptimeNanoseconds.addingClamped(last).addingClamped(patience))
        return world
    }

    /// Adds the processes of `given`, parents before children, whatever their order in the file.
    ///
    /// - Returns: How many lines could not be carried out.
    static func populate(_ kernel: SimulatedKernel, from scenario: Scenario) -> Int {
        var waiting = scenario.given
        var skipped = 0
        while !waiting.isEmpty {
            let before = waiting.count
            waiting.removeAll { line in
                let parent = parent(of: line.fact)
                let isParentThere = parent == 0 || kernel.incarnation(of: ProcessID(parent)) != nil
                guard isParentThere else { return false }
                if !add(line.fact, to: kernel) { skipped += 1 }
                return true
            }
            if waiting.count == before {
                skipped += waiting.count
                break
            }
        }
        return skipped
    }

    private static func parent(of fact: GivenFact) -> Int32 {
        switch fact {
        case .process(let process): process.parent
        case .kernelThread: 2
        case .files: 0
        }
    }

    private static func add(_ fact: GivenFact, to kernel: SimulatedKernel) -> Bool {
        switch fact {
        case .files(let actions): return addFiles(actions, to: kernel)
        case .kernelThread(let pid, let name):
            var template = ProcessTemplate.kernelThread("")
            template.comm = name
            return kernel.addProcess(ProcessID(pid), template) != nil
        case .process(let process):
            var template = ProcessTemplate()
            template.ppid = ProcessID(process.parent)
            template.program = .file(process.executable)
            template.argv = process.arguments
            template.comm = process.name
            template.uid = UserID(process.uid)
            template.gid = GroupID(process.gid)
            template.startTicks = process.startTicks
            template.isDumpable = process.isDumpable
            if let cgroup = process.cgroup { template.cgroup = cgroup }
            return (process.pid..<process.pid + process.count).reduce(true) { isAdded, pid in
                kernel.addProcess(ProcessID(pid), template) != nil && isAdded
            }
        }
    }

    private static func addFiles(_ actions: [FileAction], to kernel: SimulatedKernel) -> Bool {
        do throws(Errno) {
            try kernel.addFiles(actions)
            return true
        } catch {
            return false
        }
    }

    // MARK: - Faults

    static func faults(of scenario: Scenario) -> FaultPlan {
        let start = scenario.host.uptimeNanoseconds
        return FaultPlan(
            scenario.faults.map { line in
                var rule = FaultRule(line.call, behaviour(line.behaviour))
                rule.pid = line.pid.map { ProcessID($0) }
                rule.file = line.file
                rule.nth = line.nth.map { Int(clamping: $0) }
                rule.every = line.every.map { Int(clamping: $0) }
                rule.probability = line.millionths.map { Double($0) / 1_000_000 }
                rule.during = line.during.map { times in
                    Instant(
                        nanoseconds: start.addingClamped(times.lowerBound))..<Instant(
                            nanoseconds: start.addingClamped(times.upperBound).addingClamped(1))
                }
                rule.lasting = line.lasting.map { .nanoseconds($0) }
                rule.times = line.times.map { Int(clamping: $0) }
                return rule
            })
    }

    private static func behaviour(_ behaviour: FaultBehaviourLine) -> FaultBehaviour {
        switch behaviour {
        case .error(let errno): .errno(errno)
        case .short(let count): .short(count)
        case .stall(let nanoseconds): .stall(.nanoseconds(nanoseconds))
        case .diesBeforeRead: .diesBeforeRead
        case .duplicate: .duplicate
        case .crash: .crash
        case .endOfFile: .endOfFile
        case .corrupt: .corrupt
        case .reorder: .reorder
        case .spurious: .spurious
        }
    }
}
