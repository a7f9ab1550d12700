import Backends
import EventModel

import struct SystemPackage.Errno

/// Carries out the lines of a case in a world and collects the answers.
///
/// It looks at the world through `Backends` only; what it says is free of pids, paths and times, so that two worlds can
/// be compared word for word.
final class LitmusInterpreter {
    let world: any LitmusWorld
    var names = ProcessNames()
    /// What `/proc` is read through; opened anew when the observer changes.
    private var openedProc: (any ProcFileSystem)?
    var directories: [String: DirectoryBox] = [:]
    var files: [String: FileBox] = [:]
    var sockets: [String: ConnectorObserver] = [:]
    /// What lines have kept with `as`.
    var values: [String: String] = [:]
    private var openedFile: (any DurableFile)?
    private var treeObserver: FileObserver?
    private var socketObserver: SocketObserver?

    init(world: any LitmusWorld) {
        self.world = world
        names.add("R", id: world.rootProcess)
    }

    /// Runs all lines; stops at the first that cannot be carried out.
    func run(_ test: LitmusCase) async -> LitmusRun {
        var answers: [String] = []
        for step in test.steps {
            do {
                switch step.kind {
                case .action(let action):
                    try await perform(action)
                case .observation(let observation, let expected):
                    let answer = try await answer(to: observation)
                    if expected != nil {
                        answers.append(answer)
                    } else if answer != "ok", case .listen = observation {
                        throw LitmusFailure("could not subscribe: \(answer)")
                    } else if answer != "ok", case .sockets = observation {
                        throw LitmusFailure("\(step.text): \(answer)")
                    }
                }
            } catch let failure as LitmusFailure {
                return LitmusRun(answers: answers, failure: failure, failedLine: step.line)
            } catch {
                return LitmusRun(answers: answers, failure: LitmusFailure("\(error)"), failedLine: step.line)
            }
        }
        return LitmusRun(answers: answers)
    }

    // MARK: - Actions

    private func perform(_ action: LitmusAction) async throws {
        switch action {
        case .files(let action):
            try await tree().perform(action)
        case .ignore(let socket):
            try observer(socket).ignore()
        case .forge(let socket):
            guard sockets[socket] != nil else { throw LitmusFailure("no socket \(socket)") }
            try world.forge(ConnectorObserver.forgedMessage(parent: world.rootProcess))
        case .sleep(let duration):
            await sleep(duration)
        case .observeAs, .hideProcesses:
            _ = try await world.perform(action)
            openedProc = nil
        case .fork(_, let child, _, _):
            guard let id = try await world.perform(action) else { throw LitmusFailure("no pid for \(child)") }
            names.add(child, id: id)
        case .createThread(let process, let thread):
            guard let id = try await world.perform(action) else {
                throw LitmusFailure("no tid for \(thread)")
            }
            names.add(thread, id: id, threadOf: process)
        case .kernelThread(let name):
            guard let id = try await world.perform(action) else { throw LitmusFailure("no kernel thread") }
            names.add(name, id: id)
        default:
            _ = try await world.perform(action)
        }
    }

    func sleep(_ duration: Duration) async {
        let clock = world.clock
        let deadline = clock.monotonic.advanced(by: duration)
        await withCheckedContinuation { continuation in
            _ = clock.schedule(at: deadline) { continuation.resume() }
        }
    }

    // MARK: - Questions

    private func answer(to observation: LitmusObservation) async throws -> String {
        switch observation {
        case .listen(let socket, let byteCount):
            return answer { () throws(Errno) in
                sockets[socket] = try ConnectorObserver(world.openConnector(), bufferByteCount: byteCount)
                return "ok"
            }
        case .receive(let socket, let only, let isDetailed):
            let news = try await observer(socket).receive(quietly: world.clock)
            var description = MessageDescription(names: names, isDetailed: isDetailed)
            return description.text(of: news, only: only)
        case .drain(let socket):
            return try observer(socket).receiveQueued().outcomes
        case .tally(let socket, let fields):
            let observer = try observer(socket)
            _ = try await observer.receive(quietly: world.clock)
            return observer.tally(fields, names: names)
        case .acknowledgement(let socket):
            let observer = try observer(socket)
            _ = try await observer.receive(quietly: world.clock)
            return observer.acknowledgements
        case .announce(let socket):
            return try await announce(through: try observer(socket))
        case .fence(let processor):
            return answer { () throws(Errno) in
                try world.fence.announce("litmus-fence", on: processor)
                return "ok"
            }
        case .room(let socket, let byteCount):
            let observer = try observer(socket)
            return answer { () throws(Errno) in String(try observer.room(byteCount)) }
        case .compare(let first, let second):
            return compare(values[first], values[second])
        case .clockOrder: return clockOrder()
        case .clock(let name, let label): return keep(reading(of: name), as: label)
        case .timer(let duration): return await timer(duration)
        case .timers(let durations): return await timers(durations)
        case .cancelTimer(let duration): return await cancelTimer(duration)
        case .files(let observation):
            return try await tree().answer(to: observation, keep: keep)
        case .sockets(let step):
            return try await streams().answer(to: step, names: names, keep: keep)
        case .durableRead:
            return answer { () throws(Errno) in
                try durableFile().read().map { Printer.quoted($0) } ?? "absent"
            }
        case .durableReplace(let bytes):
            return answer { () throws(Errno) in
                try durableFile().replace(with: bytes)
                return "ok"
            }
        default:
            return answer { () throws(Errno) in try procAnswer(to: observation) }
        }
    }

    /// What a call gave, or the name of its error.
    func answer(_ call: () throws(Errno) -> String) -> String {
        do throws(Errno) { return try call() } catch { return error.symbol }
    }

    func proc() throws(Errno) -> any ProcFileSystem {
        if let openedProc { return openedProc }
        let opened = try world.procFileSystem()
        openedProc = opened
        return opened
    }

    private func durableFile() throws(Errno) -> any DurableFile {
        if let openedFile { return openedFile }
        let opened = try world.openDurableFile()
        openedFile = opened
        return opened
    }

    private func tree() throws(LitmusFailure) -> FileObserver {
        if let treeObserver { return treeObserver }
        let made = FileObserver(try world.files(), clock: world.clock)
        treeObserver = made
        return made
    }

    private func streams() throws(LitmusFailure) -> SocketObserver {
        if let socketObserver { return socketObserver }
        let made = SocketObserver(try world.sockets(), clock: world.clock)
        socketObserver = made
        return made
    }

    private func observer(_ name: String) throws -> ConnectorObserver {
        guard let observer = sockets[name] else { throw LitmusFailure("no socket \(name)") }
        return observer
    }

    /// Keeps `value` for a later `compare`; a value that is kept is not part of the answer.
    func keep(_ value: String, as label: String?) -> String {
        guard let label else { return value }
        values[label] = value
        return "ok"
    }

    private func compare(_ first: String?, _ second: String?) -> String {
        guard let first, let second else { return "not kept" }
        if first == second { return "equal" }
        guard let a = Int64(first), let b = Int64(second) else { return "different" }
        return a < b ? "less" : "greater"
    }
}
