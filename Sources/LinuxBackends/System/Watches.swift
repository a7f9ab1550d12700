import CLinux

import struct SystemPackage.Errno

extension Syscall {
    /// A new inotify instance, in non-blocking mode.
    static func openInotify() throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(adopting: try check { clinux_inotify_open() })
    }

    /// Watches what `file` has open, and gives the number of the watch.
    static func addWatch(_ inotify: Int32, to file: Int32, mask: UInt32) throws(Errno) -> Int32 {
        try check { clinux_inotify_add(inotify, file, mask) }
    }

    static func removeWatch(_ inotify: Int32, _ watch: Int32) throws(Errno) {
        _ = try check { clinux_inotify_remove(inotify, watch) }
    }
}
