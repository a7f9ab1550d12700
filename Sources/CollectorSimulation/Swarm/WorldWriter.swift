/// Writes what is on a host and what happens on it, one line after the other in the order of time.
struct WorldWriter: Sendable {
    /// Something that a step has left for later.
    enum Task: Hashable, Sendable {
        case exec(pid: Int32, serial: Int, SwarmFeature)
        case end(pid: Int32, serial: Int)
        case reap(pid: Int32, serial: Int)
        /// init has waited for it.
        case free(pid: Int32)
        /// The next piece of the steady load.
        case load
    }

    private struct Pending: Sendable {
        var time: Int64
        var task: Task
    }

    var plan: SwarmPlan
    var tape: ChoiceTape
    var host: ShadowHost
    var given: [SceneLine] = []
    private(set) var when: [SceneLine] = []
    /// Until when faults happen.
    private(set) var faultEnd: Int64 = 0
    private(set) var firstRestart: Int64?
    /// Latest first.
    private var pending: [Pending] = []
    private var weights: [UInt64]
    /// When the world comes to rest.
    private(set) var end: Int64 = 0
    private(set) var now: Int64 = 0
    /// Lives in a million seconds below everything else.
    private var loadRate: Int64 = 0
    /// Paths that something has executed and nobody has unlinked.
    var executables: [SceneValue] = []
    /// Where fresh pids come from: away from those that the kernel gives out in order.
    let freshPIDs: ClosedRange<Int64>

    init(plan: SwarmPlan, tape: ChoiceTape) {
        self.plan = plan
        self.tape = tape
        let limit = plan.number("host", "pid_max") ?? 32_768
        host = ShadowHost(pidLimit: Int32(clamping: limit))
        freshPIDs = (limit < 2_000 ? 3 : limit / 2)...(limit - 1)
        weights = plan.features.map(\.weight)
    }

    mutating func write(_ length: SwarmProfile.Length) {
        populate(length.processes.draw("processes", for: .world, from: &tape))
        populateFiles()
        emit([.word("start")])
        end = max(plan.simulated - plan.rest, 0)
        loadRate = length.forks.draw("forks", for: .world, from: &tape)
        if loadRate > 0 { schedule(.load, after: 0) }
        let count = length.steps.draw("steps", for: .world, from: &tape)
        let clump = length.clump.draw("clump", for: .world, from: &tape)
        let spread = max(count * (1_000_000 - clump) / 1_000_000, 1)
        for _ in 0..<count where now < end {
            let gap = nextGap(clump: clump, mean: end / spread)
            advance(to: min(now + gap, end))
            step()
        }
        advance(to: end)
        faultEnd = plan.heals ? end : end + plan.rest + 10_000_000_000
        now = end + plan.rest
        let signal = tape.index("signal", of: 2, for: .world) == 0 ? StopSignal.terminate : .interrupt
        emit([.word("stop"), .word(signal.rawValue)])
    }

    /// In whole microseconds, so that the file can be read.
    private mutating func nextGap(clump: Int64, mean: Int64) -> Int64 {
        guard tape.happens("clump", millionths: clump, for: .world) else {
            return tape.exponential("gap", mean: mean, for: .world) / 1_000 * 1_000
        }
        return tape.logarithmic("close", in: 0...128, for: .world) * 1_000
    }

    // MARK: - Lines

    mutating func emit(_ tokens: [SceneToken]) {
        when.append(SceneLine(.tokens([SceneToken(.time(now))] + tokens)))
    }

    mutating func noteRestart() { firstRestart = firstRestart ?? now }

    // MARK: - Time

    mutating func schedule(_ task: Task, after delay: Int64) {
        let time = now + delay / 1_000 * 1_000
        // Few are waiting at a time, and most new ones come soon.
        let index = pending.lastIndex { $0.time > time }.map { $0 + 1 } ?? 0
        pending.insert(Pending(time: time, task: task), at: index)
    }

    private mutating func advance(to time: Int64) {
        while let next = pending.last, next.time <= time {
            pending.removeLast()
            now = max(now, next.time)
            perform(next.task)
        }
        now = max(now, time)
    }

    private mutating func perform(_ task: Task) {
        switch task {
        case .exec(let pid, let serial, let feature):
            if let index = host.index(of: pid, serial: serial) { execute(at: index, feature) }
        case .end(let pid, let serial):
            if let index = host.index(of: pid, serial: serial) { exit(at: index, .life) }
        case .reap(let pid, let serial):
            if host.reap(pid, serial: serial) { emit([.word("reap"), .number(pid)]) }
        case .free(let pid): host.free(pid)
        case .load: load()
        }
    }

    // MARK: - The beginning and the steady load

    private mutating func populate(_ wanted: Int64) {
        let room = Int64(host.pidLimit) / 3
        let first = Int32(clamping: freshPIDs.lowerBound)
        var pid = max(first, 10)
        for index in 0..<min(wanted, room) {
            guard let free = host.freePID(from: pid) else { break }
            pid = free + 1 + Int32(tape.logarithmic("pid gap", in: 0...8, for: .world))
            let parent = index < 4 ? 0 : tape.index("parent", of: host.living.count, for: .world)
            let ppid = host.living[parent].pid
            var tokens = [SceneToken.word("proc"), .number(free), SceneToken(.value(path(hostile: 20_000)))]
            if ppid != 1 { tokens.append(.key("ppid", String(ppid))) }
            let user = Self.users[tape.index("user", of: Self.users.count, for: .world)]
            if user != 0 { tokens.append(.key("uid", String(user))) }
            given.append(SceneLine(.tokens(tokens)))
            _ = host.add(free, parent: ppid, leadsGroup: true)
        }
    }

    /// Users of processes; the collector's own is among them.
    static let users: [UInt32] = [0, 0, 0, 1_000, 33, 997]

    /// One burst, as long as its share of the load takes.
    private mutating func load() {
        let window = tape.uniform("window", in: 200...5_000, for: .world) * 1_000_000
        let span = min(window, end - now)
        // The rate counts in a million seconds; the span is below an hour.
        let count = loadRate / 1_000 * (span / 1_000_000) / 1_000_000
        if count > 0 {
            let parent = host.living[tape.index("load parent", of: host.living.count, for: .world)].pid
            let executes = tape.index("load kind", of: 4, for: .world) != 0
            let kind = executes ? "fork+exec+exit" : "fork+exit"
            var tokens: [SceneToken] = [
                .word("burst"), .word(kind), .number(parent), .word("x\(count)"),
                .key("over", Quantity.duration(nanoseconds: span)),
            ]
            if executes { tokens.append(.key("exe", "/usr/bin/" + program())) }
            emit(tokens)
        }
        if now + window < end { schedule(.load, after: window) }
    }

    // MARK: - Texts

    mutating func program() -> String {
        HostileText.programs[tape.index("program", of: HostileText.programs.count, for: .world)]
    }

    /// The path of an executable.
    mutating func path(hostile: Int64) -> SceneValue {
        guard tape.happens("hostile path", millionths: hostile, for: .world) else {
            return .bare("/usr/bin/" + program())
        }
        let file = HostileText.files[tape.index("file", of: HostileText.files.count, for: .world)]
        return .string(Array("/tmp/".utf8) + file)
    }

    // MARK: - Steps

    private mutating func step() {
        let index = tape.weighted("feature", weights, for: .world)
        guard index < plan.features.count, weights[index] > 0 else { return }
        plan.use(index)
        if plan.features[index].remaining <= 0 { weights[index] = 0 }
        perform(plan.features[index].feature)
    }
}
