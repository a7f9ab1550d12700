import Backends
import EventModel
import KernelFormats
import SimulatedBackends
import Testing

@Suite struct TruthTests {
    private let host: SimulatedHost

    init() {
        host = SimulatedHost(plainConfiguration())
        host.addShell(uid: 1_000)
    }

    @Test func `every incarnation of a pid has its own story`() throws {
        _ = try host.openListener()
        for path in ["/bin/a", "/bin/b"] {
            host.kernel.fork(parent: pid(77), as: pid(412))
            host.kernel.exec(pid(412), .file(path))
            host.kernel.setUserID(pid(412), real: UserID(5), effective: UserID(5))
            host.kernel.exit(pid(412), .exited(1))
            host.kernel.reap(pid(412))
        }
        let truth = host.kernel.truth
        let first = try #require(truth.incarnation(pid(412), ordinal: 1))
        let second = try #require(truth.incarnation(pid(412), ordinal: 2))
        #expect(first.id != second.id)
        #expect(first.parent == truth.incarnation(pid(77), ordinal: 1)?.id)
        let program = { (incarnation: TruthIncarnation) in
            incarnation.value(at: Instant(nanoseconds: .max)) {
                if case .program(let link, _, _) = $0 { link } else { nil }
            }
        }
        #expect(program(first) == bytes("/bin/a"))
        #expect(program(second) == bytes("/bin/b"))
        #expect(first.ever(.uid(real: UserID(1_000), effective: UserID(1_000))))
        #expect(first.exitCode == 256)
        #expect(try #require(first.reaped) <= second.born)
        let birth = truth.messages[try #require(second.birthMessage)]
        #expect(truth.incarnation(bornOn: birth.processor, sequence: birth.sequence)?.id == second.id)
    }

    @Test func `counts can be kept without the messages`() throws {
        var configuration = plainConfiguration()
        configuration.truthRetention = .counts
        let host = SimulatedHost(configuration)
        host.addShell()
        _ = try host.openListener()
        host.kernel.burst(parent: pid(77), count: 10, over: .milliseconds(1), executing: .file("/bin/true"))
        host.wait(for: .milliseconds(2))
        let truth = host.kernel.truth
        #expect(truth.messages.isEmpty && truth.incarnations.isEmpty)
        #expect(truth.count(of: .delivered) == 31)
        #expect(truth.incarnationCount == 14)
    }

    @Test func `a verb without a subject changes nothing and is counted`() {
        let missing = pid(4_000)
        let kernel = host.kernel
        #expect(kernel.fork(parent: missing) == nil)
        #expect(kernel.fork(parent: pid(77), as: pid(77)) == nil)
        let results = [
            kernel.exec(missing, .file("/x")), kernel.exit(missing), kernel.reap(pid(77)),
            kernel.exit(pid(1)),
            kernel.exit(kernel.ownProcessID), kernel.setComm(missing, []), kernel.exitThread(missing),
            kernel.execFromThread(missing, .file("/x")), kernel.setSession(missing), kernel.coredump(missing),
            kernel.setTitle(pid(2), []), kernel.ptraceDetach(pid(77)),
            kernel.ptraceAttach(pid(77), by: missing),
            kernel.unlinkExecutable(bytes("/none")),
            kernel.setUserID(missing, real: UserID(0), effective: UserID(0)),
            kernel.burst(parent: missing, count: 1, over: .zero), kernel.setCgroup(missing, []),
        ]
        #expect(results.allSatisfy { !$0 })
        #expect(kernel.createThread(in: missing) == nil)
        #expect(kernel.addProcess(pid(77), ProcessTemplate()) == nil)
        #expect(kernel.skippedVerbCount == results.count + 4)
        #expect(kernel.processIDs == [pid(1), pid(2), pid(77), kernel.ownProcessID])
    }

    @Test func `a burst is that many whole lives within its time`() throws {
        let socket = try host.openListener(bufferByteCount: 8 << 20)
        host.kernel.burst(parent: pid(77), count: 300, over: .milliseconds(20), executing: .file("/bin/true"))
        let start = host.kernel.now
        host.wait(for: .milliseconds(21))
        let messages = try socket.drainMessages()
        #expect(messages.count == 900)
        #expect(messages.allSatisfy { $0.timestamp >= start })
        #expect(messages.allSatisfy { $0.timestamp <= start.advanced(by: .milliseconds(20)) })
        #expect(host.kernel.processIDs.count == 4)
    }

    @Test func `a world is the same for the same seed and another for another`() {
        func run(seed: UInt64) -> SimulationReport {
            var configuration = WorldConfiguration(seed: seed)
            configuration.processorCount = 4
            return simulate(configuration) { host in
                host.addShell()
                let socket = try host.openListener()
                host.kernel.burst(
                    parent: pid(77), count: 200, over: .milliseconds(50), executing: .file("/bin/true"))
                let end = host.clock.monotonic.advanced(by: .milliseconds(60))
                while host.clock.monotonic < end {
                    _ = await socket.readable(until: end)
                    for message in try socket.drainMessages() {
                        guard case .exec(let task) = message.event else { continue }
                        _ = try? host.procFileSystem.contents(of: .stat, task.tgid)
                        _ = try? host.procFileSystem.link(.exe, task.tgid)
                    }
                }
            }
        }
        let first = run(seed: 42)
        #expect(first == run(seed: 42))
        #expect(first.stepCount > 1_000)
        #expect(Set((1...UInt64(20)).map { run(seed: $0).hash }).count == 20)
    }
}
