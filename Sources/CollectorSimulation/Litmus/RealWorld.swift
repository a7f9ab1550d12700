import Backends
import CollectorCore
import EventModel
import LinuxBackends

import struct SystemPackage.Errno

/// The kernel of this host, on which puppets do what a case says.
final class RealWorld: LitmusWorld {
    private let thread: LinuxThread
    private let scratch: ScratchFolder
    private let root: Puppet
    /// Processes and threads by name; what has been reaped stays, as a name for what is gone.
    private var puppets: [String: Puppet] = [:]
    private var parents: [String: String] = [:]
    private let witness: ExitWitness
    private var openedFiles: RealFiles?

    /// Starts the first puppet.
    init(on thread: LinuxThread) throws(LitmusFailure) {
        self.thread = thread
        do throws(Errno) { witness = try ExitWitness(on: thread) } catch {
            throw LitmusFailure("cannot subscribe: \(error.symbol)")
        }
        scratch = try ScratchFolder()
        root = try Puppet.launch()
        puppets["R"] = root
    }

    var clock: any SystemClock { thread.clock }
    var fence: any ProcessorFence { LinuxProcessorFence() }
    var rootProcess: ProcessID { root.process }
    var programPrefix: [UInt8] { Array((scratch.path + "/").utf8) }

    func procFileSystem() throws(Errno) -> any ProcFileSystem { try LinuxProcFileSystem() }
    func openConnector() throws(Errno) -> any NetlinkSocket { try LinuxConnectorSocket(on: thread) }

    func openDurableFile() throws(Errno) -> any DurableFile {
        scratch.note("durable")
        return try LinuxDurableFile(path: scratch.path + "/durable")
    }

    func files() throws(LitmusFailure) -> any LitmusFiles {
        if let openedFiles { return openedFiles }
        let made = try RealFiles(in: scratch.path, on: thread)
        openedFiles = made
        return made
    }

    func sockets() throws(LitmusFailure) -> any LitmusSockets {
        RealSockets(in: scratch, on: thread) { [self] name throws(LitmusFailure) in try puppet(name) }
    }

    func forge(_ message: [UInt8]) throws(LitmusFailure) { try PuppetSystem.forge(message) }

    func perform(_ action: LitmusAction) async throws(LitmusFailure) -> ProcessID? {
        switch action {
        case .fork(let parent, let child, let pidOf, let isInNewNamespace):
            let made = try puppet(parent).fork(
                as: try pidOf.map { name throws(LitmusFailure) in try puppet(name).task },
                inNewNamespace: isInNewNamespace)
            puppets[child] = made
            parents[child] = parent
            return made.process
        case .createThread(let process, let thread):
            let made = try puppet(process).makeThread()
            puppets[thread] = made
            return made.task
        case .kernelThread(let name):
            // kthreadd, the parent of all kernel threads.
            puppets[name] = nil
            return ProcessID(2)
        default:
            let ending = try tasksEnded(by: action)
            try act(action)
            try await witness.wait(for: ending.map(\.task))
            for puppet in ending { puppet.isOver = true }
            for process in ending.map(\.process) { noteEnd(of: process) }
            return nil
        }
    }

    /// A process has ended when its last thread has, in whatever way.
    private func noteEnd(of process: ProcessID) {
        let members = puppets.values.filter { $0.process == process && !$0.hasEnded }
        guard members.allSatisfy(\.isOver) else { return }
        for member in members { member.hasEnded = true }
    }

    /// Those whose EXIT an action brings about.
    private func tasksEnded(by action: LitmusAction) throws(LitmusFailure) -> [Puppet] {
        switch action {
        case .exitThread(let name):
            return [try puppet(name)]
        case .exit(let name, _), .kill(let name, _):
            let process = try puppet(name).process
            return puppets.values.filter { $0.process == process && !$0.isOver }
        default:
            return []
        }
    }

