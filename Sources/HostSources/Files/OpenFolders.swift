import Backends
import EventModel

import struct SystemPackage.Errno

/// A folder that is held open, with what it turned out to be.
final class OpenFolder {
    let handle: FileHandle
    let status: FileStatus

    init(_ handle: consuming FileHandle, _ status: FileStatus) {
        self.handle = handle
        self.status = status
    }
}

/// The folders that were used last, held open: a rename above one does not make its handle another folder's.
struct OpenFolders {
    /// Most folders held open.
    static let limit = 48

    private struct Entry {
        var id: NodeID
        var folder: OpenFolder
        var lastUse: UInt64
    }

    private var entries: [Entry] = []
    private var useCount: UInt64 = 0

    mutating func find(_ id: NodeID) -> OpenFolder? {
        guard let position = entries.firstIndex(where: { $0.id == id }) else { return nil }
        useCount += 1
        entries[position].lastUse = useCount
        return entries[position].folder
    }

    /// Closes the one that was not used for the longest time when there are too many.
    mutating func insert(_ folder: OpenFolder, for id: NodeID) {
        useCount += 1
        let entry = Entry(id: id, folder: folder, lastUse: useCount)
        if let position = entries.firstIndex(where: { $0.id == id }) {
            entries[position] = entry
        } else if entries.count < Self.limit {
            entries.append(entry)
        } else if let oldest = entries.indices.min(by: { entries[$0].lastUse < entries[$1].lastUse }) {
            entries[oldest] = entry
        }
    }

    mutating func remove(_ id: NodeID) { entries.removeAll { $0.id == id } }

    mutating func removeAll() { entries = [] }
}
