import Backends
import EventModel
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// What a scenario plans, and the tables behind a world of many processes.
@Suite struct WorldScriptTests {
    private func instant(_ microseconds: Int64) -> Instant { Instant(nanoseconds: microseconds * 1_000) }

    @Test func `a script's steps come in order, before whatever else is due then`() {
        let host = SimulatedHost(plainConfiguration())
        var log: [String] = []
        host.kernel.schedule(at: instant(20)) { _ in log.append("scheduled") }
        host.kernel.play(at: [instant(10), instant(20), instant(20), instant(30)]) { kernel, step in
            log.append("step \(step) at \(kernel.now.nanoseconds / 1_000)")
        }
        host.wait(for: .microseconds(25))
        #expect(log == ["step 0 at 10", "step 1 at 20", "step 2 at 20", "scheduled"])
        host.wait(for: .microseconds(25))
        #expect(log.last == "step 3 at 30")
    }

    @Test func `a step may schedule something for its own time`() {
        let host = SimulatedHost(plainConfiguration())
        var log: [Int] = []
        host.kernel.play(at: [instant(10), instant(10)]) { kernel, step in
            log.append(step)
            kernel.schedule(at: kernel.now) { _ in log.append(10 + step) }
        }
        host.wait(for: .microseconds(20))
        #expect(log == [0, 1, 10, 11])
    }

    @Test func `a script can follow one that has ended`() {
        let host = SimulatedHost(plainConfiguration())
        var log: [Int] = []
        host.kernel.play(at: []) { _, step in log.append(step) }
        host.kernel.play(at: [instant(5)]) { _, step in log.append(step) }
        host.wait(for: .microseconds(10))
        host.kernel.play(at: [instant(15)]) { _, step in log.append(100 + step) }
        host.wait(for: .microseconds(10))
        #expect(log == [0, 100])
    }

    @Test(arguments: [412, 65_535, 65_536, 4_000_000] as [Int32])
    func `a process is found by its pid, however large, and forgotten once reaped`(number: Int32) throws {
        var configuration = plainConfiguration()
        configuration.pidMaximum = 4_194_304
        let host = SimulatedHost(configuration)
        host.addShell()
        let process = try host.addSleeper(number)
        #expect(try host.procFileSystem.contents(of: .comm, process) == bytes("sleep\n"))
        #expect(
            failure { _ = try host.procFileSystem.openProcess(pid(number - 1)) } == .noSuchFileOrDirectory)
        host.kernel.killAndReap(process)
        #expect(failure { _ = try host.procFileSystem.openProcess(process) } == .noSuchFileOrDirectory)
    }

    @Test func `a file opened in the place of a closed one begins anew`() throws {
        let host = SimulatedHost(plainConfiguration())
        host.addShell()
        let procfs = host.procFileSystem
        let status = try procfs.contents(of: .status, pid(77))
        #expect(try procfs.contents(of: .comm, pid(77)) == bytes("bash\n"))
        #expect(try procfs.contents(of: .status, pid(77)) == status)
    }

    @Test func `a receive that empties the queue says so`() throws {
        let host = SimulatedHost(plainConfiguration())
        host.addShell()
        let socket = try host.openListener()
        for name in ["a", "b", "c"] { host.kernel.setComm(pid(77), bytes(name)) }
        var batch = DatagramBatch(capacity: 2, slotByteCount: 128)
        try socket.receive(into: &batch)
        #expect(batch.datagrams.count == 2 && !batch.isDrained)
        try socket.receive(into: &batch)
        #expect(batch.datagrams.count == 1 && batch.isDrained)
    }
}
