import CSimulation

import struct SystemPackage.Errno

/// The calls to `files.c`, one function each: all unsafe code about the files of cases is here.
enum FileSystem {
    /// How a file is opened to write to it.
    enum Opening {
        case create(UInt16)
        case at(UInt64)
        case append, replace
    }

    /// Gives the calling thread a mount namespace, a tmpfs over `folder`, and `folder/root` as its working directory.
    static func begin(in folder: [UInt8]) throws(LitmusFailure) {
        do throws(Errno) {
            let path = try text(folder)
            _ = unsafe try check(csim_files_begin(path))
        } catch {
            throw LitmusFailure("could not mount a tmpfs: \(error.symbol)")
        }
    }

    static func end(in folder: [UInt8]) {
        guard let path = try? text(folder) else { return }
        // Best effort: the mount goes with the thread's namespace.
        _ = unsafe csim_files_end(path)
    }

    /// `fs.inotify.max_queued_events`.
    static var queueLimit: Int { Int(csim_files_queue_limit()) }

    /// Opens, writes if there is something to write, and closes.
    static func write(_ path: [UInt8], _ bytes: [UInt8], _ opening: Opening) throws(Errno) {
        let path = try text(path)
        let count = Int32(bytes.count)
        switch opening {
        case .create(let mode): _ = unsafe try check(csim_file_create(path, UInt32(mode), count, bytes))
        case .at(let offset): _ = unsafe try check(csim_file_write_at(path, Int64(offset), count, bytes))
        case .append: _ = unsafe try check(csim_file_write_at(path, -1, count, bytes))
        case .replace: _ = unsafe try check(csim_file_replace(path, count, bytes))
        }
    }

    /// Opens to append, and keeps open.
    static func hold(_ path: [UInt8]) throws(Errno) -> ChannelDescriptor {
        let path = try text(path)
        return ChannelDescriptor(unsafe try check(csim_file_hold(path)))
    }

    static func put(_ bytes: [UInt8], into file: ChannelDescriptor) throws(Errno) {
        _ = unsafe try check(csim_file_put(file.rawValue, Int32(bytes.count), bytes))
    }

    /// Everything that takes one call and no descriptor.
    static func act(_ action: LitmusFileAction) throws(Errno) {
        switch action {
        case .truncate(let path, let size):
            let path = try text(path)
            _ = unsafe try check(csim_file_truncate(path, Int64(clamping: size)))
        case .read(let path):
            let path = try text(path)
            _ = unsafe try check(csim_file_read(path))
        case .map(let path, let bytes):
            let path = try text(path)
            _ = unsafe try check(csim_file_map(path, Int32(bytes.count), bytes))
        case .chmod(let path, let mode):
            let path = try text(path)
            _ = unsafe try check(csim_file_chmod(path, UInt32(mode)))
        case .chown(let path, let uid, let gid):
            let path = try text(path)
            _ = unsafe try check(csim_file_chown(path, uid, gid))
        case .touch(let path):
            let path = try text(path)
            _ = unsafe try check(csim_file_touch(path, LitmusFileAction.touchSeconds))
        default: try changeNames(action)
        }
    }

    private static func changeNames(_ action: LitmusFileAction) throws(Errno) {
        switch action {
        case .rename(let old, let new, let mode):
            let (old, new) = (try text(old), try text(new))
            _ = unsafe try check(csim_file_rename(old, new, mode.code))
        case .link(let old, let new):
            let (old, new) = (try text(old), try text(new))
            _ = unsafe try check(csim_file_link(old, new))
        case .symlink(let target, let path):
            let (target, path) = (try text(target), try text(path))
            _ = unsafe try check(csim_file_symlink(target, path))
        case .unlink(let path):
            let path = try text(path)
            _ = unsafe try check(csim_unlink(path))
        case .makeFolder(let path, let mode):
            let path = try text(path)
            _ = unsafe try check(csim_file_make_folder(path, UInt32(mode)))
        case .removeFolder(let path):
            let path = try text(path)
            _ = unsafe try check(csim_remove_folder(path))
        case .makeNode(let path, let node):
            let path = try text(path)
            _ = unsafe try check(csim_file_make_node(path, node.code))
        default: try changeMounts(action)
        }
    }

    private static func changeMounts(_ action: LitmusFileAction) throws(Errno) {
        switch action {
        case .mount(let path):
            let path = try text(path)
            _ = unsafe try check(csim_file_mount(path))
        case .bind(let old, let new):
            let (old, new) = (try text(old), try text(new))
            _ = unsafe try check(csim_file_bind(old, new))
        case .unmount(let path, let isLazy):
            let path = try text(path)
            _ = unsafe try check(csim_file_unmount(path, isLazy ? 1 : 0))
        default: preconditionFailure("an action of another kind")
        }
    }

    private static func text(_ path: [UInt8]) throws(Errno) -> [CChar] {
        guard !path.contains(0) else { throw .invalidArgument }
        return path.map { CChar(bitPattern: $0) } + [0]
    }

    private static func check(_ result: Int32) throws(Errno) -> Int32 {
        guard result >= 0 else { throw Errno(rawValue: -result) }
        return result
    }
}

extension LitmusFileAction.RenameMode {
    fileprivate var code: csim_rename {
        switch self {
        case .replace: CSIM_RENAME_REPLACE
        case .keep: CSIM_RENAME_KEEP
        case .exchange: CSIM_RENAME_EXCHANGE
        }
    }
}

extension LitmusFileAction.Node {
    fileprivate var code: csim_node {
        switch self {
        case .fifo: CSIM_NODE_FIFO
        case .socket: CSIM_NODE_SOCKET
        case .device: CSIM_NODE_DEVICE
        }
    }
}
