/// What some process does to the files of a case.
///
/// Paths are relative to the folder that the observer calls its root; `..` leads to what lies beside it. Everything is done
/// by root, with no umask.
package enum LitmusFileAction: Hashable, Sendable {
    /// `flags` of `renameat2(2)`.
    package enum RenameMode: String, Hashable, Sendable, CaseIterable {
        case replace
        case keep = "no-replace"
        case exchange
    }

    /// Special files that a case can make.
    package enum Node: String, Hashable, Sendable, CaseIterable {
        case fifo, socket
        /// `/dev/null`: 1:3.
        case device
    }

    /// `create PATH [text=TEXT] [mode=0644]`: `O_CREAT|O_EXCL|O_WRONLY`, written to if there is a text, closed.
    case create([UInt8], text: [UInt8], mode: UInt16)
    /// `write PATH TEXT [at=N]`: `O_WRONLY`, one `pwrite(2)`, without a place at the end, closed.
    case write([UInt8], [UInt8], at: UInt64?)
    /// `overwrite PATH TEXT`: `O_WRONLY|O_CREAT|O_TRUNC`, written, closed.
    case overwrite([UInt8], [UInt8])
    /// `truncate PATH SIZE`: by path, `truncate(2)`.
    case truncate([UInt8], size: UInt64)
    /// `fread PATH`: `O_RDONLY`, one `read(2)`, closed.
    case read([UInt8])
    /// `mmap PATH TEXT`: written through a shared mapping and `msync(2)`.
    case map([UInt8], [UInt8])
    /// `chmod PATH 0600`
    case chmod([UInt8], UInt16)
    /// `chown PATH UID GID`
    case chown([UInt8], uid: UInt32, gid: UInt32)
    /// `touch PATH`: sets the times of access and modification to a day in 2001.
    case touch([UInt8])
    /// `rename OLD NEW [mode=exchange|no-replace]`
    case rename([UInt8], [UInt8], RenameMode)
    /// `link OLD NEW`
    case link([UInt8], [UInt8])
    /// `symlink TARGET PATH`
    case symlink(target: [UInt8], [UInt8])
    /// `rm PATH`: `unlink(2)`.
    case unlink([UInt8])
    /// `mkdir PATH [mode=0755]`
    case makeFolder([UInt8], mode: UInt16)
    /// `rmdir PATH`
    case removeFolder([UInt8])
    /// `mknod PATH fifo|socket|device`
    case makeNode([UInt8], Node)
    /// `hold PATH F`: `O_WRONLY|O_APPEND`, kept open.
    case hold([UInt8], String)
    /// `put F TEXT [times=N]`: `write(2)`, so often.
    case put(String, [UInt8], times: Int)
    /// `release F`: `close(2)`.
    case release(String)
    /// `mount PATH`: an empty tmpfs.
    case mount([UInt8])
    /// `bind OLD NEW`: a bind mount.
    case bind([UInt8], [UInt8])
    /// `umount PATH [lazy]`
    case unmount([UInt8], isLazy: Bool)
    /// `storm PATH xN`: makes the files `f0`, `f1` and so on in a folder, empty.
    case storm([UInt8], count: Int)

    /// What ``touch(_:)`` sets: 2001-09-09, in seconds since 1970.
    package static let touchSeconds: Int64 = 1_000_000_000
}

/// What is looked at through `FileWatcher` and `RootedDirectory` only.
package enum LitmusFileObservation: Hashable, Sendable {
    /// A file by its path below the root, an open handle, or a name in an open folder.
    package enum Target: Hashable, Sendable {
        case path([UInt8])
        case handle(String)
        case name([UInt8], in: String)
    }

    /// `try rm PATH`, and all other actions: `ok` or the error.
    case attempt(LitmusFileAction)
    /// `watch w PATH [mask=create,delete] [as D]`: opened as a path first.
    case watch(String, Target, mask: UInt32, label: String?)
    /// `unwatch w D`
    case unwatch(String, label: String)
    /// `events w [room=N]`: all that is queued; with room, what one read of so many bytes gives.
    case events(String, room: Int?)
    /// `queue w`: how many records, and where the queue overflowed.
    case queue(String)
    /// `readable w`: whether a wait of 2 ms ends before its time.
    case readable(String)
    /// `beneath PATH path|folder|contents [as H]`: the type of what was opened.
    case open(Target, FileAccessName, handle: String?)
    /// `entries PATH [room=N] [calls=N]`: names and types, sorted; of an open folder, what is left to list.
    case entries(Target, room: Int, callLimit: Int)
    /// `stat PATH FIELD... [as v]`
    case status(Target, fields: [String], label: String?)
    /// `content PATH [at=N] [count=N]`: to the end, or one read of so many bytes.
    case content(Target, offset: UInt64, count: Int?)
}

/// What a file is opened for, as cases name it.
package enum FileAccessName: String, Hashable, Sendable, CaseIterable {
    case path, folder, contents
}
