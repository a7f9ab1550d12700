/// Pids whose processes have ended, as the stream has said, and which nobody has taken since.
///
/// A zombie stays in `/proc` for as long as its parent likes; one that cannot be read must not come to life again when a scan
/// finds it. Holds at most ``limit`` pids; when it is full it begins anew, and the worst that follows is that an
/// unreadable zombie is stated once more.
struct EndedProcesses {
    private var pids: Set<Int32> = []

    /// Half a MiB; there are never more zombies than pids, and mostly a handful.
    static let limit = 32_768

    var count: Int { pids.count }

    func contains(_ pid: Int32) -> Bool { pids.contains(pid) }

    mutating func insert(_ pid: Int32) {
        if pids.count >= Self.limit { pids.removeAll(keepingCapacity: true) }
        pids.insert(pid)
    }

    mutating func remove(_ pid: Int32) { pids.remove(pid) }

    /// Forgets those that `/proc` does not show any more.
    mutating func keep(_ listed: Set<Int32>) { pids.formIntersection(listed) }
}
