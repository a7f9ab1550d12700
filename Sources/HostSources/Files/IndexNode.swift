package import Backends
package import EventModel

/// Names one node of a ``FileIndex``; given again after the node was removed.
package struct NodeID: Hashable, Sendable {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// No node.
    package static let none = NodeID(rawValue: 0)
}

/// One name in one folder, and what was last known of the file behind it: 80 bytes.
package struct IndexNode: Sendable {
    /// What the source notes about a node.
    package struct Marks: OptionSet, Hashable, Sendable {
        package var rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let root = Marks(rawValue: 1)
        /// The fields of the status have been read at some time.
        package static let known = Marks(rawValue: 2)
        /// The present listing of the folder has it.
        package static let seen = Marks(rawValue: 4)
        /// Contents have changed, or may have, and no event has told their hash.
        package static let unhashed = Marks(rawValue: 8)
        /// A folder that should be watched and is not.
        package static let unwatched = Marks(rawValue: 16)
        /// Waits to be looked at again.
        package static let recheck = Marks(rawValue: 32)
    }

    package internal(set) var inode: UInt64 = 0
    package internal(set) var size: UInt64 = 0
    /// Nanoseconds, as in ``FileStatus/modified`` and ``FileStatus/changed``.
    package internal(set) var modified: Int64 = 0
    package internal(set) var changed: Int64 = 0
    package internal(set) var parent = NodeID.none
    package internal(set) var firstChild = NodeID.none
    package internal(set) var nextSibling = NodeID.none
    var previousSibling = NodeID.none
    /// Where the name is; of a root, which one it is.
    var nameSlot: UInt32 = 0
    package internal(set) var uid: UInt32 = 0
    package internal(set) var gid: UInt32 = 0
    package internal(set) var linkCount: UInt32 = 0
    /// The number of the watch; 0 for none (the kernel's begin at 1).
    package internal(set) var watch: Int32 = 0
    package internal(set) var mode: UInt16 = 0
    /// Which device of ``FileIndex/devices``.
    var device: UInt16 = 0
    var nameByteCount: UInt8 = 0
    package var marks: Marks = []
    /// What kind of look at the folder is due.
    package var visit = VisitMode.none

    /// Why a folder is to be listed, in ascending order of what it stands for.
    package enum VisitMode: UInt8, Comparable, Sendable {
        case none
        /// The first look: what is there was there before.
        case baseline
        /// The folder is new, and so is what is in it.
        case created
        /// The folder alone is compared, because it has no watch.
        case poll
        /// Something may have been missed, here and below.
        case resync

        package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }

    package var type: FileType? { FileType(mode: UInt32(mode)) }
    package var isFolder: Bool { mode & 0o170000 == 0o040000 }
    package var isRegular: Bool { mode & 0o170000 == 0o100000 }
}

/// How a look at a name ended.
package enum FileLook: Hashable, Sendable {
    case status(FileStatus)
    /// There is nothing of that name.
    case vanished
    /// It could not be looked at, or was not worth it.
    case unknown(UnknownReason)
}
