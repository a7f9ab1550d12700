import Backends
import EventModel
package import SimulatedBackends

import struct SystemPackage.Errno

/// A simulated kernel, told by its verbs what a case says.
final class SimulatedWorld: LitmusWorld {
    private let host: SimulatedHost
    /// Ids of processes and threads by name.
    private var ids: [String: ProcessID] = [:]
    /// The process of each thread that is not the first of its own.
    private var owners: [String: ProcessID] = [:]

    private static let folder = Array("/litmus/".utf8)
    private static let root = ProcessID(500)
    /// Time between the children of a burst, about what a fork takes.
    private static let forkTime: Duration = .microseconds(100)

    init(_ host: SimulatedHost) throws(LitmusFailure) {
        self.host = host
        var template = ProcessTemplate(path: "/litmus/root")
        template.session = Self.root
        template.environment = [Array("ENVV=leak".utf8)]
        let isMade = host.kernel.addProcess(Self.root, template) != nil
        guard isMade, host.kernel.setSubreaper(Self.root) else { throw LitmusFailure("no root process") }
        ids["R"] = Self.root
    }

    var clock: any SystemClock { host.clock }
    var fence: any ProcessorFence { host.fence }
    var rootProcess: ProcessID { Self.root }
    var programPrefix: [UInt8] { Self.folder }

    func procFileSystem() throws(Errno) -> any ProcFileSystem { host.procFileSystem }
    func openConnector() throws(Errno) -> any NetlinkSocket { try host.openConnectorSocket() }
    func openDurableFile() throws(Errno) -> any DurableFile { host.durableFile(named: "durable") }

    func files() throws(LitmusFailure) -> any LitmusFiles { try SimulatedFiles(host) }

    func sockets() throws(LitmusFailure) -> any LitmusSockets {
        SimulatedSockets(host) { [self] name throws(LitmusFailure) in try id(name) }
    }

    func forge(_ message: [UInt8]) throws(LitmusFailure) {
        guard host.kernel.forge(message, senderPort: 4_242) else { throw LitmusFailure("nothing was forged") }
    }

    func perform(_ action: LitmusAction) async throws(LitmusFailure) -> ProcessID? {
        switch action {
        case .fork(let parent, let child, let pidOf, let isInNewNamespace):
            let parent = try id(parent)
            let wanted = try pidOf.map { name throws(LitmusFailure) in try id(name) }
            let made = host.kernel.fork(
                parent: parent, as: wanted, namespace: isInNewNamespace ? .new : .inherited)
            ids[child] = made
            return made
        case .createThread(let process, let thread):
            let made = host.kernel.createThread(in: try id(process))
            ids[thread] = made
            owners[thread] = try id(process)
            return made
        case .kernelThread(let name):
            ids[name] = ProcessID(2)
            return ProcessID(2)
        case .burst(let name, let count):
            try start([try id(name)], count)
            await sleep(Self.forkTime * count + .milliseconds(1))
            return nil
        case .burstTwice(let name, let count):
            let parent = try id(name)
            let children = [host.kernel.fork(parent: parent), host.kernel.fork(parent: parent)].compactMap {
                $0
            }
            // As on a real host the two begin within a few microseconds of each other.
            try start(children.prefix(1), count)
            await sleep(.microseconds(Int64(host.entropy.nextWord() % 4)))
            try start(children.dropFirst(), count)
            await sleep(Self.forkTime * count + .milliseconds(1))
            for child in children { try check(host.kernel.exit(child) && host.kernel.reap(child), action) }
            return nil
        default:
            try check(try act(action), action)
            return nil
        }
    }

