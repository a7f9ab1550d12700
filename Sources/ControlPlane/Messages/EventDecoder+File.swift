import EventModel
import WireMessages

extension FilesystemEvent {
    /// Reads the fields of a `FileEvent`.
    init(_ bytes: Span<UInt8>, _ reader: inout FieldReader) throws(MessageError) {
        // The operation stands in until its field comes; without it nothing is returned.
        self.init(path: "", operation: .created)
        var hasOperation = false
        while let tag = try reader.next(in: bytes) {
            if tag.field == 3, tag.layout == .bytes { hasOperation = true }
            let isTaken =
                tag.field <= 13
                ? try takeAttribute(tag, bytes, &reader) : try takeFinding(tag, bytes, &reader)
            if !isTaken { try reader.skip(tag, in: bytes) }
        }
        // An empty text is none of the operations' names: the error says which there are.
        if !hasOperation { operation = try named("", "operation") }
    }

    private mutating func takeAttribute(
        _ tag: FieldReader.Tag, _ bytes: Span<UInt8>, _ reader: inout FieldReader
    ) throws(MessageError) -> Bool {
        switch (tag.field, tag.layout) {
        case (1, .bytes): path = try reader.text(in: bytes)
        case (2, .bytes): previousPath = try reader.text(in: bytes)
        case (3, .bytes): operation = try named(try reader.text(in: bytes), "operation")
        case (4, .bytes): type = try named(try reader.text(in: bytes), "type")
        case (5, .number): pid = try ProcessID(try reader.halfNumber(in: bytes), "pid")
        case (6, .number): size = try reader.number(in: bytes)
        case (7, .number):
            permissions = try number(try reader.halfNumber(in: bytes), "permissions", upTo: 0o7777)
        case (8, .number): uid = UserID(try reader.halfNumber(in: bytes))
        case (9, .number): gid = GroupID(try reader.halfNumber(in: bytes))
        case (10, .number): inode = try reader.number(in: bytes)
        case (11, .number): device = try reader.number(in: bytes)
        case (12, .number): linkCount = try reader.number(in: bytes)
        case (13, .word): modifiedTime = WallTime(nanoseconds: try reader.time(in: bytes))
        default: return false
        }
        return true
    }

    private mutating func takeFinding(
        _ tag: FieldReader.Tag, _ bytes: Span<UInt8>, _ reader: inout FieldReader
    ) throws(MessageError) -> Bool {
        switch (tag.field, tag.layout) {
        case (14, .number):
            metadata = try Provenance(WireLearnt(number: try reader.halfNumber(in: bytes)), "learnt")
        case (15, .bytes): fileHash = try reader.text(in: bytes)
        case (16, .bytes): hashAlgorithm = try named(try reader.text(in: bytes), "hash_algorithm")
        case (17, .bytes): hashObstacle = try named(try reader.text(in: bytes), "hash_obstacle")
        case (18, .bytes):
            let text = try reader.text(in: bytes)
            guard changes.count < FileChange.allCases.count else {
                throw MessageError(
                    field: "changes", expected: "at most \(FileChange.allCases.count) entries")
            }
            let change: FileChange = try within("changes[\(changes.count)]") {
                () throws(MessageError) in try named(text, "name")
            }
            changes.append(change)
        case (19, .bytes): suspicion = try named(try reader.text(in: bytes), "suspicion")
        case (20, .bytes):
            // One run of a package manager is one event: rare, so by way of the generated code.
            try EventDecoder.once(transaction == nil, "transaction")
            let slice = try reader.inner(in: bytes).range.map { bytes[$0] }
            let message: WirePackageTransaction = try EventDecoder.generated(slice)
            transaction = try within("transaction") { () throws(MessageError) in
                try PackageTransaction(message)
            }
        default: return false
        }
        return true
    }
}
