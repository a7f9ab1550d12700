import EventModel
import HostSources
import SimulatedBackends
import Testing

/// Pages of names from an index that changes in between.
@Suite struct FileListingTests {
    /// Random names that are alike, that are beginnings of each other, and that sort around the slash.
    private struct Tree {
        var index = FileIndex()
        var folders: [NodeID] = []
        var generator: SeededGenerator

        init(seed: UInt64, roots: [String]) {
            generator = SeededGenerator(seed: seed, stream: .world)
            for root in roots { folders.append(index.addRoot(Array(root.utf8))) }
        }

        private static let letters = Array("ab.-0~".utf8) + [0xff, 0x20]

        private mutating func name() -> [UInt8] {
            let count = Int(generator.below(4)) + 1
            return (0..<count).map { _ in Self.letters[Int(generator.below(UInt64(Self.letters.count)))] }
        }

        mutating func grow(_ count: Int) {
            for _ in 0..<count {
                let folder = folders[Int(generator.below(UInt64(folders.count)))]
                let name = name()
                guard index.find(name, in: folder) == nil, let id = index.insert(name, in: folder) else {
                    continue
                }
                if generator.below(3) == 0 { folders.append(id) }
            }
        }

        /// Removes, moves and adds names.
        mutating func change() {
            let nodes = folders.flatMap { children(of: $0) }
            guard !nodes.isEmpty else { return grow(1) }
            let id = nodes[Int(generator.below(UInt64(nodes.count)))]
            switch generator.below(3) {
            case 0 where index[id].firstChild == .none:
                index.remove(id)
                folders.removeAll { $0 == id }
            case 1:
                let folder = folders[Int(generator.below(UInt64(folders.count)))]
                let name = name()
                guard folder != id, !index.isAncestor(id, of: folder), index.find(name, in: folder) == nil
                else {
                    return
                }
                index.move(id, to: name, in: folder)
            default: grow(1)
            }
        }

        private func children(of folder: NodeID) -> [NodeID] {
            var ids: [NodeID] = []
            var child = index[folder].firstChild
            while child != .none {
                ids.append(child)
                child = index[child].nextSibling
            }
            return ids
        }

        /// Every path but those of the roots, sorted.
        var paths: [[UInt8]] {
            var paths: [[UInt8]] = []
            for root in index.roots {
                var next = index.next(after: root.id, within: root.id)
                while let id = next {
                    paths.append(index.path(of: id))
                    next = index.next(after: id, within: root.id)
                }
            }
            return paths.sorted { $0.lexicographicallyPrecedes($1) }
        }
    }

    /// One page as the source makes it; `change` is called between two steps.
    private func page(
        _ tree: inout Tree, prefix: [UInt8], after: [UInt8]?, limit: Int,
        change: (inout Tree) -> Void = { _ in }
    ) -> (paths: [[UInt8]], hasMore: Bool) {
        var listing = FileListing(
            of: tree.index, roots: Array(tree.index.roots.indices), prefix: prefix, after: after,
            wanted: limit + 1)
        var paths: [[UInt8]] = []
        while true {
            switch listing.step(in: &tree.index) {
            case .searching: change(&tree)
            case .end: return (paths, listing.hasMore)
            case .name(let id, let path):
                #expect(tree.index.path(of: id) == path)
                if paths.count == limit { return (paths, true) }
                paths.append(path)
            }
        }
    }

    private func pages(_ tree: inout Tree, prefix: [UInt8] = [], limit: Int) -> [[[UInt8]]] {
        var pages: [[[UInt8]]] = []
        var after: [UInt8]?
        while true {
            let (paths, hasMore) = page(&tree, prefix: prefix, after: after, limit: limit)
            pages.append(paths)
            after = paths.last ?? after
            if !hasMore { return pages }
        }
    }

    @Test(arguments: 1...UInt64(20))
    func `pages joined are the sorted index, whatever their size`(seed: UInt64) {
        var tree = Tree(seed: seed, roots: seed.isMultiple(of: 2) ? ["/a", "/a-b", "/c"] : [""])
        tree.grow(Int(seed) * 8)
        let expected = tree.paths
        for limit in [1, 2, 7, 64, 1_000] {
            let pages = pages(&tree, limit: limit)
            #expect(pages.flatMap { $0 } == expected, "seed \(seed) limit \(limit)")
            #expect(pages.dropLast().allSatisfy { $0.count == limit })
            #expect(pages.count == max(1, (expected.count + limit - 1) / limit))
        }
    }

    @Test(arguments: 1...UInt64(10))
    func `only what begins with the prefix is listed`(seed: UInt64) {
        var tree = Tree(seed: seed, roots: ["/a", "/b"])
        tree.grow(300)
        let paths = tree.paths
        let some = paths[Int(tree.generator.below(UInt64(paths.count)))]
        for prefix in [
            some, some + [0x2f], Array(some.dropLast()), [0x2f], Array("/b".utf8), Array("/x".utf8),
        ] {
            let expected = paths.filter { $0.starts(with: prefix) }
            #expect(pages(&tree, prefix: prefix, limit: 5).flatMap { $0 } == expected, "seed \(seed)")
        }
    }

    @Test(arguments: 1...UInt64(12))
    func `what changes in between does no harm, and what stays is told once`(seed: UInt64) {
        var tree = Tree(seed: seed, roots: ["/a", "/b"])
        tree.grow(250)
        var changeCount = 0
        var stayed = Set(tree.paths)
        var told: [[UInt8]] = []
        var after: [UInt8]?
        var hasMore = true
        while hasMore {
            let result = page(&tree, prefix: [], after: after, limit: 20) { tree in
                // A tree that grows faster than it is listed has no end.
                changeCount += 1
                guard changeCount < 150 else { return }
                tree.change()
                stayed.formIntersection(tree.paths)
            }
            told += result.paths
            after = result.paths.last ?? after
            hasMore = result.hasMore
        }
        #expect(zip(told, told.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) }, "seed \(seed)")
        #expect(stayed.isSubset(of: Set(told)), "seed \(seed)")
        #expect(!stayed.isEmpty)
    }

    @Test func `a folder that leaves its place while it is looked at is given up`() throws {
        var index = FileIndex()
        let root = index.addRoot(Array("/a".utf8))
        let inserted = index.insert(Array("f".utf8), in: root)
        let folder = try #require(inserted)
        for number in 0..<1_000 { _ = index.insert(Array("n\(number)".utf8), in: folder) }
        var listing = FileListing(of: index, roots: [0], prefix: [], after: nil, wanted: 11)
        var names: [[UInt8]] = []
        for step in 0..<100 {
            if step == 6 { index.move(folder, to: Array("g".utf8), in: root) }
            if case .name(_, let path) = listing.step(in: &index) { names.append(path) }
        }
        #expect(names == [Array("/a/f".utf8)])
    }

    @Test func `a flat folder costs each page one walk, and few keys`() throws {
        var index = FileIndex()
        let root = index.addRoot(Array("/a".utf8))
        // The order that a listing meets last is the one that replaces every key that was kept.
        for number in 0..<20_000 { _ = index.insert(Array("n\(100_000 + number)".utf8), in: root) }
        var listing = FileListing(of: index, roots: [0], prefix: [], after: nil, wanted: 101)
        var stepCount = 0
        var names: [[UInt8]] = []
        while names.count < 100 {
            stepCount += 1
            if case .name(_, let path) = listing.step(in: &index) { names.append(path) }
        }
        #expect(names == (0..<100).map { Array("/a/n\(100_000 + $0)".utf8) })
        #expect(stepCount < 20_000 / 128 + 110)
        #expect(listing.hasMore)
    }
}
