/// The names below some roots in ascending order of their paths' bytes, found one after the other while the index changes.
///
/// A queue holds the least of the keys that were found and not told. The key of a name is its path; what is in a folder stands
/// behind the folder's path with a slash, and is looked at when that is the least. As every key stands for at least one name,
/// no more keys are kept than names are wanted: a page costs what lies beside its way, never a sort of everything. Keys are
/// looked up again when their turn comes, so that whatever happens to the index in between makes no harm: what stays is found,
/// what comes, goes or moves may be missed.
package struct FileListing {
    package enum Step {
        case name(NodeID, path: [UInt8])
        /// Nothing yet.
        case searching
        /// There is no more, or the number of names that was wanted is used up.
        case end
    }

    private struct Key {
        /// Ends in a slash: what is in that folder.
        var path: [UInt8]
        /// By position.
        var root: Int

        static func isGreater(_ a: Key, _ b: Key) -> Bool { b.path.lexicographicallyPrecedes(a.path) }
    }

    /// The names of one folder that are being looked at.
    private struct Visit {
        var folder: NodeID
        /// With a slash at the end.
        var path: [UInt8]
        var root: Int
    }

    /// Names of one folder that a step looks at.
    private static let stepCount = 128
    /// Up to so many new keys are put in their places one by one.
    private static let insertionCount = 16

    private let prefix: [UInt8]
    private let after: [UInt8]?
    /// Most keys that are kept.
    private let capacity: Int
    /// The greatest first.
    private var queue: [Key] = []
    /// In no order.
    private var arrivals: [Key] = []
    /// Nothing greater is wanted: there are keys enough that are less.
    private var bound: [UInt8]?
    /// The least key that was found and not kept.
    private var cut: [UInt8]?
    private var visit: Visit?
    private var last: [UInt8]?
    private var scratch: [UInt8] = []

    /// - Parameters:
    ///   - wanted: How many names will be asked for at most.
    ///   - roots: Positions in ``FileIndex/roots``.
    package init(
        of index: FileIndex, roots: [Int], prefix: [UInt8], after: [UInt8]?, wanted: Int
    ) {
        self.prefix = prefix
        self.after = after
        // In each root one folder at a time can lie on the way to the prefix, to `after`, or to another root, and hold
        // nothing that is wanted.
        capacity = max(wanted, 1) + 3 * roots.count
        for root in roots {
            var path = index.roots[root].path + [0x2f]
            if prefix.count > path.count, prefix.starts(with: path), let slash = prefix.lastIndex(of: 0x2f) {
                path = Array(prefix[...slash])
            }
            if isWanted(contentsOf: path) { arrivals.append(Key(path: path, root: root)) }
        }
        settle()
    }

    /// Whether names were found that are not told any more.
    package var hasMore: Bool { !queue.isEmpty || cut != nil }

    /// Looks for the next name: at up to 128 names of a folder.
    package mutating func step(in index: inout FileIndex) -> Step {
        if let visit {
            look(at: visit, in: &index)
            return .searching
        }
        guard let key = queue.popLast() else { return .end }
        if let cut, cut.lexicographicallyPrecedes(key.path) {
            queue.removeAll()
            return .end
        }
        let (rootPath, root) = index.roots[key.root]
        let id = index.find(path: key.path[(rootPath.count)...], below: root)
        if key.path.last == 0x2f {
            guard let id, index[id].firstChild != .none else { return .searching }
            visit = Visit(folder: id, path: key.path, root: key.root)
            index.walk = index[id].firstChild
            return .searching
        }
        // Two roots can know one name: the folder on which the inner one is mounted.
        guard let id, id != root, key.path != last else { return .searching }
        last = key.path
        return .name(id, path: key.path)
    }

    // MARK: - Looking

    private mutating func look(at visit: Visit, in index: inout FileIndex) {
        let (rootPath, root) = index.roots[visit.root]
        // Renamed meanwhile: nothing in it has the path any more that it had.
        if index.find(path: visit.path[(rootPath.count)...], below: root) != visit.folder {
            index.walk = .none
        }
        scratch.removeAll(keepingCapacity: true)
        scratch += visit.path
        var count = 0
        while index.walk != .none, count < Self.stepCount {
            let id = index.walk
            index.walk = index[id].nextSibling
            index.appendName(of: id, to: &scratch)
            consider(id, visit.root, index)
            scratch.removeSubrange(visit.path.count...)
            count += 1
        }
        guard index.walk == .none else { return }
        self.visit = nil
        settle()
    }

    /// Takes the keys of the name in ``scratch``, if they are wanted.
    private mutating func consider(_ id: NodeID, _ root: Int, _ index: FileIndex) {
        let isBehind = after.map { $0.lexicographicallyPrecedes(scratch) } ?? true
        if isBehind, scratch.starts(with: prefix) { take(root) }
        guard index[id].firstChild != .none else { return }
        scratch.append(0x2f)
        if isWanted(contentsOf: scratch) { take(root) }
    }

    /// Whether some path that begins so is wanted.
    private func isWanted(contentsOf path: [UInt8]) -> Bool {
        if let after, !after.lexicographicallyPrecedes(path), !after.starts(with: path) { return false }
        return path.starts(with: prefix) || prefix.starts(with: path)
    }

    private mutating func take(_ root: Int) {
        if let bound, bound.lexicographicallyPrecedes(scratch) { return noteCut(scratch) }
        arrivals.append(Key(path: scratch, root: root))
        if arrivals.count >= capacity * 2 { settle() }
    }

    private mutating func noteCut(_ path: [UInt8]) {
        if let cut, !path.lexicographicallyPrecedes(cut) { return }
        cut = path
    }

    // MARK: - Queue

    /// Puts the new keys in their places, and lets go of the greatest beyond ``capacity``.
    private mutating func settle() {
        if arrivals.count <= Self.insertionCount {
            for key in arrivals { insert(key) }
        } else {
            queue += arrivals
            queue.sort(by: Key.isGreater)
        }
        arrivals.removeAll(keepingCapacity: true)
        let excess = queue.count - capacity
        if excess > 0 {
            noteCut(queue[excess - 1].path)
            queue.removeFirst(excess)
        }
        bound = queue.count == capacity ? queue.first?.path : nil
    }

    private mutating func insert(_ key: Key) {
        var low = 0
        var high = queue.count
        while low < high {
            let middle = (low + high) / 2
            if Key.isGreater(queue[middle], key) { low = middle + 1 } else { high = middle }
        }
        queue.insert(key, at: low)
    }
}
