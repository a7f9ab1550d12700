package import Backends
import EventModel

/// Everything below the watched roots, as it was last known: a tree of compact nodes.
///
/// Renaming a folder moves one node. A node takes 80 bytes, 4 to 8 in the table, and its name rounded up to 8. Holds at
/// most ``limit`` nodes; what does not fit is refused and counted.
package struct FileIndex: Sendable {
    private static let pageNodeCount = 4_096
    private static let tombstone = UInt32.max

    package let limit: Int
    /// Nodes that did not fit.
    package private(set) var refusedCount: UInt64 = 0
    package private(set) var count = 0
    /// Absolute paths of the roots, without a slash at the end, and their nodes, in the order of adding.
    package private(set) var roots: [(path: [UInt8], id: NodeID)] = []
    /// `makedev` numbers; nodes name them by position. Beyond 65 535 further ones share the last.
    package private(set) var devices: [UInt64] = []

    private var pages: [ContiguousArray<IndexNode>] = []
    private var nodeCount: UInt32 = 1
    /// The first of the removed nodes, which are linked by their `nextSibling`.
    private var firstFree = NodeID.none
    private var names = NameArena()
    private var slots: ContiguousArray<UInt32>
    /// Slots that are not empty: nodes and tombstones.
    private var usedSlotCount = 0
    private var idOfWatch: [Int32: NodeID] = [:]
    /// Where a walk through the names of a folder stands: when that one leaves its folder, the walk goes on to the next.
    package var walk = NodeID.none

    package init(limit: Int = Limits.indexedFileCount) {
        self.limit = limit
        slots = ContiguousArray(repeating: 0, count: 64)
    }

    // MARK: - Reading

    package subscript(id: NodeID) -> IndexNode {
        get { pages[Int(id.rawValue) / Self.pageNodeCount][Int(id.rawValue) % Self.pageNodeCount] }
        _modify {
            yield &pages[Int(id.rawValue) / Self.pageNodeCount][Int(id.rawValue) % Self.pageNodeCount]
        }
    }

    /// The node of one name in a folder.
    package func find(_ name: [UInt8], in parent: NodeID) -> NodeID? {
        var slot = hash(name, parent) & (slots.count - 1)
        while slots[slot] != 0 {
            let id = NodeID(rawValue: slots[slot])
            if id.rawValue != Self.tombstone, self[id].parent == parent, holds(name, id) { return id }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// The last component; of a root, its path.
    package func name(of id: NodeID) -> [UInt8] {
        let node = self[id]
        if node.marks.contains(.root) { return roots[Int(node.nameSlot)].path }
        return names.name(node.nameSlot, count: Int(node.nameByteCount))
    }

    /// Appends the last component of a node that is no root.
    package func appendName(of id: NodeID, to bytes: inout [UInt8]) {
        names.append(self[id].nameSlot, count: Int(self[id].nameByteCount), to: &bytes)
    }

    /// The node at a path below a root, of which further slashes at the end are ignored.
    package func find(path: ArraySlice<UInt8>, below root: NodeID) -> NodeID? {
        var id = root
        for name in path.split(separator: 0x2f) {
            guard let child = find(Array(name), in: id) else { return nil }
            id = child
        }
        return id
    }

    /// The absolute path; `/` for the root of all.
    package func path(of id: NodeID) -> [UInt8] {
        let (root, relative) = location(of: id)
        let path = roots[root].path
        if relative.isEmpty { return path.isEmpty ? [0x2f] : path }
        return path + [0x2f] + relative
    }

    /// Which root a node is below, and its path from there.
    package func location(of id: NodeID) -> (root: Int, path: [UInt8]) {
        var chain: [NodeID] = []
        var id = id
        while !self[id].marks.contains(.root) {
            chain.append(id)
            id = self[id].parent
        }
        var path: [UInt8] = []
        for id in chain.reversed() {
            if !path.isEmpty { path.append(0x2f) }
            names.append(self[id].nameSlot, count: Int(self[id].nameByteCount), to: &path)
        }
        return (Int(self[id].nameSlot), path)
    }

    /// The position of the root above a node, and how many folders lie between.
    package func root(of id: NodeID) -> (root: Int, depth: Int) {
        var id = id
        var depth = 0
        while !self[id].marks.contains(.root) {
            id = self[id].parent
            depth += 1
        }
        return (Int(self[id].nameSlot), depth)
    }

    package func isAncestor(_ ancestor: NodeID, of id: NodeID) -> Bool {
        var id = self[id].parent
        while id != .none {
            if id == ancestor { return true }
            id = self[id].parent
        }
        return false
    }

    package func device(of id: NodeID) -> UInt64 {
        let device = Int(self[id].device)
        return device < devices.count ? devices[device] : 0
    }

    package func child(withWatch watch: Int32) -> NodeID? { idOfWatch[watch] }

    package var watchCount: Int { idOfWatch.count }

    /// Bytes of memory for nodes, table and names.
    package var byteCount: Int {
        pages.count * Self.pageNodeCount * MemoryLayout<IndexNode>.stride + slots.count * 4 + names.byteCount
            + idOfWatch.capacity * 8
    }

    // MARK: - Changing

    /// Adds a root: a node without a parent.
    package mutating func addRoot(_ path: [UInt8]) -> NodeID {
        let id = takeNode()
        self[id].marks = .root
        self[id].nameSlot = UInt32(roots.count)
        roots.append((path, id))
        return id
    }

    /// Adds a name that the folder does not have yet.
    ///
    /// - Returns: `nil` when the index is full.
    package mutating func insert(_ name: [UInt8], in parent: NodeID) -> NodeID? {
        guard count < limit else {
            refusedCount += 1
            return nil
        }
        let id = takeNode()
        attach(id, name, parent)
        return id
    }

    /// Removes a node that has no children.
    package mutating func remove(_ id: NodeID) {
        precondition(self[id].firstChild == .none, "a removed folder must be empty")
        precondition(!self[id].marks.contains(.root), "roots stay")
        setWatch(0, of: id)
        detach(id)
        self[id] = IndexNode()
        self[id].nextSibling = firstFree
        firstFree = id
        count -= 1
    }

    /// Gives a node another name and folder, which must be free and not below the node.
    package mutating func move(_ id: NodeID, to name: [UInt8], in parent: NodeID) {
        detach(id)
        attach(id, name, parent)
    }

    /// Notes the watch of a folder; 0 for none.
    package mutating func setWatch(_ watch: Int32, of id: NodeID) {
        let former = self[id].watch
        if former != 0, idOfWatch[former] == id { idOfWatch[former] = nil }
        self[id].watch = watch
        if watch != 0 { idOfWatch[watch] = id }
    }

    package mutating func set(_ status: FileStatus, of id: NodeID) {
        let device = number(of: status.device)
        self[id].inode = status.inode
        self[id].size = status.size
        self[id].modified = status.modified.nanoseconds
        self[id].changed = status.changed.nanoseconds
        self[id].uid = status.uid.rawValue
        self[id].gid = status.gid.rawValue
        self[id].linkCount = UInt32(clamping: status.linkCount)
        self[id].mode = UInt16(truncatingIfNeeded: status.mode)
        self[id].device = device
        self[id].marks.insert(.known)
    }

    /// Gives a device another number, as a file system can get at a boot.
    package mutating func renumber(device: UInt64, as new: UInt64) {
        guard let position = devices.firstIndex(of: device), !devices.contains(new) else { return }
        devices[position] = new
    }

    /// The node after `id` within the tree below `top`: children first. `nil` behind the last.
    package func next(after id: NodeID, within top: NodeID) -> NodeID? {
        if self[id].firstChild != .none { return self[id].firstChild }
        var id = id
        while id != top {
            if self[id].nextSibling != .none { return self[id].nextSibling }
            id = self[id].parent
        }
        return nil
    }

    /// A node without children, as deep as the first ones go.
    package func firstLeaf(below top: NodeID) -> NodeID {
        var id = top
        while self[id].firstChild != .none { id = self[id].firstChild }
        return id
    }

    // MARK: - Nodes

    private mutating func takeNode() -> NodeID {
        count += 1
        if firstFree != .none {
            let id = firstFree
            firstFree = self[id].nextSibling
            self[id].nextSibling = .none
            return id
        }
        if Int(nodeCount) / Self.pageNodeCount >= pages.count {
            pages.append(ContiguousArray(repeating: IndexNode(), count: Self.pageNodeCount))
        }
        defer { nodeCount += 1 }
        return NodeID(rawValue: nodeCount)
    }

    private mutating func attach(_ id: NodeID, _ name: [UInt8], _ parent: NodeID) {
        self[id].nameSlot = names.insert(name)
        self[id].nameByteCount = UInt8(name.count)
        self[id].parent = parent
        let first = self[parent].firstChild
        self[id].previousSibling = .none
        self[id].nextSibling = first
        if first != .none { self[first].previousSibling = id }
        self[parent].firstChild = id
        enter(id, hash(name, parent))
    }

    private mutating func detach(_ id: NodeID) {
        let node = self[id]
        if id == walk { walk = node.nextSibling }
        var slot = hash(name(of: id), node.parent) & (slots.count - 1)
        while slots[slot] != id.rawValue { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Self.tombstone
        if node.previousSibling != .none {
            self[node.previousSibling].nextSibling = node.nextSibling
        } else {
            self[node.parent].firstChild = node.nextSibling
        }
        if node.nextSibling != .none { self[node.nextSibling].previousSibling = node.previousSibling }
        names.remove(node.nameSlot, count: Int(node.nameByteCount))
    }

    private mutating func number(of device: UInt64) -> UInt16 {
        if let position = devices.firstIndex(of: device) { return UInt16(clamping: position) }
        if devices.count <= Int(UInt16.max) { devices.append(device) }
        return UInt16(clamping: devices.count - 1)
    }

    // MARK: - Table

    /// Seeded for each process: who names files cannot make them collide.
    private func hash(_ name: [UInt8], _ parent: NodeID) -> Int {
        var hasher = Hasher()
        var word = UInt64(parent.rawValue) << 8 | UInt64(name.count)
        hasher.combine(word)
        word = 0
        for index in name.indices {
            word = word << 8 | UInt64(name[index])
            if index & 7 == 7 {
                hasher.combine(word)
                word = 0
            }
        }
        hasher.combine(word)
        return hasher.finalize()
    }

    private func holds(_ name: [UInt8], _ id: NodeID) -> Bool {
        let node = self[id]
        return Int(node.nameByteCount) == name.count && names.holds(name, at: node.nameSlot)
    }

    private mutating func enter(_ id: NodeID, _ hash: Int) {
        if (usedSlotCount + 1) * 4 > slots.count * 3 { rebuildTable() }
        enterInRoom(id, hash)
    }

    private mutating func enterInRoom(_ id: NodeID, _ hash: Int) {
        var slot = hash & (slots.count - 1)
        while slots[slot] != 0, slots[slot] != Self.tombstone { slot = (slot + 1) & (slots.count - 1) }
        if slots[slot] == 0 { usedSlotCount += 1 }
        slots[slot] = id.rawValue
    }

    /// Leaves the tombstones out, in a table at most half full.
    private mutating func rebuildTable() {
        let former = slots
        var capacity = 64
        while capacity < count * 2 { capacity *= 2 }
        slots = ContiguousArray(repeating: 0, count: capacity)
        usedSlotCount = 0
        for raw in former where raw != 0 && raw != Self.tombstone {
            let id = NodeID(rawValue: raw)
            enterInRoom(id, hash(name(of: id), self[id].parent))
        }
    }
}
