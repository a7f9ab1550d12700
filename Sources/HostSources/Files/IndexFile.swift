import Backends
import EventModel

/// The file in which a ``FileIndex`` outlives the collector.
///
/// `ccfiles1`, the roots, the devices, then each root's nodes, a folder before what is in it, and at the end a digest.
/// Numbers are little-endian. What any other bytes say is no index.
package enum IndexFile {
    private static let magic = Array("ccfiles1".utf8)
    /// Bytes of a node beside its name.
    private static let nodeByteCount = 54

    /// The bytes for an index.
    package static func bytes(of index: FileIndex) -> [UInt8] {
        var bytes = magic
        bytes.reserveCapacity(64 + index.count * (nodeByteCount + 16))
        bytes.append(number: UInt64(index.roots.count), byteCount: 2)
        for root in index.roots {
            bytes.append(number: UInt64(root.path.count), byteCount: 2)
            bytes += root.path
        }
        bytes.append(number: UInt64(index.devices.count), byteCount: 4)
        for device in index.devices { bytes.append(number: device, byteCount: 8) }
        for root in index.roots {
            var next: NodeID? = root.id
            while let id = next {
                append(id, of: index, to: &bytes)
                next = index.next(after: id, within: root.id)
            }
        }
        bytes.append(number: digest(bytes.span, count: bytes.count), byteCount: 8)
        return bytes
    }

    /// The index that ``bytes(of:)`` wrote; `nil` for anything else, and for more nodes than `limit`.
    package static func index(from bytes: [UInt8], limit: Int = Limits.indexedFileCount) -> FileIndex? {
        let end = bytes.count - 8
        guard end >= magic.count, bytes.starts(with: magic) else { return nil }
        var reader = ByteReader(offset: end, end: bytes.count)
        guard reader.number(8, in: bytes.span) == digest(bytes.span, count: end) else { return nil }
        reader = ByteReader(offset: magic.count, end: end)
        var index = FileIndex(limit: limit)
        guard let rootCount = reader.number(2, in: bytes.span) else { return nil }
        for _ in 0..<rootCount {
            guard let count = reader.number(2, in: bytes.span), count < Limits.pathByteCount,
                let path = reader.bytes(Int(count), in: bytes.span)
            else { return nil }
            _ = index.addRoot(path)
        }
        guard let deviceCount = reader.number(4, in: bytes.span), deviceCount <= 65_536 else { return nil }
        var devices: [UInt64] = []
        for _ in 0..<deviceCount {
            guard let device = reader.number(8, in: bytes.span) else { return nil }
            devices.append(device)
        }
        for root in index.roots {
            guard readTree(root.id, devices, &reader, bytes.span, into: &index) else { return nil }
        }
        return reader.offset == end ? index : nil
    }

    // MARK: - Nodes

    private static func append(_ id: NodeID, of index: FileIndex, to bytes: inout [UInt8]) {
        let node = index[id]
        let name = node.marks.contains(.root) ? [] : index.name(of: id)
        var childCount: UInt64 = 0
        var child = node.firstChild
        while child != .none {
            childCount += 1
            child = index[child].nextSibling
        }
        bytes.append(UInt8(name.count))
        bytes += name
        bytes.append(node.marks.intersection([.known, .unhashed]).rawValue)
        bytes.append(number: UInt64(node.mode), byteCount: 2)
        bytes.append(number: UInt64(node.device), byteCount: 2)
        for number in [node.uid, node.gid, node.linkCount] {
            bytes.append(number: UInt64(number), byteCount: 4)
        }
        bytes.append(number: childCount, byteCount: 4)
        for number in [node.inode, node.size] { bytes.append(number: number, byteCount: 8) }
        for number in [node.modified, node.changed] {
            bytes.append(number: UInt64(bitPattern: number), byteCount: 8)
        }
    }

    /// Reads the nodes of one root; false for bytes that no index gives.
    private static func readTree(
        _ root: NodeID, _ devices: [UInt64], _ reader: inout ByteReader, _ bytes: Span<UInt8>,
        into index: inout FileIndex
    ) -> Bool {
        guard var rest = readNode(root, devices, &reader, bytes, into: &index) else { return false }
        // Folders that have names left to read.
        var open: [(id: NodeID, rest: UInt64)] = []
        var parent = root
        while true {
            if rest == 0 {
                guard let last = open.popLast() else { return true }
                (parent, rest) = last
                continue
            }
            rest -= 1
            guard let nameByteCount = reader.number(1, in: bytes), nameByteCount > 0,
                let name = reader.bytes(Int(nameByteCount), in: bytes), !name.contains(0x2f),
                !name.contains(0),
                index.find(name, in: parent) == nil, let id = index.insert(name, in: parent)
            else { return false }
            guard let childCount = readNode(id, devices, &reader, bytes, into: &index) else { return false }
            guard childCount > 0 else { continue }
            guard index[id].isFolder || !index[id].marks.contains(.known), open.count < Limits.folderDepth
            else { return false }
            open.append((parent, rest))
            (parent, rest) = (id, childCount)
        }
    }

    /// Reads what follows a name; the number of children.
    private static func readNode(
        _ id: NodeID, _ devices: [UInt64], _ reader: inout ByteReader, _ bytes: Span<UInt8>,
        into index: inout FileIndex
    ) -> UInt64? {
        if index[id].marks.contains(.root), reader.number(1, in: bytes) != 0 { return nil }
        guard let marks = reader.number(1, in: bytes), let mode = reader.number(2, in: bytes),
            let device = reader.number(2, in: bytes), let uid = reader.number(4, in: bytes),
            let gid = reader.number(4, in: bytes), let linkCount = reader.number(4, in: bytes),
            let childCount = reader.number(4, in: bytes), let inode = reader.number(8, in: bytes),
            let size = reader.number(8, in: bytes), let modified = reader.number(8, in: bytes),
            let changed = reader.number(8, in: bytes)
        else { return nil }
        let known = IndexNode.Marks(rawValue: UInt8(marks))
        guard known.isSubset(of: [.known, .unhashed]) else { return nil }
        if known.contains(.known) {
            guard Int(device) < devices.count else { return nil }
            index.set(
                FileStatus(
                    device: devices[Int(device)], inode: inode, mode: UInt32(mode), linkCount: linkCount,
                    uid: UserID(UInt32(uid)), gid: GroupID(UInt32(gid)), size: size,
                    modified: WallTime(nanoseconds: Int64(bitPattern: modified)),
                    changed: WallTime(nanoseconds: Int64(bitPattern: changed)), mountID: 0), of: id)
        }
        index[id].marks.formUnion(known)
        return childCount
    }

    /// FNV-1a with 64 bits (RFC 9923) over words of 8 bytes: against rot, not against forgers.
    private static func digest(_ bytes: Span<UInt8>, count: Int) -> UInt64 {
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
        var offset = 0
        while offset < count {
            var word: UInt64 = 0
            for position in offset..<min(offset + 8, count) { word = word << 8 | UInt64(bytes[position]) }
            digest = (digest ^ word) &* 0x0000_0100_0000_01b3
            // A product moves bits up only; without this a high bit would never reach the low ones.
            digest ^= digest >> 32
            offset += 8
        }
        return digest ^ UInt64(count)
    }
}

/// Reads numbers and bytes; `nil` once they would lie behind the end.
private struct ByteReader {
    private(set) var offset: Int
    let end: Int

    init(offset: Int, end: Int) {
        self.offset = offset
        self.end = end
    }

    mutating func number(_ byteCount: Int, in bytes: Span<UInt8>) -> UInt64? {
        guard byteCount <= end - offset else { return nil }
        var number: UInt64 = 0
        for position in (0..<byteCount).reversed() { number = number << 8 | UInt64(bytes[offset + position]) }
        offset += byteCount
        return number
    }

    mutating func bytes(_ count: Int, in bytes: Span<UInt8>) -> [UInt8]? {
        guard count <= end - offset else { return nil }
        var copy: [UInt8] = []
        copy.reserveCapacity(count)
        for position in offset..<(offset + count) { copy.append(bytes[position]) }
        offset += count
        return copy
    }
}

extension [UInt8] {
    fileprivate mutating func append(number: UInt64, byteCount: Int) {
        for index in 0..<byteCount { append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index))) }
    }
}
