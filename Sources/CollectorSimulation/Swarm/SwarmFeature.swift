/// Something that a swarm profile can let happen on a simulated host.
package enum SwarmFeature: String, Hashable, Sendable, CaseIterable {
    /// A whole life: fork, mostly an exec, later the end, and when the parent gets to it, `wait(2)`.
    case life = "process.life"
    /// A child that stays.
    case fork = "process.fork"
    case exec = "process.exec"
    /// The end of a process that happens to live.
    case exit = "process.exit"
    /// A process ends, and another gets its pid at once.
    case reuse = "process.reuse"
    case setID = "process.setid"
    case session = "process.session"
    case comm = "process.comm"
    case title = "process.title"
    case ptrace = "process.ptrace"
    case coredump = "process.coredump"
    /// Files below `/proc/PID` become root's.
    case hide = "process.hide"
    /// Many short lives in a row.
    case burst = "process.burst"
    case threadCreate = "thread.create"
    case threadExit = "thread.exit"
    /// A thread that is not the first executes.
    case threadExec = "thread.exec"
    /// The first thread ends before the others.
    case leaderExit = "thread.leader-exits"
    /// A file that processes run loses its name.
    case unlink = "file.unlink"
    case clockStep = "clock.step"
    case clockSuspend = "clock.suspend"
    /// A message that only claims to be the kernel's.
    case forge = "connector.forge"
    /// The operator asks for the accounts.
    case account = "collector.account"
    case restart = "collector.restart"
    /// Files are made, written and given other attributes.
    case filesContents = "files.contents"
    /// Names come, go and move.
    case filesNames = "files.names"
    /// Folders come, go and move.
    case filesFolders = "files.folders"
    /// FIFOs, devices and sockets.
    case filesSpecial = "files.special"
    case filesBurst = "files.burst"
    case filesMount = "files.mount"

    /// A number that a feature is tuned by.
    package enum Parameter: String, Hashable, Sendable, CaseIterable {
        /// How often, beside the other features; drawn once for each seed.
        case weight
        /// At most so often in a seed.
        case most
        /// The share of lives that execute something.
        case exec
        case lifetime
        /// From the end of a process to `wait(2)`.
        case reap
        /// The share of processes that nobody waits for.
        case neglect
        /// The share of texts that are hostile: bytes that are no text, newlines, parentheses, escape sequences.
        case hostile
        /// Number of arguments.
        case argv
        /// The share of programs that are anonymous memory files.
        case memfd
        /// The share of command lines and titles that hold a planted secret.
        case secret
        /// The share of ends by a signal.
        case signal
        /// The share of new processes that start in the clock tick of the old one.
        case sameTick = "same-tick"
        case count
        case over
        case by
        case span = "for"
        case down
    }

    /// Which parameters a feature has, beside `weight` and `most`.
    package var parameters: [Parameter] {
        switch self {
        case .life: [.exec, .lifetime, .reap, .neglect, .hostile, .argv, .memfd, .secret, .signal]
        case .exec, .threadExec: [.hostile, .argv, .memfd, .secret]
        case .exit: [.signal, .reap, .neglect]
        case .reuse: [.exec, .sameTick, .hostile, .argv, .memfd, .secret]
        case .comm: [.hostile]
        case .title: [.hostile, .secret]
        case .coredump: [.reap, .neglect]
        case .burst: [.count, .over, .exec]
        case .filesBurst: [.count, .over]
        case .filesNames: [.hostile]
        case .clockStep: [.by]
        case .clockSuspend: [.span]
        case .restart: [.down]
        case .fork, .setID, .session, .ptrace, .hide, .threadCreate, .threadExit, .leaderExit, .unlink,
            .forge, .account, .filesContents, .filesFolders, .filesSpecial, .filesMount:
            []
        }
    }
}

extension SwarmFeature.Parameter {
    /// What the number counts.
    var unit: Distribution.Unit {
        switch self {
        case .weight, .most, .argv, .count: .integer
        case .exec, .neglect, .hostile, .memfd, .secret, .signal, .sameTick: .fraction
        case .lifetime, .reap, .over, .by, .span, .down: .duration
        }
    }

    /// What a profile may ask for.
    var limits: ClosedRange<Int64> {
        switch self {
        case .weight: 0...1_000_000
        case .most: 0...100_000
        case .argv: 0...1_000
        case .count: 1...100_000
        case .by: -31_536_000_000_000_000...31_536_000_000_000_000
        case .span: 0...31_536_000_000_000_000
        case .lifetime, .reap, .over, .down: 0...86_400_000_000_000
        case .exec, .neglect, .hostile, .memfd, .secret, .signal, .sameTick: 0...1_000_000
        }
    }

    /// The number when the profile says nothing.
    var standard: NumberDistribution {
        switch self {
        case .weight: NumberDistribution(ranges: [.init(range: 1...100, shape: .uniform)])
        case .most: NumberDistribution(100_000)
        case .exec: NumberDistribution(700_000)
        case .lifetime: NumberDistribution(ranges: [.init(range: 0...2_000_000_000, shape: .exponential)])
        case .reap: NumberDistribution(ranges: [.init(range: 0...5_000_000, shape: .exponential)])
        case .neglect: NumberDistribution(50_000)
        case .hostile: NumberDistribution(100_000)
        case .argv: NumberDistribution(ranges: [.init(range: 0...4, shape: .uniform)])
        case .memfd: NumberDistribution(30_000)
        case .secret: NumberDistribution(100_000)
        case .signal: NumberDistribution(150_000)
        case .sameTick: NumberDistribution(300_000)
        case .count: NumberDistribution(ranges: [.init(range: 1...100, shape: .logarithmic)])
        case .over: NumberDistribution(ranges: [.init(range: 100_000...1_000_000_000, shape: .logarithmic)])
        case .by:
            NumberDistribution(ranges: [.init(range: -60_000_000_000...60_000_000_000, shape: .uniform)])
        case .span:
            NumberDistribution(ranges: [.init(range: 1_000_000_000...28_800_000_000_000, shape: .logarithmic)]
            )
        case .down: NumberDistribution(ranges: [.init(range: 0...1_000_000_000, shape: .uniform)])
        }
    }
}
