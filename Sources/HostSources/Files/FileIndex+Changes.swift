package import Backends
package import EventModel

extension FileIndex {
    /// In what a file differs from what was last known of it; empty when that is nothing, or when nothing was known.
    ///
    /// Times and sizes of folders are left out: they change with every name in them, which is told by itself.
    package func changes(of id: NodeID, to status: FileStatus) -> [FileChange] {
        let node = self[id]
        guard node.marks.contains(.known) else { return [] }
        var changes: [FileChange] = []
        if node.inode != status.inode || device(of: id) != status.device { changes.append(.identity) }
        if node.type != status.type { changes.append(.type) }
        if node.mode & 0o7777 != status.permissions { changes.append(.permissions) }
        if node.uid != status.uid.rawValue { changes.append(.owner) }
        if node.gid != status.gid.rawValue { changes.append(.group) }
        guard !node.isFolder || status.type != .directory else { return changes }
        if node.size != status.size { changes.append(.size) }
        if node.modified != status.modified.nanoseconds { changes.append(.modified) }
        if changes.isEmpty, node.changed != status.changed.nanoseconds { changes.append(.status) }
        return changes
    }
}

extension FileChange {
    /// Whether it is about what the file holds, not about what it is.
    var isOfContents: Bool {
        switch self {
        case .identity, .size, .modified, .type: true
        case .permissions, .owner, .group, .status: false
        }
    }
}
