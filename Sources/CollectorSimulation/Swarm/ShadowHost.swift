/// What a generator knows about the host that it makes up: enough that its lines refer to what exists.
///
/// Only an approximation, since the run decides much else; a line that refers to nothing is skipped there.
struct ShadowHost: Sendable {
    struct Process: Sendable {
        var pid: Int32
        /// Different for each process that ever was.
        var serial: Int
        var parent: Int32
        /// Threads beside the first.
        var threads: [Int32] = []
        var isLeaderDead = false
        var leadsGroup: Bool
        var tracer: Int32?
    }

    struct Zombie: Sendable {
        var pid: Int32
        var serial: Int
        var parent: Int32
    }

    /// Living processes; the first is init.
    private(set) var living: [Process]
    private(set) var zombies: [Zombie] = []
    private var used: Set<Int32>
    private var nextSerial = 1
    let pidLimit: Int32

    /// The collector's own pid, and room for its threads.
    static let reserved: ClosedRange<Int32> = 300...303

    init(pidLimit: Int32) {
        self.pidLimit = pidLimit
        living = [Process(pid: 1, serial: 0, parent: 0, leadsGroup: true)]
        used = [1, 2]
        for pid in Self.reserved { used.insert(pid) }
    }

    /// A pid that nobody has, the first free one from `start` on; `nil` when there is none near.
    func freePID(from start: Int32) -> Int32? {
        var pid = start
        for _ in 0..<1_000 {
            if pid >= pidLimit { pid = 3 }
            if !used.contains(pid) { return pid }
            pid += 1
        }
        return nil
    }

    func index(of pid: Int32, serial: Int) -> Int? {
        living.firstIndex { $0.pid == pid && $0.serial == serial }
    }

    func isInUse(_ pid: Int32) -> Bool { used.contains(pid) }

    /// - Returns: The serial number of the new process.
    mutating func add(_ pid: Int32, parent: Int32, leadsGroup: Bool) -> Int {
        used.insert(pid)
        nextSerial += 1
        living.append(Process(pid: pid, serial: nextSerial, parent: parent, leadsGroup: leadsGroup))
        return nextSerial
    }

    mutating func addThread(_ tid: Int32, at index: Int) {
        used.insert(tid)
        living[index].threads.append(tid)
    }

    mutating func removeThread(_ tid: Int32, at index: Int) {
        used.remove(tid)
        living[index].threads.removeAll { $0 == tid }
    }

    mutating func killLeader(at index: Int) { living[index].isLeaderDead = true }
    mutating func makeLeader(at index: Int) { living[index].leadsGroup = true }
    mutating func setTracer(_ tracer: Int32?, at index: Int) { living[index].tracer = tracer }

    /// After an exec one thread is left, and it is the first.
    mutating func execute(at index: Int) {
        for tid in living[index].threads { used.remove(tid) }
        living[index].threads = []
        living[index].isLeaderDead = false
    }

    /// The process ends. Children, and zombies that nobody waited for, go to init.
    ///
    /// - Returns: Pids that init frees soon.
    mutating func end(at index: Int) -> [Int32] {
        let process = living[index]
        for tid in process.threads { used.remove(tid) }
        living.swapAt(index, living.count - 1)
        living.removeLast()
        for other in living.indices {
            if living[other].parent == process.pid { living[other].parent = 1 }
            if living[other].tracer == process.pid { living[other].tracer = nil }
        }
        var freed: [Int32] = []
        zombies.removeAll { zombie in
            guard zombie.parent == process.pid else { return false }
            freed.append(zombie.pid)
            return true
        }
        if process.parent <= 2 {
            freed.append(process.pid)
        } else {
            zombies.append(Zombie(pid: process.pid, serial: process.serial, parent: process.parent))
        }
        return freed
    }

    /// - Returns: `false` when there is no such zombie any more.
    mutating func reap(_ pid: Int32, serial: Int) -> Bool {
        guard let index = zombies.firstIndex(where: { $0.pid == pid && $0.serial == serial }) else {
            return false
        }
        zombies.remove(at: index)
        used.remove(pid)
        return true
    }

    mutating func free(_ pid: Int32) { used.remove(pid) }
}
