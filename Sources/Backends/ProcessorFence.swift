public import EventModel

public import struct SystemPackage.Errno

/// Makes the proc connector say its present sequence on a chosen CPU.
///
/// The calling thread moves to that CPU and sets its own name: the kernel sends a COMM message with the CPU's next
/// sequence (`drivers/connector/cn_proc.c`), and queues it before the call returns. Everything the CPU sent before it
/// is thereby counted, even what was lost.
public protocol ProcessorFence: Sendable {
    /// The processors that are online, ascending.
    func onlineProcessors() throws(Errno) -> [UInt32]

    /// Sets the calling thread's name to `name` (at most 15 bytes) on `processor`, then restores name and affinity.
    ///
    /// Two COMM messages result: the announcement on `processor`, then the restored name (on whatever CPU).
    /// - Throws: `EINVAL` when the thread may not run there (`sched_setaffinity(2)`).
    func announce(_ name: String, on processor: UInt32) throws(Errno)

    /// The collector's own process id, to tell its own messages apart.
    var ownProcessID: ProcessID { get }
}
