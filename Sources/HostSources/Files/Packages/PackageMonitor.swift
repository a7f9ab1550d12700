import Backends
import EventModel

import struct SystemPackage.Errno

/// Follows dpkg's database beside the files that it installs, and folds what belongs to a transaction.
///
/// The database is watched like any root, so that the order of its records and of those of the files is the kernel's own.
final class PackageMonitor {
    /// What becomes of an event.
    enum Answer {
        case emit
        /// Part of a transaction.
        case fold
        /// About the database, which nobody asked to watch.
        case filter
    }

    private let database: any RootedDirectory
    private let roots: [any RootedDirectory]
    /// Whether the database is watched for its own sake too.
    private let isDatabaseWatched: Bool
    /// What comes before the paths of packages: of a system that lies in a folder, else nothing.
    private let prefix: [UInt8]
    private var transactions = PackageTransactions()
    private var verifier: PackageVerifier?

    /// - Parameters:
    ///   - database: `/var/lib/dpkg`, here or of a system in a folder.
    ///   - roots: What is watched for its own sake.
    init(database: any RootedDirectory, roots: [any RootedDirectory]) {
        self.database = database
        self.roots = roots
        isDatabaseWatched = roots.contains { database.path.isBelow($0.path) }
        let usual = Array(DpkgDatabase.folder.utf8)
        prefix =
            database.path.suffix(usual.count).elementsEqual(usual) ? database.path.dropLast(usual.count) : []
    }

    /// Whether a transaction is open: what dpkg writes need not be hashed then.
    var isOpen: Bool { transactions.isOpen }
    /// What was left out of transactions because a limit was reached.
    var overflowCount: UInt64 { transactions.overflowCount }
    /// When ``look(at:wall:)`` is due; `nil` when nothing is.
    var lookDue: Instant? { transactions.lookDue }
    /// Whether ``verify()`` has something to do.
    var isVerifying: Bool { verifier != nil }

    // MARK: - Events

    /// Decides about an event; may read a small file of the database.
    func answer(to event: Event, at now: Instant, wall: WallTime) -> Answer {
        guard case .filesystem(let file) = event.subject,
            let path = KernelText.encode(file.path, isEscaped: event.escaped.contains("path"))
        else { return .emit }
        if path.isBelow(database.path) {
            return answer(
                toDatabase: path, file.operation, isResync: event.origin == .resync, at: now, wall: wall)
        }
        guard transactions.isOpen, let inner = relative(path) else { return .emit }
        let previous = file.previousPath.flatMap {
            KernelText.encode($0, isEscaped: event.escaped.contains("previous_path"))
        }
        let change = PackageTransactions.Change(
            path: inner, previousPath: previous.flatMap(relative), operation: file.operation)
        return transactions.admit(change, at: now) == .folded ? .fold : .emit
    }

    private func relative(_ path: [UInt8]) -> [UInt8]? {
        guard !prefix.isEmpty else { return path }
        return path.isBelow(prefix) ? Array(path.dropFirst(prefix.count)) : nil
    }

    private func answer(
        toDatabase path: [UInt8], _ operation: FileOperation, isResync: Bool, at now: Instant, wall: WallTime
    ) -> Answer {
        guard operation != .baseline, operation != .transaction, operation != .suspicious else {
            return isDatabaseWatched ? .emit : .filter
        }
        // What a resync finds is over already: nothing can be folded into it any more.
        if !isResync {
            transactions.noteDatabase(at: now, wall: wall)
            let inner = path.dropFirst(database.path.count + 1)
            if operation != .deleted, inner.starts(with: Array("updates/".utf8)) { readUpdate(Array(inner)) }
        }
        guard isDatabaseWatched else { return .filter }
        return isResync ? .emit : .fold
    }

    /// Learns which packages dpkg works on, and what they own while it still says so.
    private func readUpdate(_ path: [UInt8]) {
        guard
            let bytes = PackageVerifier.read(path, in: database, limit: DpkgDatabase.updateByteCount)
        else { return }
        for package in transactions.unknown(of: DpkgDatabase.packages(inUpdate: bytes)) {
            transactions.noteOwned(by: package, list: PackageVerifier.read("list", of: package, in: database))
        }
    }

    // MARK: - The end of a transaction

    /// Looks whether the transaction is over; its check begins then.
    func look(at now: Instant, wall: WallTime) {
        guard verifier == nil, let due = transactions.lookDue, due <= now else { return }
        if let settlement = transactions.look(isLocked: isLocked, at: now, wall: wall) { begin(settlement) }
    }

    /// Ends a transaction as it is, at the end of a run.
    func settle(wall: WallTime) {
        guard verifier == nil, let settlement = transactions.settle(wall: wall) else { return }
        begin(settlement)
    }

    private func begin(_ settlement: PackageTransactions.Settlement) {
        verifier = PackageVerifier(settlement, database: database, roots: roots, prefix: prefix)
    }

    private var isLocked: Bool {
        do throws(Errno) {
            return try database.isLocked(database.open(DpkgDatabase.lockFile, as: .contents))
        } catch {
            // Without a lock file nobody can hold it.
            return false
        }
    }

    /// One step of the check.
    ///
    /// - Returns: The verdict after the last step.
    func verify() -> PackageVerifier.Verdict? {
        guard let verdict = verifier?.step() else { return nil }
        verifier = nil
        return verdict
    }

    /// Ends the check as it stands; `nil` when there is none.
    func abandonCheck() -> PackageVerifier.Verdict? {
        defer { verifier = nil }
        return verifier?.abandon()
    }

    /// The absolute path of what a verdict speaks of.
    func path(of inner: [UInt8]) -> [UInt8] { prefix + inner }

    /// The path of the database, for the event of a transaction.
    var databasePath: [UInt8] { database.path }
}
