package import Backends
import EventModel

/// What the listing of a folder does.
extension FileTracker {
    /// Begins a listing: nothing has been seen yet.
    package mutating func beginListing(of folder: NodeID) {
        var child = index[folder].firstChild
        while child != .none {
            index[child].marks.remove(.seen)
            child = index[child].nextSibling
        }
    }

    /// A name that the listing has, and what is there.
    package mutating func noteListed(
        _ name: [UInt8], in folder: NodeID, _ status: FileStatus, _ mode: IndexNode.VisitMode
    ) {
        guard let id = index.find(name, in: folder) else {
            return addListed(name, in: folder, status, mode)
        }
        index[id].marks.insert(.seen)
        guard index[id].marks.contains(.known) else {
            return tellLearnt(id, status, origin: mode == .resync || mode == .poll ? .resync : .derived)
        }
        // In a folder that is new, records tell what changes.
        if mode == .resync || mode == .poll {
            let changes = index.changes(of: id, to: status)
            if !changes.isEmpty {
                return reconcile(id, status, changes, origin: .resync, mode: .resync)
            }
        }
        if mode == .resync || index[id].isFolder && index[id].watch == 0 && mode != .poll {
            enter(id, status, mode)
        }
    }

    private mutating func addListed(
        _ name: [UInt8], in folder: NodeID, _ status: FileStatus, _ mode: IndexNode.VisitMode
    ) {
        guard let id = add(name, in: folder, .status(status), mode == .poll ? .resync : mode) else {
            return
        }
        let look = FileLook.status(status)
        switch mode {
        case .baseline:
            if settings.reportsBaseline { publish(.baseline, of: id, look: look, origin: .baseline) }
        case .created: publish(.created, of: id, look: look, origin: .derived, wantsHash: true)
        case .poll, .resync: publish(.created, of: id, look: look, origin: .resync, wantsHash: true)
        case .none: break
        }
    }

    /// Names that the index has and the listing has not: to be looked at, since a listing is no snapshot.
    package func unseenChildren(of folder: NodeID) -> [NodeID] {
        var ids: [NodeID] = []
        var child = index[folder].firstChild
        while child != .none {
            if !index[child].marks.contains(.seen) { ids.append(child) }
            child = index[child].nextSibling
        }
        return ids
    }

    /// What a look at one of these has found.
    package mutating func noteUnseen(
        _ id: NodeID, in folder: NodeID, _ look: FileLook, _ mode: IndexNode.VisitMode
    ) {
        // A record may have told its end, and its number be another's.
        guard index[id].parent == folder, !index[id].marks.contains(.seen) else { return }
        switch look {
        case .vanished: removeTree(id, origin: mode == .created ? .derived : .resync)
        case .unknown: recheck(id)
        case .status(let status): noteListed(index.name(of: id), in: folder, status, mode)
        }
    }

    /// Makes the index say what is there, and tells the difference.
    mutating func reconcile(
        _ id: NodeID, _ status: FileStatus, _ changes: [FileChange], origin: EventOrigin,
        mode: IndexNode.VisitMode
    ) {
        let look = FileLook.status(status)
        let isReplaced = changes.contains(.identity) || changes.contains(.type)
        if isReplaced, index[id].isFolder || status.type == .directory {
            let (folder, name) = (index[id].parent, index.name(of: id))
            removeTree(id, origin: origin == .resync ? .resync : .derived)
            if let new = add(name, in: folder, look, mode) {
                publish(.created, of: new, look: look, origin: origin)
            } else {
                publish(.created, path: pathOf(name, in: folder), look: look, origin: origin)
            }
            return
        }
        index.set(status, of: id)
        if changes.contains(where: \.isOfContents) {
            index[id].marks.insert(.unhashed)
            publish(.modified, of: id, look: look, changes: changes, origin: origin, wantsHash: true)
        } else {
            publish(.attributes, of: id, look: look, changes: changes, origin: origin)
        }
        if mode == .resync { enter(id, status, .resync) }
    }
}

extension FileIndex {
    /// A name of one byte or two that no file can have and the folder has not.
    func freeName(in folder: NodeID) -> [UInt8] {
        var name: [UInt8] = [0x2f]
        while find(name, in: folder) != nil { name.append(0x2f) }
        return name
    }
}
