public import struct SystemPackage.Errno

/// Measures what the collector's own process costs the host.
///
/// Costs nothing between two calls; a call takes some tens of microseconds.
public protocol ResourceMeter: Sendable {
    /// - Throws: What the reads of `/proc/self` give: `EMFILE`, `ENFILE`, `ENOENT` without `/proc`.
    func usage() throws(Errno) -> ResourceUsage
}

/// What a process has used, and uses now.
public struct ResourceUsage: Hashable, Sendable {
    /// CPU time in user mode over all threads, ended ones included (`getrusage(2)`).
    public var userTime: Duration
    /// CPU time in the kernel over all threads, ended ones included.
    public var systemTime: Duration
    /// Resident memory in bytes.
    public var residentByteCount: Int
    /// Open descriptors.
    public var descriptorCount: Int
    public var threadCount: Int

    public init(
        userTime: Duration, systemTime: Duration, residentByteCount: Int, descriptorCount: Int,
        threadCount: Int
    ) {
        self.userTime = userTime
        self.systemTime = systemTime
        self.residentByteCount = residentByteCount
        self.descriptorCount = descriptorCount
        self.threadCount = threadCount
    }

    public var cpuTime: Duration { userTime + systemTime }
}
