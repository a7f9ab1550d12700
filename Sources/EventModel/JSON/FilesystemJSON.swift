extension FilesystemEvent {
    /// Writes the members of the `file` object: see ``EventJSON``.
    package func appendMembers(to json: inout JSONWriter) {
        json.member("path", path)
        json.member("previous_path", ifPresent: previousPath)
        json.member("operation", operation.rawValue)
        json.member("type", ifPresent: type?.rawValue)
        json.member("pid", ifPresent: pid)
        json.member("size_bytes", ifPresent: size)
        appendPermissions(to: &json)
        json.member("uid", ifPresent: uid)
        json.member("gid", ifPresent: gid.map { UInt64($0.rawValue) })
        json.member("device", ifPresent: device)
        json.member("inode", ifPresent: inode)
        json.member("link_count", ifPresent: linkCount)
        if let modifiedTime { json.member("modified_time", modifiedTime) }
        json.member("hash", ifPresent: fileHash)
        json.member("hash_algorithm", ifPresent: hashAlgorithm?.rawValue)
        json.member("hash_obstacle", ifPresent: hashObstacle?.rawValue)
        if !changes.isEmpty {
            json.beginArray("changes")
            for change in changes { json.value(change.rawValue) }
            json.endArray()
        }
        json.member("suspicion", ifPresent: suspicion?.rawValue)
        if let transaction {
            json.beginObject("transaction")
            transaction.appendMembers(to: &json)
            json.endObject()
        }
    }

    /// Writes the permission bits as four octal digits, nothing when they are not known.
    package func appendPermissions(to json: inout JSONWriter) {
        guard let permissions else { return }
        json.key("permissions")
        json.quoted { bytes in
            for shift: UInt16 in [9, 6, 3, 0] {
                bytes.append(0x30 + UInt8(truncatingIfNeeded: permissions >> shift & 7))
            }
        }
    }
}

extension PackageTransaction {
    /// Writes the members of the `transaction` object of a file event.
    package func appendMembers(to json: inout JSONWriter) {
        json.member("manager", manager)
        json.member("package_count", packageCount)
        json.beginArray("packages")
        for package in packages {
            json.beginObject()
            json.member("name", package.name)
            json.member("action", package.action.rawValue)
            json.endObject()
        }
        json.endArray()
        json.member("folded", foldedCount)
        json.member("verified", verifiedCount)
        json.member("mismatched", mismatchedCount)
        json.member("unlisted", unlistedCount)
        json.member("unchecked", uncheckedCount)
        json.member("begun", begun)
        json.member("ended", ended)
    }
}
