import Backends
import EventModel
import KernelFormats
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// Anything may happen to a world, in any order, and it stays consistent.
@Suite struct RandomWorldTests {
    /// A world with few pids, so that verbs meet processes, threads, zombies and nothing alike.
    private func makeHost(seed: UInt64) -> SimulatedHost {
        var configuration = WorldConfiguration(seed: seed)
        configuration.pidMaximum = 340
        configuration.ownProcessID = pid(310)
        configuration.processorCount = 3
        configuration.kernel = KernelVersion(major: 6, minor: seed.isMultiple(of: 2) ? 1 : 18)
        if seed.isMultiple(of: 3) {
            configuration.ownUserID = UserID(1_000)
            configuration.ownCapabilities = []
        }
        var fault = FaultRule(.procfsRead, .diesBeforeRead)
        fault.probability = 0.05
        var error = FaultRule(.procfsOpen, .errno(.tooManyOpenFiles))
        error.every = 17
        let host = SimulatedHost(configuration, faults: FaultPlan([fault, error]))
        host.addShell()
        return host
    }

    private func act(on kernel: SimulatedKernel, _ generator: inout SeededGenerator) {
        let subject = pid(Int32(generator.draw(290...345)))
        let other = pid(Int32(generator.draw(290...345)))
        let program: [ExecutableProgram] = [
            .file("/bin/a"), .deletedFile("/bin/b"), .memory("m"), .file("/"),
        ]
        switch generator.below(24) {
        case 0...4: kernel.fork(parent: generator.happens(0.5) ? pid(77) : subject)
        case 5: kernel.fork(parent: subject, as: other, namespace: .new)
        case 6, 7: kernel.exec(subject, program[Int(generator.below(4))])
        case 8: kernel.execFromThread(subject, .file("/bin/t"), argv: [])
        case 9, 10: kernel.exit(subject, .exited(UInt8(generator.below(256))))
        case 11, 12: kernel.reap(subject)
        case 13: kernel.coredump(subject)
        case 14, 15: kernel.createThread(in: subject)
        case 16: kernel.exitThread(subject)
        case 17: kernel.setComm(subject, [UInt8](repeating: 0xff, count: Int(generator.below(20))))
        case 18: kernel.setUserID(subject, real: UserID(1), effective: UserID(UInt32(generator.below(3))))
        case 19: kernel.setSession(subject)
        case 20:
            kernel.ptraceAttach(subject, by: other)
            kernel.ptraceDetach(other)
        case 21: kernel.setTitle(subject, [UInt8](repeating: 0x54, count: Int(generator.below(200))))
        case 22:
            kernel.setSubreaper(subject)
            kernel.unlinkExecutable(bytes("/bin/a"))
            kernel.setLastPID(other)
        default: kernel.setHidePID(HidePID.allCases[Int(generator.below(4))])
        }
    }

    /// Reads whatever there is to read; every answer is an answer.
    private func look(at host: SimulatedHost, _ generator: inout SeededGenerator) {
        let files = host.procFileSystem
        guard let directory = try? files.openProcess(pid(Int32(generator.draw(290...345)))) else { return }
        var content: [UInt8] = []
        let file = ProcessFile.allCases[Int(generator.below(UInt64(ProcessFile.allCases.count)))]
        if let handle = try? files.open(file, in: directory) {
            while let count = try? files.read(handle, count: Int(generator.draw(1...200)), into: &content),
                count > 0
            {}
        }
        let link = ProcessLink.allCases[Int(generator.below(UInt64(ProcessLink.allCases.count)))]
        try? files.readLink(link, in: directory, into: &content)
        _ = try? files.status(of: link, in: directory)
        var tids: [ProcessID] = []
        try? files.threadIDs(in: directory, into: &tids)
        _ = try? files.processIDs(into: &tids)
    }

    private func live(seed: UInt64) throws -> (
        hash: UInt64, host: SimulatedHost, received: [ConnectorMessage], lost: Int
    ) {
        let host = makeHost(seed: seed)
        var generator = SeededGenerator(seed: seed, stream: .world)
        host.kernel.addForeignListener()
        let socket = try host.openConnectorSocket()
        _ = try socket.setReceiveBuffer(byteCount: 16_384)
        try socket.send(ConnectorRequest(.listen).bytes)
        var received: [ConnectorMessage] = []
        for step in 0..<1_500 {
            act(on: host.kernel, &generator)
            if step % 3 == 0 { look(at: host, &generator) }
            if step % 40 == 0 { received += try socket.drainMessages() }
        }
        received += try socket.drainMessages()
        return (host.pump.trace.hash, host, received, socket.droppedCount)
    }

    @Test(arguments: 1...UInt64(24))
    func `whatever happens, messages add up and the tables agree`(seed: UInt64) throws {
        let (hash, host, received, lost) = try live(seed: seed)
        let truth = host.kernel.truth
        #expect(truth.count(of: .delivered) == received.count)
        #expect(truth.count(of: .lost) == lost)
        #expect(truth.numberedCount == host.kernel.nextSequences.reduce(0) { $0 + Int($1) })
        let alive = truth.incarnations.filter { $0.reaped == nil }.map(\.pid).sorted()
        #expect(alive == host.kernel.processIDs)
        for incarnation in truth.incarnations {
            let times = incarnation.changes.map(\.time)
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
            if let reaped = incarnation.reaped { #expect(try #require(incarnation.ended) <= reaped) }
        }
        for incarnation in truth.incarnations where incarnation.reaped == nil {
            let parent = incarnation.value(at: Instant(nanoseconds: .max)) { attribute -> ProcessID? in
                if case .parent(let pid) = attribute { pid } else { nil }
            }
            #expect(try parent == pid(0) || alive.contains(#require(parent)))
        }
        var ended: Set<ProcessID> = []
        for message in received {
            if case .exit(let task, _, _, _) = message.event, task.isLeader { ended.insert(task.tgid) }
        }
        #expect(!ended.isEmpty)
        #expect(try live(seed: seed).hash == hash)
    }
}
