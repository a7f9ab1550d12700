import EventModel
import HostSources
import Testing

@Suite struct ProcessRuleTests {
    @Test func `rules are read from text`() {
        #expect(ProcessRule("exe:/usr/bin/cat") == .exe("/usr/bin/cat"))
        #expect(ProcessRule("name:a:b") == .name("a:b"))
        #expect(ProcessRule("uid:1000") == .uid(UserID(1_000)))
    }

    @Test(arguments: [
        "", "exe", "exe:", "exe:cat", "name:", "uid:", "uid:-1", "uid:4294967296", "uid:root", "pid:1",
        "/bin/cat",
    ])
    func `what is no rule is refused`(text: String) {
        #expect(ProcessRule(text) == nil)
    }

    private func process(name: String = "cat", exe: String? = "/bin/cat", uid: UInt32? = 0) -> ProcessEvent {
        var event = ProcessEvent(
            identity: ProcessIdentity(pid: pid(5), birth: .scan(startTicks: 1, pidFDInode: 0)))
        event.name = name
        event.executablePath = exe
        event.uid = uid.map { UserID($0) }
        return event
    }

    @Test func `an exclude wins over an include, and what is unknown matches nothing`() {
        var rules = ProcessRules()
        #expect(rules.isEmpty && rules.admits(process()))
        rules.include = [.exe("/bin/cat")]
        #expect(rules.admits(process()))
        #expect(!rules.admits(process(exe: nil)))
        #expect(!rules.admits(process(exe: "/bin/catt")))
        rules.exclude = [.uid(UserID(0))]
        #expect(!rules.admits(process()))
        #expect(rules.admits(process(uid: nil)))
    }

    @Test func `another spelling of the same letters does not slip into a rule`() {
        let composed = "/opt/caf\u{e9}"
        let decomposed = "/opt/cafe\u{301}"
        #expect(!ProcessRule.exe(composed).matches(process(exe: decomposed)))
        #expect(!ProcessRule.name("caf\u{e9}").matches(process(name: "cafe\u{301}")))
        #expect(ProcessRule.exe(composed).matches(process(exe: composed)))
    }
}

@Suite struct SuspicionRuleTests {
    private func reasons(
        exe: String? = "/usr/bin/x", exists: Bool? = true, name: String? = "x", arguments: [String] = ["x"],
        isKernelThread: Bool = false
    ) -> [SuspicionReason] {
        var event = ProcessEvent(
            identity: ProcessIdentity(pid: pid(5), birth: .scan(startTicks: 1, pidFDInode: 0)))
        event.executablePath = exe
        event.executableExists = exists
        event.name = name
        event.commandLine = arguments
        event.isKernelThread = isKernelThread
        return SuspicionRules.ofExecution(event, settings: ProcessSourceSettings()).map(\.reason)
    }

    @Test func `an ordinary program is not suspicious`() {
        #expect(reasons().isEmpty)
        #expect(reasons(exe: nil, exists: nil, name: nil, arguments: []).isEmpty, "no evidence, no suspicion")
    }

    @Test func `a program in memory is suspicious, one named alike is not`() {
        #expect(reasons(exe: "/memfd:x", exists: false) == [.executedFromMemory])
        #expect(reasons(exe: "/home/memfd:x").isEmpty)
        #expect(reasons(exe: "/memfd", exists: true).isEmpty)
    }

    @Test func `a deleted program is suspicious, one of unknown fate is not`() {
        #expect(reasons(exists: false) == [.executedDeletedFile])
        #expect(reasons(exists: nil).isEmpty)
    }

    @Test(arguments: ["/tmp/x", "/var/tmp/a/b", "/dev/shm/x"])
    func `a program in a world-writable folder is suspicious`(path: String) {
        #expect(reasons(exe: path) == [.executedFromWorldWritable])
    }

    @Test(arguments: ["/tmpx/x", "/home/tmp/x", "/var/tmpfile", "/dev/shmx", "/usr/tmp/x"])
    func `a folder with a similar name is not`(path: String) {
        #expect(reasons(exe: path).isEmpty)
    }

    @Test func `a program that hides in a world-writable folder and deletes itself gives both reasons`() {
        #expect(reasons(exe: "/tmp/x", exists: false) == [.executedDeletedFile, .executedFromWorldWritable])
    }

    @Test func `a combining mark behind the prefix does not hide anything`() {
        #expect(reasons(exe: "/tmp/\u{301}evil") == [.executedFromWorldWritable])
        #expect(reasons(exe: "/memfd:\u{301}x", exists: false) == [.executedFromMemory])
        #expect(reasons(name: "kworker/\u{301}0") == [.masqueradesAsKernelThread])
        #expect(reasons(arguments: ["[\u{301}kthreadd]"]) == [.masqueradesAsKernelThread])
        #expect(reasons(name: "[\u{301}x") == [.masqueradesAsKernelThread])
    }

    @Test(arguments: [
        "[kworker/0:1]", "kworker/u8:3", "ksoftirqd/0", "migration/1", "rcu_sched", "kthreadd", "kswapd0",
        "cpuhp/2",
    ])
    func `a program named like a kernel thread is suspicious`(name: String) {
        #expect(reasons(name: name) == [.masqueradesAsKernelThread])
    }

    @Test func `so is one whose first argument is in brackets`() {
        #expect(reasons(arguments: ["[jbd2/sda1-8]"]) == [.masqueradesAsKernelThread])
        #expect(reasons(name: "[", arguments: ["[", "-f", "x", "]"]).isEmpty, "test(1) is called [")
        #expect(reasons(arguments: ["[abc"]).isEmpty)
    }

    @Test func `kernel threads themselves are not, nor what has no executable`() {
        #expect(reasons(exe: nil, name: "kworker/0:1", isKernelThread: true).isEmpty)
        #expect(reasons(name: "kworker/0:1", isKernelThread: true).isEmpty)
        #expect(reasons(exe: nil, name: "kworker/0:1").isEmpty)
    }

    @Test func `a start in the future is suspicious beyond one tick`() {
        #expect(SuspicionRules.ofStart(startTicks: 101, nowTicks: 100, parentTicks: nil) == nil)
        #expect(
            SuspicionRules.ofStart(startTicks: 102, nowTicks: 100, parentTicks: nil)?.reason
                == .startsInFuture)
        #expect(
            SuspicionRules.ofStart(startTicks: .max, nowTicks: 100, parentTicks: 5)?.reason == .startsInFuture
        )
    }

    @Test func `a start before the parent's is suspicious beyond one tick`() {
        #expect(SuspicionRules.ofStart(startTicks: 49, nowTicks: 100, parentTicks: 50) == nil)
        #expect(
            SuspicionRules.ofStart(startTicks: 48, nowTicks: 100, parentTicks: 50)?.reason == .startsTooEarly)
        #expect(SuspicionRules.ofStart(startTicks: 48, nowTicks: 100, parentTicks: nil) == nil)
    }
}
