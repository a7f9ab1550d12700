import Backends
import Glibc
import Hardening
import LinuxBackends
import Testing

@Suite(.timeLimit(.minutes(10)))
struct SeccompFilterTests {
    @Test func `no call is in the policy twice, and each has a reason`() {
        let names = SyscallPolicy.collector.rules.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(SyscallPolicy.collector.rules.allSatisfy { !$0.reason.isEmpty && !$0.phases.isEmpty })
        #expect(SyscallPolicy.collector.rules.allSatisfy { ($0.arguments == nil) == $0.limits.isEmpty })
        let filtered = SyscallPolicy.collector.filteredRules.map(\.name)
        for forbidden in ["socket", "execve", "ptrace", "setuid", "capset", "kill", "bpf", "mount"] {
            #expect(!filtered.contains(forbidden))
        }
    }

    @Test func `a forbidden call ends the process`() async {
        await #expect(processExitsWith: .signal(SIGSYS)) {
            _ = try SeccompFilter.install(.collector, action: .enforce)
            _ = getppid()
        }
    }

    @Test func `a forbidden argument ends the process`() async {
        await #expect(processExitsWith: .signal(SIGSYS)) {
            _ = try SeccompFilter.install(.collector, action: .enforce)
            var count: Int32 = 0
            _ = unsafe ioctl(0, UInt(FIONREAD), &count)
        }
    }

    @Test func `allowed calls go on, on all threads`() async {
        await #expect(processExitsWith: .success) {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { await Task.yield() } }
            }
            let filter = try SeccompFilter.install(.collector, action: .enforce)
            #expect(filter.allowedCount > 50)
            let report = try PrivilegeReport.ofProcess()
            #expect(report.seccompMode == .filter)
            #expect(report.noNewPrivileges)
            _ = isatty(0)
        }
    }

    @Test func `files are watched, opened, looked at, listed and read under the filter`() async {
        await #expect(processExitsWith: .success) {
            let thread = try LinuxThread(name: "files")
            try await thread.run {
                let before = try LinuxRootedDirectory(path: Array("/etc".utf8))
                _ = try SeccompFilter.install(.collector, action: .enforce)
                let root = try LinuxRootedDirectory(path: before.path)
                let folder = try root.open([], as: .folder)
                var bytes: [UInt8] = []
                #expect(try root.readEntries(of: folder, count: 4_096, into: &bytes) > 0)
                let file = try root.open(Array("passwd".utf8), in: folder, as: .contents)
                #expect(try root.status(of: Array("passwd".utf8), in: folder).size > 0)
                #expect(try root.read(file, at: 1, count: 4, into: &bytes) == 4)
                let watcher = try LinuxFileWatcher(on: thread)
                // IN_DELETE_SELF: what others do in the folder meanwhile is not told.
                let watch = try watcher.addWatch(root.open([], as: .path), mask: 0x400)
                try watcher.removeWatch(watch)
                #expect(await watcher.readable(until: nil) == .readable)
                #expect(try watcher.read(count: 272, into: &bytes) == 16)
            }
            thread.stop()
        }
    }

    @Test(arguments: ["enforce", "log"])
    func `a new socket is refused, and the process lives`(mode: String) async {
        await #expect(processExitsWith: .success) { [mode] in
            _ = try SeccompFilter.install(.collector, action: mode == "enforce" ? .enforce : .log)
            #expect(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) == -1)
            #expect(errno == EACCES)
        }
    }

    @Test func `a logged call goes through`() async {
        await #expect(processExitsWith: .success) {
            _ = try SeccompFilter.install(.collector, action: .log)
            #expect(getppid() > 0)
            #expect(try PrivilegeReport.ofProcess().seccompMode == .filter)
        }
    }

    @Test func `a name that the system does not know is skipped and told`() async {
        await #expect(processExitsWith: .success) {
            var policy = SyscallPolicy.collector
            policy.rules.append(SyscallPolicy.Rule("no_such_call", .run, reason: "a test"))
            let filter = try SeccompFilter.install(policy, action: .log)
            #expect(filter.unknownNames.contains("no_such_call"))
        }
    }
}
