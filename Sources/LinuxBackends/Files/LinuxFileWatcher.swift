package import Backends
package import EventModel

package import struct SystemPackage.Errno

/// One inotify instance of this host.
///
/// Calls may come from any thread; a wait is ended on the thread that the watcher was made for. Watches are added through
/// `/proc/self/fd`, the only way to watch what is open: without `/proc` that is `ENOENT`.
package final class LinuxFileWatcher: FileWatcher {
    private let queue: ReadableDescriptor

    /// Makes an instance; waits for it run on `thread`.
    ///
    /// - Throws: `EMFILE` beyond `fs.inotify.max_user_instances` or the limit of descriptors, `ENFILE`, `ENOMEM`.
    package init(on thread: LinuxThread) throws(Errno) {
        queue = try ReadableDescriptor(Syscall.openInotify(), on: thread)
    }

    package func addWatch(_ file: borrowing FileHandle, mask: UInt32) throws(Errno) -> Int32 {
        try Syscall.addWatch(queue.descriptor.rawValue, to: file.descriptor, mask: mask)
    }

    package func removeWatch(_ watch: Int32) throws(Errno) {
        try Syscall.removeWatch(queue.descriptor.rawValue, watch)
    }

    package func read(count: Int, into bytes: inout [UInt8]) throws(Errno) -> Int {
        try Syscall.read(queue.descriptor.rawValue, atMost: count, into: &bytes)
    }

    package func readable(until deadline: Instant?) async -> Readiness {
        await queue.readable(until: deadline)
    }

    package func interrupt() { queue.interrupt() }
}