    private func act(_ action: LitmusAction) throws(LitmusFailure) {
        switch action {
        case .exec(let name, let program, let arguments):
            let path = try scratch.program(program)
            try execute(name) { (puppet) throws(LitmusFailure) in try puppet.exec(path, arguments) }
        case .execMemoryFile(let name, let label, let arguments):
            try execute(name) { (puppet) throws(LitmusFailure) in try puppet.execMemoryFile(label, arguments)
            }
        case .exit(let name, let code): try puppet(name).exit(code)
        case .kill(let name, let signal): try puppet(name).signal(signal)
        case .reap(let name): try parent(of: name).reap(try puppet(name))
        case .exitThread(let name): try puppet(name).exitThread()
        case .setComm(let name, let comm): try puppet(name).setComm(comm)
        case .setUser(let name, let id): try puppet(name).setUser(id)
        case .setGroup(let name, let id): try puppet(name).setGroup(id)
        case .startSession(let name): try puppet(name).startSession()
        case .attach(let tracer, let tracee): try puppet(tracer).attach(to: try puppet(tracee))
        case .detach(let tracer, let tracee): try puppet(tracer).detach(from: try puppet(tracee))
        case .overwriteTitle(let name, let title): try puppet(name).overwriteTitle(title)
        case .makeNonDumpable(let name): try puppet(name).makeNonDumpable()
        case .unlink(let program): try scratch.unlink(program)
        case .burst(let name, let count): try puppet(name).burst(count)
        case .burstTwice(let name, let count): try puppet(name).burstTwice(count)
        case .observeAs(let uid): try PuppetSystem.observe(as: uid)
        case .hideProcesses(let mode): try PuppetSystem.hideProcesses(mode)
        case .stepWallClock, .suspend, .pauseMachine:
            throw LitmusFailure("the host's clock and power are left alone")
        case .beginExec:
            throw LitmusFailure("the real kernel takes its own time")
        case .fork, .createThread, .kernelThread, .ignore, .forge, .sleep, .files:
            throw LitmusFailure("not an action of the kernel")
        }
    }

    /// Ends everything that the case has started.
    func tearDown() {
        PuppetSystem.stopObserving()
        openedFiles?.tearDown()
        witness.stop()
        for (_, puppet) in puppets.sorted(by: { $0.key < $1.key }) where puppet !== root { puppet.kill() }
        root.reapAll()
        root.kill()
        root.reapFromHere()
        scratch.remove()
    }

    // MARK: - Names

    private func puppet(_ name: String) throws(LitmusFailure) -> Puppet {
        guard let puppet = puppets[name] else { throw LitmusFailure("\(name) is no puppet") }
        return puppet
    }

    /// The puppet that can reap `name`: its parent, or R once that has ended.
    private func parent(of name: String) throws(LitmusFailure) -> Puppet {
        guard let parent = parents[name].flatMap({ puppets[$0] }), !parent.hasEnded else { return root }
        return parent
    }

    /// After an exec by a thread the process goes on with that thread's channel.
    private func execute(
        _ name: String, _ body: (Puppet) throws(LitmusFailure) -> Void
    ) throws(LitmusFailure) {
        let caller = try puppet(name)
        try body(caller)
        guard caller.task != caller.process else { return }
        for puppet in puppets.values where puppet.process == caller.process { puppet.isOver = true }
        let leaders = puppets.filter { $0.value.task == caller.process && !$0.value.hasEnded }
        guard let leader = leaders.first else { throw LitmusFailure("\(name) has no process") }
        puppets[leader.key] = caller.asLeader(of: leader.value)
    }
}

/// The kernel of this host, as an arm of the suite.
package struct RealArm: LitmusArm {
    /// The real kernel.
    package let name = LitmusArmName.real

    /// The kernel of this host.
    package init() {}

    /// What this process lacks for the cases; `nil` when it lacks nothing.
    package static var obstacle: String? { PuppetSystem.obstacle }

    /// Runs the case on a thread of its own, with puppets that end with it.
    package func run(_ test: LitmusCase, attempt: Int) -> LitmusRun {
        let thread: LinuxThread
        do throws(Errno) { thread = try LinuxThread(name: "litmus") } catch {
            return LitmusRun(answers: [], failure: LitmusFailure("no thread: \(error.symbol)"))
        }
        defer { thread.stop() }
        let delivery = Delivery()
        _ = spawn(on: thread) { delivery.deliver(await Self.run(test, on: thread)) }
        // Without a bound of its own: every step of a case has one.
        while true {
            if let run = delivery.delivered { return run }
            PuppetSystem.pause()
        }
    }

    private static func run(_ test: LitmusCase, on thread: LinuxThread) async -> LitmusRun {
        do throws(LitmusFailure) {
            let world = try RealWorld(on: thread)
            let run = await LitmusInterpreter(world: world).run(test)
            world.tearDown()
            return run
        } catch {
            return LitmusRun(answers: [], failure: error)
        }
    }
}
