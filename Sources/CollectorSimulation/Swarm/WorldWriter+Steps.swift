extension WorldWriter {
    /// One thing that happens now; nothing when nobody is there whom it could happen to.
    mutating func perform(_ chosen: SwarmProfile.Feature) {
        switch chosen.feature {
        case .life: live(chosen)
        case .fork: if let parent = anyone() { _ = fork(from: parent) }
        case .exec: if let index = subject() { execute(at: index, .exec) }
        case .exit: if let index = subject() { exit(at: index, .exit) }
        case .reuse: reuse(chosen)
        case .burst: burst(chosen)
        case .setID, .session, .comm, .title, .ptrace, .coredump, .hide: changeAttribute(chosen)
        case .threadCreate: if let index = subject() { createThread(at: index) }
        case .threadExit, .threadExec, .leaderExit: changeThread(chosen.feature)
        case .unlink, .clockStep, .clockSuspend, .forge: changeHost(chosen)
        case .account: emit([.word("account")])
        case .filesContents, .filesNames, .filesFolders, .filesSpecial, .filesBurst, .filesMount:
            changeFiles(chosen)
        case .restart:
            noteRestart()
            emit([.word("restart"), .key("down", duration(.down, of: chosen))])
        }
    }

    // MARK: - Who

    /// Any living process, init among them.
    private mutating func anyone() -> Int? {
        tape.index("parent", of: host.living.count, for: .world)
    }

    /// A living process that is not init.
    private mutating func subject() -> Int? {
        guard host.living.count > 1 else { return nil }
        return 1 + tape.index("subject", of: host.living.count - 1, for: .world)
    }

    private mutating func freshPID() -> Int32? {
        host.freePID(from: Int32(clamping: tape.uniform("pid", in: freshPIDs, for: .world)))
    }

    // MARK: - Lives

    /// - Returns: The child's place among the living.
    private mutating func fork(from parent: Int, as pid: Int32? = nil, isSameTick: Bool = false) -> Int? {
        guard let child = pid ?? freshPID() else { return nil }
        let ppid = host.living[parent].pid
        var tokens: [SceneToken] = [.word("fork"), .number(ppid), .arrow, .number(child)]
        if pid != nil { tokens.append(.word("reuse")) }
        if isSameTick { tokens.append(.key("start", "same-tick")) }
        emit(tokens)
        _ = host.add(child, parent: ppid, leadsGroup: false)
        return host.living.count - 1
    }

    private mutating func live(_ chosen: SwarmProfile.Feature) {
        guard let parent = anyone(), let index = fork(from: parent) else { return }
        let child = host.living[index]
        if happens(.exec, of: chosen) {
            let delay = tape.exponential("exec delay", mean: 500_000, for: .world)
            schedule(.exec(pid: child.pid, serial: child.serial, .life), after: delay)
        }
        let lifetime = chosen[.lifetime].draw("lifetime", for: .world, from: &tape)
        schedule(.end(pid: child.pid, serial: child.serial), after: lifetime)
    }

    mutating func exit(at index: Int, _ feature: SwarmFeature) {
        let settings = settings(of: feature)
        let pid = host.living[index].pid
        if happens(.signal, of: settings) {
            let signal = [9, 15, 11, 2, 6, 1, 64][tape.index("signal", of: 7, for: .world)]
            emit([.word("kill"), .number(pid), .key("signal", String(signal))])
        } else {
            let code = tape.logarithmic("code", in: 0...255, for: .world)
            emit([.word("exit"), .number(pid)] + (code == 0 ? [] : [.key("code", String(code))]))
        }
        bury(at: index, settings)
    }

    /// What follows the end of a process: sooner or later, or never, somebody waits for it.
    private mutating func bury(at index: Int, _ settings: SwarmProfile.Feature) {
        let process = host.living[index]
        for freed in host.end(at: index) { schedule(.free(pid: freed), after: 1_000_000) }
        guard process.parent > 2, !happens(.neglect, of: settings) else { return }
        let delay = settings[.reap].draw("reap", for: .world, from: &tape)
        schedule(.reap(pid: process.pid, serial: process.serial), after: delay)
    }

    /// A process ends and is waited for, and its pid is given to another at once.
    private mutating func reuse(_ chosen: SwarmProfile.Feature) {
        guard var index = subject() else { return }
        let isSameTick = happens(.sameTick, of: chosen)
        if isSameTick {
            // Start times tie only when the first of the two has just begun.
            guard let born = fork(from: index) else { return }
            index = born
            if happens(.exec, of: chosen) { execute(at: index, .reuse) }
        }
        let process = host.living[index]
        emit([.word("exit"), .number(process.pid)])
        emit([.word("reap"), .number(process.pid)])
        for freed in host.end(at: index) where freed != process.pid {
            schedule(.free(pid: freed), after: 1_000_000)
        }
        _ = host.reap(process.pid, serial: process.serial)
        guard let parent = anyone(),
            let child = fork(from: parent, as: process.pid, isSameTick: isSameTick)
        else { return }
        guard happens(.exec, of: chosen) else { return }
        if tape.index("at once", of: 2, for: .world) == 0 {
            execute(at: child, .reuse)
        } else {
            let delay = tape.logarithmic("exec delay", in: 0...2_000_000, for: .world)
            let serial = host.living[child].serial
            schedule(.exec(pid: process.pid, serial: serial, .reuse), after: delay)
        }
    }

    private mutating func burst(_ chosen: SwarmProfile.Feature) {
        guard let parent = anyone() else { return }
        let count = chosen[.count].draw("count", for: .world, from: &tape)
        let isExecuting = happens(.exec, of: chosen)
        var tokens: [SceneToken] = [
            .word("burst"), .word(isExecuting ? "fork+exec+exit" : "fork+exit"),
            .number(host.living[parent].pid), .word("x\(count)"), .key("over", duration(.over, of: chosen)),
        ]
        if isExecuting { tokens.append(.key("exe", "/usr/bin/" + program())) }
        emit(tokens)
    }

    // MARK: - Execs

    mutating func execute(at index: Int, _ feature: SwarmFeature) {
        emit([.word("exec"), .number(host.living[index].pid)] + execution(settings(of: feature)))
        host.execute(at: index)
    }

    /// Path and keys of an exec.
    private mutating func execution(_ settings: SwarmProfile.Feature) -> [SceneToken] {
        let hostile = settings[.hostile].draw("hostile", for: .world, from: &tape)
        let path = path(hostile: hostile)
        var tokens = [SceneToken(.value(path))]
        let count = settings[.argv].draw("argv", for: .world, from: &tape)
        var values = (0..<count).map { _ in argument(hostile: hostile) }
        if tape.happens(
            "secret", millionths: settings[.secret].draw("share", for: .secret, from: &tape), for: .secret)
        {
            // Without arguments the first one is the path.
            if values.isEmpty { values.append(path) }
            values += plantedArguments()
        }
        if !values.isEmpty { tokens.append(SceneToken(.keyed("argv", .list(values)))) }
        if tape.happens("hostile comm", millionths: hostile, for: .world) {
            tokens.append(SceneToken(.keyed("comm", .string(hostileName()))))
        }
        if happens(.memfd, of: settings) {
            tokens.append(.word("memfd"))
        } else if executables.count < 64 {
            executables.append(path)
        }
        return tokens
    }

    private mutating func argument(hostile: Int64) -> SceneValue {
        guard tape.happens("hostile argument", millionths: hostile, for: .world) else {
            return .bare("-a\(tape.index("argument", of: 20, for: .world))")
        }
        return .string(
            HostileText.arguments[tape.index("text", of: HostileText.arguments.count, for: .world)])
    }

    private mutating func plantedArguments() -> [SceneValue] {
        let form = PlantedSecret.forms[
            tape.index("form", of: PlantedSecret.forms.count, for: .secret)]
        let secret = plantedSecret(anyByte: form.takesAnyByte)
        return form.arguments.map { .string(PlantedSecret.fill($0, with: secret)) }
    }

    private mutating func plantedTitle() -> [UInt8] {
        let form = PlantedSecret.titles[tape.index("title", of: PlantedSecret.titles.count, for: .secret)]
        return PlantedSecret.fill(form, with: plantedSecret(anyByte: false))
    }

    private mutating func plantedSecret(anyByte: Bool) -> [UInt8] {
        let glue = anyByte ? PlantedSecret.oddGlue : PlantedSecret.plainGlue
        let count = 2 + tape.index("length", of: 4, for: .secret)
        return (0..<count).reduce(into: []) { secret, _ in
            secret += PlantedSecret.marker
            secret += Array(glue[tape.index("glue", of: glue.count, for: .secret)].utf8)
        }
    }

    private mutating func hostileName() -> [UInt8] {
        HostileText.names[tape.index("name", of: HostileText.names.count, for: .world)]
    }

    // MARK: - Attributes

    private mutating func changeAttribute(_ chosen: SwarmProfile.Feature) {
        guard let index = subject() else { return }
        let process = host.living[index]
        switch chosen.feature {
        case .setID:
            guard !process.isLeaderDead else { return }
            let verb = tape.index("kind", of: 2, for: .world) == 0 ? "setuid" : "setgid"
            let user = tape.index("user", of: Self.users.count, for: .world)
            emit([.word(verb), .number(process.pid), .number(Self.users[user])])
        case .session:
            guard !process.leadsGroup else { return }
            emit([.word("setsid"), .number(process.pid)])
            host.makeLeader(at: index)
        case .comm:
            guard !process.isLeaderDead else { return }
            let isHostile = happens(.hostile, of: chosen)
            let name = isHostile ? hostileName() : Array(program().utf8)
            emit([.word("comm"), .number(process.pid), .text(name)])
        case .title:
            let isHostile = happens(.hostile, of: chosen)
            var title = isHostile ? hostileName() : Array((program() + ": worker").utf8)
            let share = chosen[.secret].draw("share", for: .secret, from: &tape)
            if tape.happens("secret", millionths: share, for: .secret) { title += plantedTitle() }
            emit([.word("title"), .number(process.pid), .text(title)])
        case .ptrace: trace(index, process)
        case .coredump:
            let signal = [11, 6, 4, 8][tape.index("signal", of: 4, for: .world)]
            emit([.word("coredump"), .number(process.pid), .key("signal", String(signal))])
            bury(at: index, chosen)
        default: emit([.word("hide"), .number(process.pid)])
        }
    }

    private mutating func trace(_ index: Int, _ process: ShadowHost.Process) {
        guard process.tracer == nil else {
            emit([.word("ptrace"), .word("detach"), .number(process.pid)])
            return host.setTracer(nil, at: index)
        }
        guard let tracer = subject(), tracer != index else { return }
        let pid = host.living[tracer].pid
        emit([.word("ptrace"), .word("attach"), .number(pid), .arrow, .number(process.pid)])
        host.setTracer(pid, at: index)
    }

    // MARK: - Threads

    private mutating func createThread(at index: Int) {
        guard let tid = freshPID() else { return }
        emit([.word("thread"), .word("create"), .number(host.living[index].pid), .arrow, .number(tid)])
        host.addThread(tid, at: index)
    }

    /// Something happens to a process with threads; when there is none, one gets its first.
    private mutating func changeThread(_ feature: SwarmFeature) {
        guard let start = subject() else { return }
        let count = host.living.count
        let candidates = (0..<count - 1).lazy.map { 1 + (start - 1 + $0) % (count - 1) }
        guard let index = candidates.first(where: { !host.living[$0].threads.isEmpty }) else {
            return createThread(at: start)
        }
        let process = host.living[index]
        let tid = process.threads[tape.index("thread", of: process.threads.count, for: .world)]
        switch feature {
        case .threadExit:
            emit([.word("thread"), .word("exit"), .number(process.pid), .number(tid)])
            host.removeThread(tid, at: index)
            if process.isLeaderDead, process.threads.count == 1 { bury(at: index, settings(of: .exit)) }
        case .threadExec:
            let program = execution(settings(of: .threadExec))
            emit([.word("thread"), .word("exec"), .number(process.pid), .number(tid)] + program)
            host.execute(at: index)
        default:
            guard !process.isLeaderDead else { return }
            emit([.word("thread"), .word("leader-exits"), .number(process.pid)])
            host.killLeader(at: index)
        }
    }

    // MARK: - The host

    private mutating func changeHost(_ chosen: SwarmProfile.Feature) {
        switch chosen.feature {
        case .unlink:
            guard !executables.isEmpty else { return }
            let path = executables.remove(at: tape.index("path", of: executables.count, for: .world))
            executables.removeAll { $0 == path }
            emit([.word("unlink"), SceneToken(.value(path))])
        case .clockStep:
            emit([.word("clock"), .word("realtime"), .key("step", duration(.by, of: chosen))])
        case .clockSuspend:
            emit([.word("clock"), .word("suspend"), .word(duration(.span, of: chosen))])
        default:
            let kind = ForgedKind.allCases[tape.index("kind", of: 3, for: .world)]
            guard let index = anyone() else { return }
            let port = tape.logarithmic("port", in: 1...65_535, for: .world)
            emit([
                .word("forge"), .word(kind.rawValue), .number(host.living[index].pid),
                .key("port", String(port)),
            ])
        }
    }

    // MARK: - Parameters

    /// What the profile says about a feature; what is usual, when it has no line there.
    private func settings(of feature: SwarmFeature) -> SwarmProfile.Feature {
        plan.features.first { $0.feature.feature == feature }?.feature
            ?? SwarmProfile.Feature(
                feature: feature, parameters: SwarmFeature.Parameter.allCases.map(\.standard))
    }

    mutating func happens(_ parameter: SwarmFeature.Parameter, of chosen: SwarmProfile.Feature)
        -> Bool
    {
        let share = chosen[parameter].draw("share", for: .world, from: &tape)
        return tape.happens("happens", millionths: share, for: .world)
    }

    /// In whole microseconds.
    mutating func duration(_ parameter: SwarmFeature.Parameter, of chosen: SwarmProfile.Feature)
        -> String
    {
        let value = chosen[parameter].draw("duration", for: .world, from: &tape)
        return Quantity.duration(nanoseconds: value / 1_000 * 1_000)
    }
}
