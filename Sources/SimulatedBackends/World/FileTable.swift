import Backends
import EventModel

/// A file that processes execute.
///
/// Not one of ``SimulatedFileSystem``: programs are made when they are first named, never written to, and their contents
/// follow from the inode, so that every program has its own and one that takes another's path has different ones.
final class SimulatedFile {
    let device: UInt64
    let inode: UInt64
    let path: [UInt8]
    var linkCount: UInt64
    var byteCount: UInt64
    var mode: UInt32
    var owner: UserID

    init(device: UInt64, inode: UInt64, path: [UInt8], linkCount: UInt64, mode: UInt32) {
        self.device = device
        self.inode = inode
        self.path = path
        self.linkCount = linkCount
        self.mode = mode
        byteCount = 65_536
        owner = UserID(0)
    }

    /// Its bytes.
    var content: FileContent { FileContent(size: byteCount, seed: inode) }

    /// What `statx(2)` tells.
    var status: FileStatus {
        FileStatus(
            device: device, inode: inode, mode: mode, linkCount: linkCount, uid: owner, gid: GroupID(0),
            size: byteCount, modified: WallTime(nanoseconds: 0), changed: WallTime(nanoseconds: 0), mountID: 0
        )
    }

    /// What `readlink(2)` of `/proc/PID/exe` gives: the path, with ` (deleted)` once it has no name.
    var linkText: [UInt8] { linkCount == 0 ? path + Array(" (deleted)".utf8) : path }
}

/// The files that can be executed: made when first named.
final class FileTable {
    private var named: [[UInt8]: SimulatedFile] = [:]
    private var nextInode: UInt64 = 131_073

    private static let diskDevice: UInt64 = 0xfe01
    private static let memoryDevice: UInt64 = 0x1
    private static let regularExecutable: UInt32 = 0o100755
    private static let regularAnonymous: UInt32 = 0o100777

    /// The file to execute.
    func file(for program: ExecutableProgram) -> SimulatedFile {
        switch program {
        case .file(let path):
            if let file = named[path] { return file }
            let file = makeFile(
                path: path, device: Self.diskDevice, linkCount: 1, mode: Self.regularExecutable)
            named[path] = file
            return file
        case .deletedFile(let path):
            return makeFile(path: path, device: Self.diskDevice, linkCount: 0, mode: Self.regularExecutable)
        case .memory(let name):
            let path = Array("/memfd:".utf8) + name
            return makeFile(path: path, device: Self.memoryDevice, linkCount: 0, mode: Self.regularAnonymous)
        }
    }

    /// The file that has a name now; `nil` when nobody has executed it yet, or its name is gone.
    func file(named path: [UInt8]) -> SimulatedFile? { named[path] }

    /// Takes away a file's name; `nil` when there is no such file.
    func unlink(_ path: [UInt8]) -> SimulatedFile? {
        let file = named.removeValue(forKey: path)
        file?.linkCount = 0
        return file
    }

    private func makeFile(path: [UInt8], device: UInt64, linkCount: UInt64, mode: UInt32) -> SimulatedFile {
        defer { nextInode += 1 }
        return SimulatedFile(device: device, inode: nextInode, path: path, linkCount: linkCount, mode: mode)
    }
}

extension ExecutableProgram {
    /// The path, or what stands for it.
    var path: [UInt8] {
        switch self {
        case .file(let path), .deletedFile(let path): path
        case .memory(let name): Array("/memfd:".utf8) + name
        }
    }

    /// What the kernel calls a process that executes this: the last component of the path, cut to 15 bytes.
    ///
    /// What is executed through a descriptor was called by the descriptor's number until 6.14 (`bprm->filename`).
    func defaultComm(on kernel: KernelVersion) -> [UInt8] {
        if case .file = self {} else if kernel < KernelVersion(major: 6, minor: 14) { return Array("3".utf8) }
        let start = path.lastIndex(of: 0x2f).map { path.index(after: $0) } ?? path.startIndex
        return Array(path[start...].prefix(Limits.commByteCount))
    }
}
