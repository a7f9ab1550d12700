public import EventModel

public import struct SystemPackage.Errno

/// One inotify instance (`inotify(7)`).
public protocol FileWatcher: Sendable {
    /// Watches what is open, whatever its name is (`inotify_add_watch(2)` through the descriptor, not a path).
    ///
    /// The same inode gives the same number, and a new mask replaces the old one unless it has `IN_MASK_ADD`. A number is
    /// not given twice in the life of an instance.
    ///
    /// - Parameters:
    ///   - file: What is to be watched; opened as ``FileAccess/path`` is enough.
    ///   - mask: The bits of `<sys/inotify.h>`.
    /// - Throws: `ENOSPC` beyond `fs.inotify.max_user_watches`, `ENOMEM`, `EACCES` without the right to read, `ENOTDIR` with
    ///   `IN_ONLYDIR`, `EINVAL` for a mask without an event, `EEXIST` with `IN_MASK_CREATE`.
    func addWatch(_ file: borrowing FileHandle, mask: UInt32) throws(Errno) -> Int32

    /// Ends a watch; `IN_IGNORED` follows in the queue, behind what is already there.
    ///
    /// - Throws: `EINVAL` when there is no such watch (any more).
    func removeWatch(_ watch: Int32) throws(Errno)

    /// One `read(2)` of at most `count` bytes of whole `inotify_event` records, appended to `bytes`.
    ///
    /// - Throws: `EAGAIN` when nothing is queued, `EINVAL` when the first record has no room (272 bytes hold any).
    func read(count: Int, into bytes: inout [UInt8]) throws(Errno) -> Int

    /// Waits until something is queued, the deadline passes, or ``interrupt()`` is called.
    ///
    /// One waiter at a time. A cancelled task returns at once with `interrupted`.
    func readable(until deadline: Instant?) async -> Readiness

    /// Makes the present or the next ``readable(until:)`` return; callable from any thread.
    func interrupt()
}
