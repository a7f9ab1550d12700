import EventModel

/// Gives out pids as `alloc_pid` does: ascending from the last one, and again from 300 after the maximum.
struct PIDAllocator {
    /// Pids below this are given once only, at the boot (`RESERVED_PIDS`, `kernel/pid.c`).
    static let reservedCount: Int32 = 300

    let maximum: Int32
    private var last: Int32
    /// One bit for each pid in use, threads included.
    private var used: [UInt64]
    private(set) var usedCount = 0

    init(maximum: Int32) {
        // The kernel's own bounds: PIDS_PER_CPU_MIN and PID_MAX_LIMIT; smaller ones only hold in pid namespaces.
        self.maximum = min(max(maximum, Self.reservedCount + 1), 4_194_304)
        last = Self.reservedCount - 1
        used = Array(repeating: 0, count: Int(self.maximum) / 64 + 1)
    }

    func contains(_ pid: ProcessID) -> Bool {
        guard pid.rawValue > 0, pid.rawValue < maximum else { return false }
        return used[Int(pid.rawValue) / 64] & 1 << (UInt64(pid.rawValue) % 64) != 0
    }

    /// Takes exactly this pid; does not move the cursor, as with `set_tid`.
    mutating func take(_ pid: ProcessID) -> Bool {
        guard pid.rawValue > 0, pid.rawValue < maximum, !contains(pid) else { return false }
        used[Int(pid.rawValue) / 64] |= 1 << (UInt64(pid.rawValue) % 64)
        usedCount += 1
        return true
    }

    /// Takes the next free pid; `nil` when all are in use.
    mutating func takeNext() -> ProcessID? {
        guard let pid = firstFree(from: last + 1) ?? firstFree(from: Self.reservedCount) else { return nil }
        last = pid.rawValue
        return take(pid) ? pid : nil
    }

    mutating func release(_ pid: ProcessID) {
        precondition(contains(pid), "a pid is released once")
        used[Int(pid.rawValue) / 64] &= ~(1 << (UInt64(pid.rawValue) % 64))
        usedCount -= 1
    }

    mutating func setLast(_ pid: ProcessID) -> Bool {
        guard pid.rawValue >= 0, pid.rawValue < maximum else { return false }
        last = pid.rawValue
        return true
    }

    private func firstFree(from start: Int32) -> ProcessID? {
        var pid = max(start, 1)
        while pid < maximum {
            let free = ~used[Int(pid) / 64] >> (UInt64(pid) % 64)
            guard free == 0 else {
                let candidate = pid + Int32(free.trailingZeroBitCount)
                return candidate < maximum ? ProcessID(candidate) : nil
            }
            pid = (pid / 64 + 1) * 64
        }
        return nil
    }
}
