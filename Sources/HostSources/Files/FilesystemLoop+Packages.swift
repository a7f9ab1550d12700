import Backends
import CollectorCore
import EventModel

import struct SystemPackage.Errno

/// What a package manager does is folded into one event, and checked.
extension FilesystemLoop {
    /// How long the check may go on when the source is about to stop.
    private static var lastCheckDuration: Duration { .seconds(2) }

    /// Takes out what belongs to a transaction, and counts it.
    func fold(_ events: inout ContiguousArray<Event>) {
        guard packages != nil else { return }
        var kept = ContiguousArray<Event>()
        kept.reserveCapacity(events.count)
        for event in events {
            switch packages?.answer(to: event, at: now, wall: tracker.clocks.wall) ?? .emit {
            case .emit: kept.append(event)
            case .fold: if event.origin == .emitted { tracker.coalesce() }
            case .filter: if event.origin == .emitted { tracker.filter(.packageDatabase) }
            }
        }
        tracker.spareHashes = packages?.isOpen == true
        troubles.packageOverflowCount = packages?.overflowCount ?? 0
        events = kept
    }

    /// Looks whether a transaction is over, and checks one for about a millisecond.
    func checkPackages() async {
        guard packages != nil else { return }
        packages?.look(at: now, wall: tracker.clocks.wall)
        await verifyPackages(until: now.advanced(by: Self.sliceDuration))
    }

    /// Ends a transaction that goes on when the source stops: what is not checked by then is said to be unchecked.
    func settlePackages() async {
        guard packages != nil else { return }
        let end = now.advanced(by: Self.lastCheckDuration)
        await finishCheck(until: end)
        packages?.settle(wall: tracker.clocks.wall)
        await finishCheck(until: end)
    }

    private func finishCheck(until end: Instant) async {
        await verifyPackages(until: end)
        if let verdict = packages?.abandonCheck() { await tell(verdict) }
    }

    private func verifyPackages(until end: Instant) async {
        while packages?.isVerifying == true {
            if let verdict = packages?.verify() { return await tell(verdict) }
            if now >= end { return }
        }
    }

    private func tell(_ verdict: PackageVerifier.Verdict) async {
        // What came before comes first.
        await emitOutput()
        for inner in verdict.mismatched {
            publish(.suspicious, inner) { $0.suspicion = .packageMismatch }
        }
        for change in verdict.unlisted { publish(change.operation, change.path) { _ in } }
        guard let path = packages?.databasePath else { return }
        tracker.publish(.transaction, path: path, look: nil, origin: .derived) {
            $0.transaction = verdict.transaction
        }
        // Past the fold: a transaction that has begun meanwhile must not take these.
        await emit(tracker.takeOutput())
    }

    private func publish(
        _ operation: FileOperation, _ inner: [UInt8], _ change: (inout FilesystemEvent) -> Void
    ) {
        guard let path = packages?.path(of: inner) else { return }
        tracker.publish(operation, path: path, look: look(atPath: path), origin: .derived, change)
    }

    private func look(atPath path: [UInt8]) -> FileLook? {
        guard let (root, path) = endpoints.roots.place(of: path) else { return nil }
        do throws(Errno) {
            let file = try root.open(path, as: .path)
            return .status(try root.status(of: file))
        } catch {
            return error.look
        }
    }
}
