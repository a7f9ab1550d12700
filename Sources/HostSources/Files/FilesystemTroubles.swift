import CollectorCore
import EventModel

package import struct SystemPackage.Errno

/// What is not as it should be, though the source works.
struct FilesystemTroubles: Equatable {
    /// `fs.inotify.max_user_watches`, where known.
    var kernelWatchLimit: UInt64?
    var watchCount = 0
    /// Folders that should be watched and are not.
    var unwatchedCount = 0
    /// Positions of roots that are not there.
    var lostRoots: Set<Int> = []
    /// File systems below the roots, which are not entered.
    var foreignMountCount = 0
    /// Files that found no room in the index.
    var refusedCount: UInt64 = 0
    /// What was left out of package transactions, because there was too much for one, and told one by one.
    var packageOverflowCount: UInt64 = 0
    /// Records and entries that made no sense.
    var strayCount: UInt64 = 0
    /// The queue cannot be read at the moment.
    var readError: Errno?
    var indexError: Errno?
    /// The index of the last run was there but of no use.
    var isIndexUnusable = false
    private var failedOpenCount: UInt64 = 0
    private var lastOpenError: Errno?

    init(kernelWatchLimit: UInt64?) { self.kernelWatchLimit = kernelWatchLimit }

    mutating func noteOpen(_ error: Errno) {
        failedOpenCount += 1
        lastOpenError = error
    }

    var health: Health {
        var reasons: [String] = []
        if unwatchedCount > 0 {
            let limit = kernelWatchLimit.map { " of fs.inotify.max_user_watches \($0)" } ?? ""
            reasons.append(
                "\(unwatchedCount) folders could not be watched or listed and are looked at from time to time: "
                    + "\(watchCount) watches are in use\(limit)")
        }
        if !lostRoots.isEmpty { reasons.append("\(lostRoots.count) roots are not there") }
        if refusedCount > 0 { reasons.append("\(refusedCount) files found no room in the index") }
        if packageOverflowCount > 0 {
            reasons.append("\(packageOverflowCount) packages and files had no room in their transaction")
        }
        if let readError { reasons.append("file events cannot be read: \(readError)") }
        if let lastOpenError {
            reasons.append(
                "\(failedOpenCount) calls on files and folders failed, the last with: \(lastOpenError)")
        }
        if strayCount > 0 { reasons.append("\(strayCount) records made no sense") }
        if let indexError { reasons.append("the index could not be saved: \(indexError)") }
        if isIndexUnusable {
            reasons.append("what changed since the last run is not known: its index is unusable")
        }
        guard !reasons.isEmpty else { return .healthy }
        if foreignMountCount > 0 {
            reasons.append("\(foreignMountCount) file systems below the roots are not entered")
        }
        return .degraded(reason: reasons.joined(separator: "; "))
    }
}

/// Why the filesystem source cannot run.
package enum FilesystemSourceError: SourceError, Hashable, CustomStringConvertible {
    /// The queue of file events could not be read.
    case unreadable(Errno)

    package var mayPass: Bool {
        switch self {
        case .unreadable(let error): error.mayPass
        }
    }

    package var description: String {
        switch self {
        case .unreadable(let error): "file events could not be read (\(error))"
        }
    }
}
