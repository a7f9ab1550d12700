package import EventModel
package import WireMessages

extension WireFileEvent {
    /// The message of a change to a file.
    package init(_ file: FilesystemEvent) {
        self.init()
        path = file.path
        if let path = file.previousPath { previousPath = path }
        operation = file.operation.rawValue
        if let type = file.type { self.type = type.rawValue }
        if let pid = file.pid { self.pid = pid.wireValue }
        if let size = file.size { sizeBytes = size }
        if let permissions = file.permissions { self.permissions = UInt32(permissions) }
        if let uid = file.uid { self.uid = uid.rawValue }
        if let gid = file.gid { self.gid = gid.rawValue }
        if let inode = file.inode { self.inode = inode }
        if let device = file.device { self.device = device }
        if let count = file.linkCount { links = count }
        if let time = file.modifiedTime { modifiedUnixNs = time.nanoseconds }
        learnt = WireLearnt(file.metadata)
        if let hash = file.fileHash { self.hash = hash }
        if let algorithm = file.hashAlgorithm { hashAlgorithm = algorithm.rawValue }
        if let obstacle = file.hashObstacle { hashObstacle = obstacle.rawValue }
        if !file.changes.isEmpty { changes = file.changes.map(\.rawValue) }
        if let suspicion = file.suspicion { self.suspicion = suspicion.rawValue }
        if let transaction = file.transaction { self.transaction = WirePackageTransaction(transaction) }
    }
}

extension FilesystemEvent {
    /// Reads a change to a file.
    package init(_ message: WireFileEvent) throws(MessageError) {
        self.init(path: message.path, operation: try named(message.operation, "operation"))
        if message.hasPreviousPath { previousPath = message.previousPath }
        if message.hasType { type = try named(message.type, "type") }
        if message.hasPid { pid = try ProcessID(message.pid, "pid") }
        if message.hasSizeBytes { size = message.sizeBytes }
        if message.hasPermissions {
            permissions = try number(message.permissions, "permissions", upTo: 0o7777)
        }
        if message.hasUid { uid = UserID(message.uid) }
        if message.hasGid { gid = GroupID(message.gid) }
        if message.hasInode { inode = message.inode }
        if message.hasDevice { device = message.device }
        if message.hasLinks { linkCount = message.links }
        if message.hasModifiedUnixNs { modifiedTime = WallTime(nanoseconds: message.modifiedUnixNs) }
        metadata = try Provenance(message.learnt, "learnt")
        if message.hasHash { fileHash = message.hash }
        if message.hasHashAlgorithm { hashAlgorithm = try named(message.hashAlgorithm, "hash_algorithm") }
        if message.hasHashObstacle { hashObstacle = try named(message.hashObstacle, "hash_obstacle") }
        changes = try names(message.changes, "changes")
        if message.hasSuspicion { suspicion = try named(message.suspicion, "suspicion") }
        if message.hasTransaction {
            transaction = try within("transaction") { () throws(MessageError) in
                try PackageTransaction(message.transaction)
            }
        }
    }
}

extension WirePackageTransaction {
    /// The message of a transaction.
    package init(_ transaction: PackageTransaction) {
        self.init()
        manager = transaction.manager
        packages = transaction.packages.map { package in
            var message = Package()
            message.name = package.name
            message.action = package.action.rawValue
            return message
        }
        packageCount = transaction.packageCount
        folded = transaction.foldedCount
        verified = transaction.verifiedCount
        mismatched = transaction.mismatchedCount
        unlisted = transaction.unlistedCount
        unchecked = transaction.uncheckedCount
        begunUnixNs = transaction.begun.nanoseconds
        endedUnixNs = transaction.ended.nanoseconds
    }
}

extension PackageTransaction {
    /// Reads a transaction.
    package init(_ message: WirePackageTransaction) throws(MessageError) {
        self.init(
            manager: message.manager, begun: WallTime(nanoseconds: message.begunUnixNs),
            ended: WallTime(nanoseconds: message.endedUnixNs))
        packages = try converted(message.packages, "packages", atMost: Limits.transactionPackageCount) {
            (package) throws(MessageError) in
            Package(name: package.name, action: try named(package.action, "action"))
        }
        packageCount = message.packageCount
        foldedCount = message.folded
        verifiedCount = message.verified
        mismatchedCount = message.mismatched
        unlistedCount = message.unlisted
        uncheckedCount = message.unchecked
    }
}
