import EventModel

extension FieldWriter {
    /// Writes the fields of a `FileEvent`.
    mutating func write(_ file: FilesystemEvent) {
        text(1, unlessEmpty: file.path)
        if let path = file.previousPath { text(2, path) }
        text(3, file.operation.rawValue)
        if let type = file.type { text(4, type.rawValue) }
        if let pid = file.pid { number(5, UInt64(pid.wireValue)) }
        if let size = file.size { number(6, size) }
        if let permissions = file.permissions { number(7, UInt64(permissions)) }
        if let uid = file.uid { number(8, UInt64(uid.rawValue)) }
        if let gid = file.gid { number(9, UInt64(gid.rawValue)) }
        if let inode = file.inode { number(10, inode) }
        if let device = file.device { number(11, device) }
        if let count = file.linkCount { number(12, count) }
        if let modified = file.modifiedTime { time(13, modified.nanoseconds) }
        learnt(14, file.metadata)
        if let hash = file.fileHash { text(15, hash) }
        if let algorithm = file.hashAlgorithm { text(16, algorithm.rawValue) }
        if let obstacle = file.hashObstacle { text(17, obstacle.rawValue) }
        for change in file.changes { text(18, change.rawValue) }
        if let suspicion = file.suspicion { text(19, suspicion.rawValue) }
        if let transaction = file.transaction { message(20, lengthByteCount: 2) { $0.write(transaction) } }
    }

    private mutating func write(_ transaction: PackageTransaction) {
        text(1, unlessEmpty: transaction.manager)
        for package in transaction.packages {
            message(2, lengthByteCount: 1) { writer in
                writer.text(1, unlessEmpty: package.name)
                writer.text(2, package.action.rawValue)
            }
        }
        number(3, unlessZero: transaction.packageCount)
        number(4, unlessZero: transaction.foldedCount)
        number(5, unlessZero: transaction.verifiedCount)
        number(6, unlessZero: transaction.mismatchedCount)
        number(7, unlessZero: transaction.unlistedCount)
        number(8, unlessZero: transaction.uncheckedCount)
        time(9, unlessZero: transaction.begun.nanoseconds)
        time(10, unlessZero: transaction.ended.nanoseconds)
    }
}
