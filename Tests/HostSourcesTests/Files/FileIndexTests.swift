import Backends
import EventModel
import HostSources
import Testing

/// The compact index beside a plain model of it.
@Suite struct FileIndexTests {
    @Test func `a thousand random changes leave the index equal to a dictionary of paths`() throws {
        for seed in 1...UInt64(30) {
            var bench = IndexBench(seed: seed)
            for _ in 0..<1_000 { bench.step() }
            #expect(bench.index.contents == bench.model, "seed \(seed)")
            #expect(bench.index.count == bench.model.count + 1)
        }
    }

    @Test func `room of removed names and nodes is used again`() throws {
        var index = FileIndex()
        let root = index.addRoot(Array("/r".utf8))
        func fill(_ index: inout FileIndex) throws {
            for number in 0..<5_000 {
                let id = try index.add("name-\(number)", in: root)
                index.setWatch(Int32(number + 1), of: id)
            }
            for number in 0..<5_000 {
                index.remove(try #require(index.find(Array("name-\(number)".utf8), in: root)))
            }
        }
        try fill(&index)
        let byteCount = index.byteCount
        for _ in 0..<5 { try fill(&index) }
        #expect(index.byteCount == byteCount)
        #expect(index.watchCount == 0)
    }

    @Test func `a full index refuses a name and counts it`() throws {
        var index = FileIndex(limit: 3)
        let root = index.addRoot(Array("/r".utf8))
        _ = try index.add("a", in: root)
        _ = try index.add("b", in: root)
        let refused = index.insert([0x63], in: root)
        #expect(refused == nil)
        #expect(index.refusedCount == 1)
        index.remove(try #require(index.find([0x61], in: root)))
        _ = try index.add("c", in: root)
    }

    @Test func `renaming a folder moves everything below it`() throws {
        var index = FileIndex()
        let root = index.addRoot(Array("/r".utf8))
        let folder = try index.add("a", in: root)
        let file = try index.add("f", in: folder)
        let other = try index.add("b", in: root)
        index.move(folder, to: Array("c".utf8), in: other)
        #expect(String(decoding: index.path(of: file), as: UTF8.self) == "/r/b/c/f")
        #expect(index.find(Array("a".utf8), in: root) == nil)
        #expect(index.isAncestor(other, of: file))
    }

    @Test func `names of 1 to 255 arbitrary bytes are kept`() throws {
        var index = FileIndex()
        let root = index.addRoot([])
        var generator = FileRandom(seed: 7)
        var names: [[UInt8]] = []
        for count in 1...255 {
            let name = (0..<count).map { _ in
                let byte = UInt8(truncatingIfNeeded: generator.next())
                return byte == 0 || byte == 0x2f ? 0xff : byte
            }
            guard index.find(name, in: root) == nil else { continue }
            names.append(name)
            let id = index.insert(name, in: root)
            #expect(id != nil)
        }
        for name in names {
            let id = try #require(index.find(name, in: root))
            #expect(index.name(of: id) == name)
            #expect(index.path(of: id) == [0x2f] + name)
        }
    }

    @Test func `two hundred thousand names take less than 40 megabytes`() throws {
        var index = FileIndex()
        let root = index.addRoot(Array("/srv".utf8))
        for number in 0..<100_000 {
            let folder = try index.add("folder-\(number)", in: root)
            index.setWatch(Int32(number + 1), of: folder)
            _ = try index.add("contents.txt", in: folder)
        }
        #expect(index.byteCount < 40 << 20)
    }

    @Test func `each thing that can differ is named`() throws {
        var index = FileIndex()
        let root = index.addRoot([])
        let id = try index.add("a", in: root)
        let status = makeStatus(inode: 5)
        #expect(index.changes(of: id, to: status) == [])
        index.set(status, of: id)
        func changes(_ change: (inout FileStatus) -> Void) -> [FileChange] {
            var other = status
            change(&other)
            return index.changes(of: id, to: other)
        }
        #expect(changes { _ in } == [])
        #expect(changes { $0.inode = 6 } == [.identity])
        #expect(changes { $0.device = 9 } == [.identity])
        #expect(changes { $0.mode = 0o120644 } == [.type])
        #expect(changes { $0.mode = 0o100600 } == [.permissions])
        #expect(changes { $0.uid = UserID(3) } == [.owner])
        #expect(changes { $0.gid = GroupID(3) } == [.group])
        #expect(changes { $0.size = 77 } == [.size])
        #expect(changes { $0.modified = WallTime(nanoseconds: 1) } == [.modified])
        #expect(changes { $0.changed = WallTime(nanoseconds: 1) } == [.status])
    }
}

/// The file in which the index is kept.
@Suite struct IndexFileTests {
    private func sample() -> FileIndex {
        var bench = IndexBench(seed: 3)
        for _ in 0..<400 { bench.step() }
        return bench.index
    }

    @Test func `what was written is read back`() throws {
        let index = sample()
        let again = try #require(IndexFile.index(from: IndexFile.bytes(of: index)))
        #expect(again.contents == index.contents)
        #expect(again.roots.map(\.path) == index.roots.map(\.path))
    }

    @Test func `no byte can be changed and no end cut off unnoticed`() {
        let bytes = IndexFile.bytes(of: sample())
        for position in stride(from: 0, to: bytes.count, by: 7) {
            var damaged = bytes
            damaged[position] ^= 0x10
            #expect(IndexFile.index(from: damaged) == nil, "byte \(position)")
        }
        for count in stride(from: 0, to: bytes.count, by: 11) {
            #expect(IndexFile.index(from: Array(bytes.prefix(count))) == nil)
        }
    }

    @Test func `more nodes than the limit are no index`() {
        let index = sample()
        #expect(IndexFile.index(from: IndexFile.bytes(of: index), limit: index.count - 1) == nil)
    }
}

// MARK: - Parts

/// splitmix64.
struct FileRandom: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

func makeStatus(
    inode: UInt64, type: FileType = .regular, size: UInt64 = 10, permissions: UInt32 = 0o644
) -> FileStatus {
    FileStatus(
        device: 1, inode: inode, mode: type.modeBits | permissions, linkCount: type == .directory ? 2 : 1,
        uid: UserID(0), gid: GroupID(0), size: size, modified: WallTime(nanoseconds: 5_000),
        changed: WallTime(nanoseconds: 5_000), mountID: 1)
}

/// The index, and paths with inodes in a dictionary, changed alike at random.
struct IndexBench {
    var index = FileIndex()
    var model: [String: UInt64] = [:]
    private var generator: FileRandom
    private var nextInode: UInt64 = 100

    init(seed: UInt64) {
        generator = FileRandom(seed: seed)
        _ = index.addRoot(Array("/r".utf8))
    }

    private func id(_ path: String) -> NodeID? {
        var id = index.roots[0].id
        for name in path.utf8.split(separator: 0x2f).dropFirst() {
            guard let child = index.find(Array(name), in: id) else { return nil }
            id = child
        }
        return id
    }

    private mutating func randomFolder() -> String {
        (["/r"] + model.keys.filter { $0.contains("d") }.sorted()).randomElement(using: &generator) ?? "/r"
    }

    private mutating func randomName() -> String {
        ["d", "f"].randomElement(using: &generator).map {
            "\($0)\(UInt8.random(in: 0...9, using: &generator))"
        }
            ?? "f"
    }

    mutating func step() {
        switch UInt8.random(in: 0...9, using: &generator) {
        case 0...5: insert()
        case 6...7: remove()
        default: move()
        }
    }

    private mutating func insert() {
        let folder = randomFolder()
        let path = folder + "/" + randomName()
        guard path.utf8.count < 40, path.split(separator: "/").dropLast().allSatisfy({ !$0.hasPrefix("f") }),
            model[path] == nil, let parent = id(folder), folder == "/r" || model[folder] != nil,
            let name = path.split(separator: "/").last, let new = index.insert(Array(name.utf8), in: parent)
        else { return }
        nextInode += 1
        let type = name.hasPrefix("d") ? FileType.directory : .regular
        index.set(makeStatus(inode: nextInode, type: type), of: new)
        model[path] = nextInode
    }

    private mutating func remove() {
        guard let path = model.keys.sorted().randomElement(using: &generator), let top = id(path) else {
            return
        }
        while true {
            let leaf = index.firstLeaf(below: top)
            index.remove(leaf)
            if leaf == top { break }
        }
        model = model.filter { $0.key != path && !$0.key.hasPrefix(path + "/") }
    }

    private mutating func move() {
        let folder = randomFolder()
        guard let path = model.keys.sorted().randomElement(using: &generator), let moved = id(path),
            let name = path.split(separator: "/").last
        else { return }
        let new = folder + "/" + name.prefix(1) + "m\(UInt8.random(in: 0...9, using: &generator))"
        guard new.utf8.count < 40, model[new] == nil, folder != path, !folder.hasPrefix(path + "/"),
            folder == "/r" || model[folder] != nil,
            !folder.split(separator: "/").contains(where: { $0.hasPrefix("f") }),
            let parent = id(folder), let last = new.split(separator: "/").last
        else { return }
        index.move(moved, to: Array(last.utf8), in: parent)
        var renamed: [String: UInt64] = [:]
        for (key, inode) in model {
            let isInside = key == path || key.hasPrefix(path + "/")
            renamed[isInside ? new + key.dropFirst(path.count) : key] = inode
        }
        model = renamed
    }
}

extension FileIndex {
    /// Adds a name for which there is room.
    mutating func add(_ name: String, in folder: NodeID) throws -> NodeID {
        let id = insert(Array(name.utf8), in: folder)
        return try #require(id)
    }

    /// Each path below the roots, and its inode.
    var contents: [String: UInt64] {
        var contents: [String: UInt64] = [:]
        for root in roots {
            var next: NodeID? = root.id
            while let id = next {
                if id != root.id { contents[String(decoding: path(of: id), as: UTF8.self)] = self[id].inode }
                next = self.next(after: id, within: root.id)
            }
        }
        return contents
    }
}
