import EventModel
import HostSources
import KernelFormats
import Testing

/// SplitMix64: the same values on every run.
private struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

@Suite struct ProcessRuleTests {
    @Test(arguments: [
        "exe:/usr/bin/cat", "exe:/usr/lib/*", "exe:/*", "name:a:b", "name:kworker/*", "name:fifteen-bytes-x",
        "uid:1000", "uid:1000-1999", "uid:0-4294967295", "gid:7", "cgroup:/system.slice/*", "cgroup:/",
        "parent:/usr/sbin/cron",
    ])
    func `rules are read from text, and print the same`(text: String) throws {
        #expect(try #require(ProcessRule(text)).description == text)
    }

    @Test(arguments: [
        "", "exe", "exe:", "exe:cat", "exe:*", "name:", "name:sixteen-bytes-xyz", "uid:", "uid:-1",
        "uid:4294967296",
        "uid:root", "uid:1-", "uid:2-1", "uid:1-2-3", "uid:+1", "gid:x", "cgroup:user", "parent:cron",
        "pid:1",
        "/bin/cat", "exe:/a\0b",
    ])
    func `what is no rule, or could never match, is refused`(text: String) {
        #expect(ProcessRule(text) == nil)
    }

    private func rules(include: [String] = [], exclude: [String] = []) -> ProcessRules {
        var rules = ProcessRules()
        rules.include = include.compactMap { ProcessRule($0) }
        rules.exclude = exclude.compactMap { ProcessRule($0) }
        return rules
    }

    private func process(
        name: String? = "cat", exe: String? = "/bin/cat", uid: UInt32? = 0, gid: UInt32? = 0,
        cgroup: String? = nil
    ) -> ProcessEvent {
        var event = ProcessEvent(
            identity: ProcessIdentity(pid: pid(5), birth: .scan(startTicks: 1, pidFDInode: 0)))
        event.name = name
        event.executablePath = exe
        event.uid = uid.map { UserID($0) }
        event.gid = gid.map { GroupID($0) }
        event.cgroup = cgroup
        return event
    }

    @Test func `an exclude wins over an include, and what is unknown matches nothing`() {
        #expect(rules().isEmpty && rules().decide(on: process(), parentPath: nil) == .admitted)
        let included = rules(include: ["exe:/bin/cat"])
        #expect(included.decide(on: process(), parentPath: nil) == .admitted)
        #expect(included.decide(on: process(exe: nil), parentPath: nil) == .notIncluded)
        #expect(included.decide(on: process(exe: "/bin/catt"), parentPath: nil) == .notIncluded)
        let both = rules(include: ["exe:/bin/cat"], exclude: ["name:x", "uid:0"])
        #expect(both.decide(on: process(), parentPath: nil) == .excluded(1))
        #expect(both.decide(on: process(uid: nil), parentPath: nil) == .admitted)
    }

    @Test(arguments: [
        ("exe:/usr/lib/*", "/usr/lib/x", true), ("exe:/usr/lib/*", "/usr/lib/", true),
        ("exe:/usr/lib/*", "/usr/lib", false), ("exe:/usr/l*b/x", "/usr/lib/x", false),
        ("exe:/usr/l*b/x", "/usr/l*b/x", true), ("exe:/opt/caf\u{e9}", "/opt/cafe\u{301}", false),
        ("exe:/opt/cafe*", "/opt/cafe\u{301}", true), ("exe:/opt/caf\u{e9}", "/opt/caf\u{e9}", true),
    ])
    func `texts are compared byte by byte, and only an asterisk at the end is a pattern`(
        rule: String, path: String, matches: Bool
    ) {
        let decision = rules(exclude: [rule]).decide(on: process(exe: path), parentPath: nil)
        #expect((decision == .excluded(0)) == matches)
        let ofParent = rules(exclude: [rule.replacing("exe:", with: "parent:")])
        #expect((ofParent.decide(on: process(), parentPath: path) == .excluded(0)) == matches)
    }

