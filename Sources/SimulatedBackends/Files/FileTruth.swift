package import EventModel

/// What really happened to the files of a simulated host, for oracles to compare with what a collector says.
package struct FileTruth: Sendable {
    /// In the order in which it happened.
    package private(set) var changes: [Change] = []
    /// What the collector opened to read.
    package private(set) var openings: [Opening] = []
    /// All that each inode ever contained, in order.
    private var contents: [TruthFileID: [FileContent]] = [:]
    private let retention: TruthRetention

    init(retention: TruthRetention) { self.retention = retention }

    /// One change of one name or of one inode.
    package struct Change: Hashable, Sendable {
        package var time: Instant
        package var kind: Kind
        package var file: TruthFileID
        package var type: FileType
        package var inode: UInt64
        /// Where the file is afterwards, or was before it lost the name.
        package var path: [UInt8]
        /// Before a rename.
        package var previousPath: [UInt8]?
    }

    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// There since before the run.
        case present
        case created, linked, contents, attributes, renamed, removed
        /// A file system came into sight or went out of it.
        case mounted, unmounted
    }

    /// One opening of contents by the collector.
    package struct Opening: Hashable, Sendable {
        package var time: Instant
        package var file: TruthFileID
        package var type: FileType
        /// Where it was then; `nil` when it had no name.
        package var path: [UInt8]?
    }

    /// What an inode contained from its beginning to its end, in order.
    package func contents(of file: TruthFileID) -> [FileContent] { contents[file] ?? [] }

    // MARK: Written by the world

    mutating func add(_ change: @autoclosure () -> Change) {
        guard retention == .everything else { return }
        changes.append(change())
    }

    mutating func add(_ opening: @autoclosure () -> Opening) {
        guard retention == .everything else { return }
        openings.append(opening())
    }

    mutating func note(_ content: FileContent, of node: FileNode) {
        guard retention == .everything else { return }
        contents[TruthFileID(rawValue: node.id), default: []].append(content)
    }
}

/// One inode in the truth, whatever number it has.
package struct TruthFileID: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// One name of the tree as it is at a moment.
package struct FileTruthEntry: Hashable, Sendable {
    package var path: [UInt8]
    package var file: TruthFileID
    package var type: FileType
    package var device: UInt64
    package var inode: UInt64
    package var permissions: UInt16
    package var uid: UserID
    package var gid: GroupID
    package var size: UInt64
    package var linkCount: UInt64
    package var modified: WallTime
    package var changed: WallTime
    package var content: FileContent
    /// Its file system fails every call.
    package var isUnreachable: Bool
}