    private func act(_ action: LitmusAction) throws(LitmusFailure) -> Bool {
        let kernel = host.kernel
        switch action {
        case .exec(let name, let program, let arguments):
            return try exec(name, .file(Self.folder + program), arguments)
        case .beginExec(let name, let program, let arguments, let duration):
            return kernel.exec(try id(name), .file(Self.folder + program), argv: arguments, over: duration)
        case .execMemoryFile(let name, let label, let arguments):
            return try exec(name, .memory(label), arguments)
        case .exit(let name, let code):
            return kernel.exit(try process(of: name), .exited(UInt8(truncatingIfNeeded: code)))
        case .kill(let name, let signal): return kill(try id(name), UInt8(truncatingIfNeeded: signal))
        case .reap(let name): return kernel.reap(try id(name))
        case .exitThread(let name): return kernel.exitThread(try id(name))
        case .setComm(let name, let comm): return kernel.setComm(try id(name), comm)
        case .setUser(let name, let number):
            return kernel.setUserID(try id(name), real: UserID(number), effective: UserID(number))
        case .setGroup(let name, let number):
            return kernel.setGroupID(try id(name), real: GroupID(number), effective: GroupID(number))
        case .startSession(let name): return kernel.setSession(try id(name))
        case .attach(let tracer, let tracee): return kernel.ptraceAttach(try id(tracee), by: try id(tracer))
        case .detach(_, let tracee): return kernel.ptraceDetach(try id(tracee))
        case .overwriteTitle(let name, let title): return kernel.setTitle(try id(name), title)
        case .makeNonDumpable(let name): return kernel.setDumpable(try id(name), false)
        case .unlink(let program): return kernel.unlinkExecutable(Self.folder + program)
        // Who observes is part of the configuration: see SimulatedArm.
        case .observeAs: return true
        case .hideProcesses(let mode):
            guard let mode = HidePID(rawValue: String(mode)) else { return false }
            kernel.setHidePID(mode)
            return true
        case .stepWallClock(let step):
            kernel.stepRealtime(by: step)
            return true
        case .pauseMachine(let length):
            kernel.pauseMachine(for: length)
            return true
        case .suspend(let length):
            kernel.suspend(for: length)
            return true
        case .fork, .createThread, .kernelThread, .burst, .burstTwice, .ignore, .forge, .sleep, .files:
            return false
        }
    }

    private func exec(
        _ name: String, _ program: ExecutableProgram, _ arguments: [[UInt8]]
    ) throws(LitmusFailure) -> Bool {
        guard owners[name] != nil else {
            return host.kernel.exec(try id(name), program, argv: arguments, over: .zero)
        }
        return host.kernel.execFromThread(try id(name), program, argv: arguments, over: .zero)
    }

    /// Signals whose default action is to dump core (signal(7)) do so before the end.
    private func kill(_ pid: ProcessID, _ signal: UInt8) -> Bool {
        let dumping: Set<UInt8> = [3, 4, 5, 6, 7, 8, 11, 24, 25, 31]
        if dumping.contains(signal) { return host.kernel.coredump(pid, signal: signal, core: .suppressed) }
        return host.kernel.exit(pid, .signaled(signal, isCoreDumped: false))
    }

    private func start(_ parents: some Sequence<ProcessID>, _ count: Int) throws(LitmusFailure) {
        for parent in parents {
            let isStarted = host.kernel.burst(parent: parent, count: count, over: Self.forkTime * count)
            guard isStarted else { throw LitmusFailure("no burst of \(parent)") }
        }
    }

    private func sleep(_ duration: Duration) async {
        let clock = host.clock
        let end = clock.monotonic.advanced(by: duration)
        await withCheckedContinuation { continuation in
            _ = clock.schedule(at: end) { continuation.resume() }
        }
    }

    /// The process itself, or that of a thread.
    private func process(of name: String) throws(LitmusFailure) -> ProcessID {
        guard let owner = owners[name] else { return try id(name) }
        return owner
    }

    private func id(_ name: String) throws(LitmusFailure) -> ProcessID {
        guard let id = ids[name] else { throw LitmusFailure("\(name) is no process") }
        return id
    }

    private func check(_ isDone: Bool, _ action: LitmusAction) throws(LitmusFailure) {
        guard isDone else { throw LitmusFailure("the simulated kernel refused \(action)") }
    }
}

/// The simulated kernel, as an arm of the suite: each attempt is another seed.
package struct SimulatedArm: LitmusArm {
    /// The simulated kernel.
    package let name = LitmusArmName.simulated
    private let kernel: KernelVersion

    /// - Parameter kernel: The release to behave like; that of this host, when the two are compared.
    package init(kernel: KernelVersion) { self.kernel = kernel }

    /// Runs the case on a new host whose seed is the attempt.
    package func run(_ test: LitmusCase, attempt: Int) -> LitmusRun {
        let host = SimulatedHost(configuration(for: test, attempt: attempt))
        let delivery = Delivery()
        let report = Simulation.run(host.pump) {
            let world = try SimulatedWorld(host)
            delivery.deliver(await LitmusInterpreter(world: world).run(test))
        }
        return delivery.delivered
            ?? LitmusRun(answers: [], failure: LitmusFailure("the simulation ended: \(report.ending)"))
    }

    private func configuration(for test: LitmusCase, attempt: Int) -> WorldConfiguration {
        var configuration = WorldConfiguration(seed: UInt64(attempt) + 1)
        configuration.kernel = kernel
        configuration.connector = test.connector
        // Each attempt begins at another point within a clock tick.
        configuration.start = Instant(nanoseconds: 3_600_000_000_000 + Int64(attempt) * 1_300_000)
        for step in test.steps {
            guard case .action(.observeAs(let uid)) = step.kind else { continue }
            configuration.ownUserID = UserID(uid)
            configuration.ownCapabilities = []
        }
        return configuration
    }
}