    @Test func `sorted rules decide as asking each one does`() {
        var generator = SeededNumbers(state: 7)
        let letters = ["a", "b", "/", "*"]
        func text(_ most: Int) -> String {
            (0..<Int.random(in: 1...most, using: &generator)).map { _ in
                letters.randomElement(using: &generator) ?? ""
            }
            .joined()
        }
        for _ in 0..<2_000 {
            let texts = (0..<Int.random(in: 0...8, using: &generator)).map { _ -> String in
                if Bool.random(using: &generator) { return "exe:/" + text(4) }
                let low = UInt32.random(in: 0...20, using: &generator)
                return "uid:\(low)-\(low + UInt32.random(in: 0...6, using: &generator))"
            }
            let path = "/" + text(5)
            let user = UInt32.random(in: 0...26, using: &generator)
            let expected = texts.contains { rule in
                if rule.hasPrefix("uid:") {
                    let parts = rule.dropFirst(4).split(separator: "-").compactMap { UInt32($0) }
                    return (parts[0]...parts[1]).contains(user)
                }
                let pattern = rule.dropFirst(4)
                return pattern.hasSuffix("*") ? path.hasPrefix(pattern.dropLast()) : path == pattern
            }
            let decision = rules(exclude: texts).decide(on: process(exe: path, uid: user), parentPath: nil)
            #expect((decision != .admitted) == expected, "\(texts) \(path) \(user)")
        }
    }

    @Test func `hits are counted by rule, those beyond the limit together`() {
        let texts = (0..<70).map { "uid:\($0)" }
        var bench = Bench { $0.rules.exclude = texts.compactMap { ProcessRule($0) } }
        for user in UInt32(0)..<71 {
            bench.adopt(Int32(100 + user)) { reading in
                var status = ProcessStatus()
                status.uid = .init(UserID(user))
                reading.status = .value(status)
            }
            bench.feed(.session(leader(Int32(100 + user))))
        }
        let tally = bench.tracker.filtered.tally
        #expect(tally["exclude uid:0"] == 1 && tally["exclude uid:63"] == 1 && tally["exclude uid:64"] == 0)
        #expect(tally["exclude others"] == 6)
        #expect(tally.total == 70 && bench.events.count == 2)
        #expect(tally.entries.count == ProcessRules.countedRuleCount + 1)
    }

    @Test func `a rule on a late field takes effect once the field is known`() {
        for isExclude in [true, false] {
            var bench = Bench { settings in
                let rule = [ProcessRule("cgroup:/system.slice/*")].compactMap { $0 }
                if isExclude { settings.rules.exclude = rule } else { settings.rules.include = rule }
            }
            // Nothing is known of it but its pid.
            bench.feed(.session(leader(20)))
            #expect(bench.events.isEmpty != isExclude, "not yet known does not match")
            var reading = bench.makeReading(20, startMilliseconds: 900)
            reading.cgroup = .value(CgroupFile(unifiedPath: Array("/system.slice/x".utf8)))
            bench.tracker.reconcile(reading)
            bench.collect()
            let before = bench.events.count
            bench.feed(.session(leader(20)))
            #expect((bench.events.count == before) == isExclude, "it is known now")
            let reason = isExclude ? "exclude cgroup:/system.slice/*" : "not included"
            #expect(bench.tracker.filtered.tally[reason] == 1)
        }
    }

    @Test func `what a process becomes decides about its next event`() {
        var bench = Bench { $0.rules.exclude = ["uid:33"].compactMap { ProcessRule($0) } }
        bench.adopt(20)
        bench.events = []
        bench.feed(.uid(leader(20), real: UserID(33), effective: UserID(33)))
        bench.feed(.session(leader(20)))
        #expect(bench.events.isEmpty)
        bench.feed(.uid(leader(20), real: UserID(5), effective: UserID(5)))
        #expect(bench.events.kinds == [.processSetID])
        #expect(bench.tracker.filtered.tally["exclude uid:33"] == 2)
    }

    @Test func `the parent is the program that made the process, whatever becomes of either`() {
        var bench = Bench { $0.rules.include = ["parent:/usr/sbin/cron"].compactMap { ProcessRule($0) } }
        bench.adopt(10) { $0.exe = .value(ExecutableLink(target: Array("/usr/sbin/cron".utf8))) }
        #expect(bench.events.isEmpty, "cron itself has another parent")
        bench.feed(.fork(parent: leader(10), child: leader(20)))
        bench.feed(.exec(leader(20)), reading: bench.makeExecReading(20))
        bench.feed(.exec(leader(10)), reading: bench.makeExecReading(10))
        bench.feed(.session(leader(20)))
        #expect(bench.events.kinds == [.processFork, .processExec, .processSession])
        bench.feed(.fork(parent: leader(20), child: leader(21)))
        #expect(bench.events.count == 3, "a grandchild")
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
