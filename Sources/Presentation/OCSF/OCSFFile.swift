import EventModel

/// The members of a File System Activity (`class_uid` 1001).
struct OCSFFile {
    let file: FilesystemEvent
    let event: Event
    let classification: OCSFClassification

    func appendMembers(to json: inout JSONWriter) {
        appendActor(to: &json)
        if let previousPath = file.previousPath {
            // Before it had the old name; all that is known of it was read under the new one.
            json.beginObject("file")
            json.members(ofPath: previousPath)
            appendType(to: &json)
            json.endObject()
            json.beginObject("file_result")
        } else {
            json.beginObject("file")
        }
        json.members(ofPath: file.path)
        appendType(to: &json)
        appendAttributes(to: &json)
        json.endObject()
        json.beginObject("unmapped")
        appendRest(to: &json)
        json.endObject()
    }

    private func appendActor(to json: inout JSONWriter) {
        switch classification.actor {
        case .namedProcess:
            json.beginObject("actor")
            json.beginObject("process")
            json.member("pid", ifPresent: file.pid)
            json.endObject()
            json.endObject()
        case .packageManager: json.member("actor", ocsfActor: file.transaction?.manager)
        case .collector: json.member("actor", ocsfActor: OCSFProjection.productName)
        case .itself, .parent, .tracer, .unknown: json.member("actor", ocsfActor: nil)
        }
    }

    private func appendType(to json: inout JSONWriter) {
        let (number, name): (UInt64, String) =
            switch file.type {
            case .regular: (1, "Regular File")
            case .directory: (2, "Folder")
            case .characterDevice: (3, "Character Device")
            case .blockDevice: (4, "Block Device")
            case .socket: (5, "Local Socket")
            case .fifo: (6, "Named Pipe")
            case .symlink: (7, "Symbolic Link")
            case nil: (0, "Unknown")
            }
        json.member("type_id", number)
        json.member("type", name)
    }

    private func appendAttributes(to json: inout JSONWriter) {
        if let inode = file.inode { json.member("uid", ocsfUID: inode) }
        // Sizes beyond the schema's 64 signed bits do not exist; `off_t` is one of those.
        if let size = file.size { json.member("size", size) }
        if let modifiedTime = file.modifiedTime { json.member("modified_time", ocsf: modifiedTime) }
        if let uid = file.uid {
            json.beginObject("owner")
            json.member("uid", ocsfUID: UInt64(uid.rawValue))
            json.endObject()
        }
        json.member("is_deleted", ifTrue: event.kind == .fileDeleted)
        if let value = file.fileHash, let algorithm = file.hashAlgorithm {
            json.member("hashes", ocsfDigest: value, algorithm)
        }
    }

    /// Under the names of the collector's own JSON.
    private func appendRest(to json: inout JSONWriter) {
        json.member("origin", event.origin.rawValue)
        json.member("monotonic_ns", event.monotonic.nanoseconds)
        file.appendPermissions(to: &json)
        json.member("gid", ifPresent: file.gid.map { UInt64($0.rawValue) })
        json.member("device", ifPresent: file.device)
        json.member("link_count", ifPresent: file.linkCount)
        json.member("hash_obstacle", ifPresent: file.hashObstacle?.rawValue)
        if !file.changes.isEmpty {
            json.beginArray("changes")
            for change in file.changes { json.value(change.rawValue) }
            json.endArray()
        }
        json.member("suspicion", ifPresent: file.suspicion?.rawValue)
        if let transaction = file.transaction {
            json.beginObject("transaction")
            transaction.appendMembers(to: &json)
            json.endObject()
        }
        if let label = file.metadata.label {
            json.beginObject("provenance")
            json.member("metadata", label)
            json.endObject()
        }
        guard !event.escaped.isEmpty else { return }
        json.beginArray("escaped")
        for field in event.escaped { json.value(field) }
        json.endArray()
    }
}
