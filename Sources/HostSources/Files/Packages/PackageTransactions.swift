package import EventModel

/// Tells the changes of a package manager from all others, and keeps them until they can be checked.
///
/// A transaction opens when dpkg's database moves, and ends when nobody holds its lock and it has been still for a while.
/// What is folded is only what dpkg does in its own way: files under its working names, what they are renamed to, the
/// removal of files that a package of the transaction owned, and what comes into a folder that it has just made.
/// Everything else passes at once, whoever did it: somebody who edits a file while dpkg runs gets no cover from it. What
/// was folded is checked in the end, and what no package owns up to becomes an event of its own.
package struct PackageTransactions: Sendable {
    /// A change of one path, as the source is about to report it.
    package struct Change: Hashable, Sendable {
        package var path: [UInt8]
        package var previousPath: [UInt8]?
        package var operation: FileOperation

        package init(path: [UInt8], previousPath: [UInt8]? = nil, operation: FileOperation) {
            self.path = path
            self.previousPath = previousPath
            self.operation = operation
        }
    }

    package enum Admission: Hashable, Sendable {
        case pass
        /// Counted as `coalesced`; the summary or an event at the end of the transaction speaks of it.
        case folded
    }

    /// What happened to one path so far.
    package struct Held: Hashable, Sendable {
        /// The last thing that happened.
        package var operation: FileOperation
        /// Whether a package owned it before.
        package var wasOwned: Bool

        package init(operation: FileOperation, wasOwned: Bool) {
            self.operation = operation
            self.wasOwned = wasOwned
        }
    }

    /// A transaction that has ended, to be checked.
    package struct Settlement: Sendable {
        package var begun: WallTime
        package var ended: WallTime
        package var foldedCount: UInt64
        /// Whether each package was installed before.
        package var packages: [DpkgDatabase.Package: Bool]
        package var held: [[UInt8]: Held]

        package init(
            begun: WallTime, ended: WallTime, foldedCount: UInt64, packages: [DpkgDatabase.Package: Bool],
            held: [[UInt8]: Held]
        ) {
            self.begun = begun
            self.ended = ended
            self.foldedCount = foldedCount
            self.packages = packages
            self.held = held
        }
    }

    /// Most paths held; further changes pass as events of their own.
    package static let heldPathCount = 262_144
    /// Most paths kept of what packages owned before; the removal of further files passes.
    package static let ownedPathCount = 524_288
    /// Most packages of one transaction whose lists are looked at.
    package static let packageCount = 16_384
    /// Longest transaction; then what there is is settled, and another one begins.
    package static let longest = Duration.seconds(3_600)

    private struct Open {
        var begun: WallTime
        var opened: Instant
        var lastActivity: Instant
        var foldedCount: UInt64 = 0
        var packages: [DpkgDatabase.Package: Bool] = [:]
        var owned: Set<[UInt8]> = []
        var held: [[UInt8]: Held] = [:]

        func owns(_ path: [UInt8]) -> Bool {
            guard !owned.isEmpty else { return false }
            return owned.contains(path)
                || DpkgDatabase.spelling(withoutUsr: path).map(owned.contains) ?? false
        }

        /// Whether the folder that a path lies in came with the transaction: what is found in it may have been named
        /// before it could be watched.
        func holdsFolder(of path: [UInt8]) -> Bool {
            guard let slash = path.lastIndex(of: 0x2f) else { return false }
            return held[Array(path[..<slash])] != nil
        }

        /// - Returns: Whether there was room.
        mutating func hold(_ change: Change, isWorking: Bool) -> Bool {
            if let previous = change.previousPath { held[previous] = nil }
            if change.operation == .deleted, isWorking {
                held[change.path] = nil
                return true
            }
            if let wasOwned = held[change.path]?.wasOwned {
                held[change.path] = Held(operation: change.operation, wasOwned: wasOwned)
                return true
            }
            guard held.count < PackageTransactions.heldPathCount else { return false }
            held[change.path] = Held(operation: change.operation, wasOwned: owns(change.path))
            return true
        }
    }

    private let quietTime: Duration
    private var open: Open?
    /// Changes that passed, packages and their files that were left out, because a limit was reached.
    package private(set) var overflowCount: UInt64 = 0

    /// - Parameter quietTime: How long the database must be still, and the lock free.
    package init(quietTime: Duration = .seconds(2)) { self.quietTime = quietTime }

    package var isOpen: Bool { open != nil }

    /// When to look at the lock next; `nil` while there is no transaction.
    package var lookDue: Instant? { open.map { $0.lastActivity.advanced(by: quietTime) } }

    // MARK: - What is told

    /// Something moved in dpkg's database.
    package mutating func noteDatabase(at now: Instant, wall: WallTime) {
        if open == nil { open = Open(begun: wall, opened: now, lastActivity: now) }
        open?.lastActivity = now
    }

    /// Those packages that have not been spoken of yet: their lists should be read before dpkg removes them.
    package func unknown(of packages: [DpkgDatabase.Package]) -> [DpkgDatabase.Package] {
        guard let known = open?.packages else { return [] }
        return packages.filter { known[$0] == nil }
    }

    /// Says what a package owned before.
    ///
    /// - Parameter list: Its `.list`; `nil` when there is none: it was not installed.
    package mutating func noteOwned(by package: DpkgDatabase.Package, list: [UInt8]?) {
        guard var present = open, present.packages[package] == nil else { return }
        guard present.packages.count < Self.packageCount else { return overflowCount += 1 }
        open = nil
        defer { open = present }
        present.packages[package] = list != nil
        guard let list else { return }
        DpkgDatabase.forEachPath(inList: list) { path in
            if present.owned.count < Self.ownedPathCount {
                present.owned.insert(Array(path))
            } else {
                overflowCount += 1
            }
        }
    }

    // MARK: - What passes

    /// Whether a change is dpkg's own, and is kept back until the end of the transaction.
    package mutating func admit(_ change: Change, at now: Instant) -> Admission {
        guard var present = open else { return .pass }
        // Changed in place: two owners would copy what is held.
        open = nil
        defer { open = present }
        let isWorking = DpkgDatabase.isWorkingName(change.path)
        let isInstalled =
            change.operation == .renamed && change.previousPath.map(DpkgDatabase.isWorkingName) == true
        let isRemoved =
            change.operation == .deleted && (present.held[change.path] != nil || present.owns(change.path))
        let isInside = change.operation == .created && present.holdsFolder(of: change.path)
        guard isWorking || isInstalled || isRemoved || isInside else { return .pass }
        guard present.hold(change, isWorking: isWorking) else {
            overflowCount += 1
            return .pass
        }
        present.foldedCount += 1
        present.lastActivity = now
        return .folded
    }

    // MARK: - The end

    /// Ends the transaction when it is over.
    ///
    /// - Parameter isLocked: Whether somebody holds dpkg's lock.
    package mutating func look(isLocked: Bool, at now: Instant, wall: WallTime) -> Settlement? {
        guard var present = open, now >= present.lastActivity.advanced(by: quietTime) else { return nil }
        if isLocked, now < present.opened.advanced(by: Self.longest) {
            present.lastActivity = now
            open = present
            return nil
        }
        return settle(wall: wall)
    }

    /// Ends the transaction as it is, for the end of a run; `nil` when there is none, or nothing in it.
    package mutating func settle(wall: WallTime) -> Settlement? {
        guard let present = open else { return nil }
        open = nil
        guard !present.packages.isEmpty || !present.held.isEmpty else { return nil }
        return Settlement(
            begun: present.begun, ended: wall, foldedCount: present.foldedCount, packages: present.packages,
            held: present.held)
    }
}
