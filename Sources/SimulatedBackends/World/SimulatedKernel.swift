package import EventModel

/// The simulated host: its processes, its process connector, its `/proc`, and the truth about all of it.
///
/// It runs on the pump's thread. What happens to it comes from the verbs (`SimulatedKernel+Verbs.swift`); what the
/// collector sees of it goes through the backends of ``SimulatedHost``.
package final class SimulatedKernel: Sendable {
    /// The scheduler and the clock of this host.
    package let pump: Pump
    private let confined: ThreadConfined<World>

    /// A host with init (pid 1), kthreadd (pid 2) and the collector itself.
    package init(
        _ configuration: WorldConfiguration, pump: Pump, faults: FaultPlan = FaultPlan(),
        disk: SimulatedDisk = SimulatedDisk()
    ) {
        self.pump = pump
        confined = ThreadConfined(World(configuration, pump: pump, faults: faults, disk: disk))
        world.populate()
    }

    var world: World { confined.value }

    package var configuration: WorldConfiguration { world.configuration }

    /// `CLOCK_MONOTONIC`.
    package var now: Instant { pump.now }

    /// What really happened.
    package var truth: TruthLog { world.truth }

    /// How many verbs changed nothing because their subject did not exist.
    package var skippedVerbCount: Int { world.skippedVerbCount }

    /// How often each rule of the fault plan has fired, in the order of the rules.
    package var faultFirings: [Int] { world.faults.firings }
    /// When a fault last took or hid something, instead of only delaying it.
    package var lastHarm: Instant? { world.faults.lastHarm }

    /// What the collector has open below `/proc` and below its roots.
    package var openHandleCount: Int { world.handles.count + world.fileSystem.handles.count }

    /// Calls `action` at `time`, or at once within the next call or idle moment if that is past; equal times in the
    /// order of scheduling.
    ///
    /// It happens within a backend call when the call lasts until then, otherwise while the collector is idle.
    package func schedule(at time: Instant, _ action: @escaping (SimulatedKernel) -> Void) {
        pump.scheduleWorldEvent(at: time) { [self] in action(self) }
    }

    /// Carries out a script: `perform` with the index of each of the times, which ascend, before anything else that happens
    /// at that time.
    ///
    /// Cheaper than scheduling each step by itself. One script at a time.
    package func play(at times: [Instant], _ perform: @escaping (SimulatedKernel, Int) -> Void) {
        pump.state.play(WorldScript(times: times) { [self] index in perform(self, index) })
    }

    /// The sequence that the next connector message of each processor gets, by processor.
    package var nextSequences: [UInt32] { world.connector.nextSequences }

    /// The collector's own pid, which a restart changes.
    package var ownProcessID: ProcessID { world.ownProcessID }

    /// The incarnation that has this pid now, dead but not reaped included.
    package func incarnation(of pid: ProcessID) -> IncarnationID? { world.process(pid)?.incarnation }

    /// The thread ids of a process, ascending; empty when there is no such process.
    package func threadIDs(of pid: ProcessID) -> [ProcessID] { world.process(pid)?.threadIDs ?? [] }

    /// The pids of all processes, ascending, zombies included.
    package var processIDs: [ProcessID] { world.listedPIDs.map { ProcessID($0) } }

    func counted<Value>(_ result: Value?) -> Value? {
        if result == nil { world.skippedVerbCount += 1 }
        return result
    }

    func counted(_ result: Bool) -> Bool {
        if !result { world.skippedVerbCount += 1 }
        return result
    }
}
