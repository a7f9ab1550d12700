/// A change to a file.
///
/// The kernel says only which name in which folder, and what was done; the rest was read afterwards (``metadata``).
public struct FilesystemEvent: Hashable, Sendable {
    /// The absolute path that the event is about.
    public var path: String
    /// The path before a rename.
    public var previousPath: String?
    /// What happened.
    public var operation: FileOperation
    /// What the file is.
    public var type: FileType?
    /// The process that did it; `nil` when not known, as with inotify.
    public var pid: ProcessID?
    /// Size in bytes.
    public var size: UInt64?
    /// Permission bits, 0 ... 0o7777.
    public var permissions: UInt16?
    /// The owner of the file.
    public var uid: UserID?
    /// The group of the file.
    public var gid: GroupID?
    /// Names the file within its file system, as ``device`` names that.
    public var inode: UInt64?
    /// `makedev` of the file system.
    public var device: UInt64?
    /// How many names the file has.
    public var linkCount: UInt64?
    /// When the contents last changed, by the file's own account.
    public var modifiedTime: WallTime?
    /// How what is not the kernel's message was learnt: `lateRead`, `absent`, or `unknown` and why.
    public var metadata: Provenance
    /// Lower-case hexadecimal digest of the contents; set if and only if ``hashAlgorithm`` is.
    public var fileHash: String?
    /// The algorithm of ``fileHash``.
    public var hashAlgorithm: HashAlgorithm?
    /// Why there is no ``fileHash`` although one was wanted.
    public var hashObstacle: HashObstacle?
    /// What differs from what was last known, for an event of a resync, a restart, or a change of attributes.
    public var changes: [FileChange]
    /// Why the file deserves a look, for `file.suspicious`.
    public var suspicion: FileSuspicion?
    /// What a package manager did, for `file.transaction`.
    public var transaction: PackageTransaction?

    /// An event of which only path and operation are known.
    public init(path: String, operation: FileOperation) {
        self.path = path
        self.operation = operation
        metadata = .absent
        changes = []
    }
}

/// What happened to a file.
public enum FileOperation: String, Hashable, Sendable, CaseIterable {
    /// Found by a first look, or changed in the way the name says.
    case baseline, created, modified, attributes, renamed, deleted
    /// Changed by a package manager, together with others.
    case transaction
    /// Not what it should be.
    case suspicious
}

/// The type of a file (`inode(7)`).
public enum FileType: String, Hashable, Sendable, CaseIterable {
    case regular, directory, symlink, fifo, socket
    case blockDevice = "block_device"
    case characterDevice = "character_device"

    /// The type in `st_mode`; `nil` for a value that Linux does not have.
    public init?(mode: UInt32) {
        switch mode & 0o170000 {
        case 0o100000: self = .regular
        case 0o040000: self = .directory
        case 0o120000: self = .symlink
        case 0o010000: self = .fifo
        case 0o140000: self = .socket
        case 0o060000: self = .blockDevice
        case 0o020000: self = .characterDevice
        default: return nil
        }
    }

    /// Its bits in `st_mode`.
    public var modeBits: UInt32 {
        switch self {
        case .regular: 0o100000
        case .directory: 0o040000
        case .symlink: 0o120000
        case .fifo: 0o010000
        case .socket: 0o140000
        case .blockDevice: 0o060000
        case .characterDevice: 0o020000
        }
    }
}

/// Why a file was not hashed.
public enum HashObstacle: String, Hashable, Sendable, CaseIterable {
    /// Gone, or replaced by another file, before it could be read.
    case vanished
    /// Changed while it was being read.
    case changing
    /// Larger than `sources.filesystem.hash_max_size`, or than ``Limits/hashedExecutableByteCount``.
    case tooLarge = "too_large"
    /// `sources.filesystem.hash_rate` was used up.
    case overBudget = "over_budget"
    /// Access was refused.
    case denied
    /// The read failed with another error.
    case failed
}

/// One thing about a file that is not as it was last known.
public enum FileChange: String, Hashable, Sendable, CaseIterable {
    /// Another file now has the name.
    case identity
    case size, modified, permissions, owner, group, type
    /// Status changed in the kernel's own time, though nothing else differs.
    case status
}

/// Why a file deserves a look.
public enum FileSuspicion: String, Hashable, Sendable, CaseIterable {
    /// Its contents are not those that its package states.
    case packageMismatch = "package_mismatch"
}

/// One run of a package manager: what it did to the watched files, checked against the packages' own lists.
public struct PackageTransaction: Hashable, Sendable {
    /// One package of the transaction.
    public struct Package: Hashable, Sendable {
        /// As in the package's list of files, architecture included where the list's name has it.
        public var name: String
        /// Whether it was there before and after.
        public var action: Action

        public enum Action: String, Hashable, Sendable, CaseIterable {
            case installed, removed, changed
        }

        public init(name: String, action: Action) {
            self.name = name
            self.action = action
        }
    }

    /// `dpkg`.
    public var manager: String
    /// In the order of their names, at most ``Limits/transactionPackageCount``.
    public var packages: [Package]
    /// How many packages there were in all.
    public var packageCount: UInt64
    /// Kernel messages that the summary stands for.
    public var foldedCount: UInt64
    /// Files whose contents are those that their package states.
    public var verifiedCount: UInt64
    /// Files whose contents are not; each has its own `file.suspicious`.
    public var mismatchedCount: UInt64
    /// Changed files that no package of the transaction lists; each has its own event.
    public var unlistedCount: UInt64
    /// Listed files without a checksum (configuration files, links, folders).
    public var uncheckedCount: UInt64
    public var begun: WallTime
    public var ended: WallTime

    public init(manager: String, begun: WallTime, ended: WallTime) {
        self.manager = manager
        packages = []
        packageCount = 0
        foldedCount = 0
        verifiedCount = 0
        mismatchedCount = 0
        unlistedCount = 0
        uncheckedCount = 0
        self.begun = begun
        self.ended = ended
    }
}
