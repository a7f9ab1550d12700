import EventModel
import HostSources
import KernelFormats
import Testing

/// Where a process runs comes with its control groups, and nowhere else from.
@Suite struct ContainerTests {
    private static let id = "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"

    private func unified(_ path: String) -> CgroupFile { CgroupFile(unifiedPath: Array(path.utf8)) }

    @Test func `who is born in a container is in it`() throws {
        var bench = Bench()
        bench.adopt(10) { $0.cgroup = .value(unified("/docker/\(Self.id)")) }
        let child = try bench.forkKnown(20, of: 10)
        #expect(child.container?.id == Self.id && child.container?.runtime == .docker)
        #expect(child.provenance.cgroup == .inherited)
    }

    @Test func `who is on the host is told from who was not looked at`() throws {
        var bench = Bench()
        bench.adopt(10)
        #expect(try bench.forkKnown(20, of: 10).container == .host(unit: nil))
        #expect(try bench.forkKnown(30, of: 29).container == nil)
    }

    @Test func `who is moved into a container is found there by a later look`() throws {
        var bench = Bench()
        bench.adopt(10)
        bench.fork(20, of: 10)
        var reading = bench.makeReading(20, ppid: 10, startMilliseconds: bench.maker.milliseconds)
        reading.cgroup = .value(unified("/system.slice/docker-\(Self.id).scope"))
        let process = try #require(bench.tracked(20))
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        let event = try #require(bench.collect().first?.process)
        #expect(event.modifiedFields == [.cgroup])
        #expect(event.container?.id == Self.id)
        #expect(event.container?.unit == "docker-\(Self.id).scope")
    }

    @Test func `a container that shows in another hierarchy alone is found, though the path stays`() throws {
        var bench = Bench()
        bench.adopt(10)
        bench.fork(20, of: 10)
        var reading = bench.makeReading(20, ppid: 10, startMilliseconds: bench.maker.milliseconds)
        var file = unified("/user.slice")
        file.memberships.append(
            CgroupFile.Membership(
                hierarchyID: 5, controllers: Array("pids".utf8), path: Array("/docker/\(Self.id)".utf8)))
        reading.cgroup = .value(file)
        let process = try #require(bench.tracked(20))
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        #expect(process.event.container?.id == Self.id)
        #expect(process.event.cgroup == "/user.slice")
    }
}
