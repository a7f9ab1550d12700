import EventModel
import Synchronization

/// How many tasks sources carry out at a time for the clients of one listener, those for clients that have left included.
final class TaskSlots: Sendable {
    private let limit: Int
    private let limitPerUser: Int
    /// For whom, as often as they do.
    private let users = Mutex<[UserID]>([])

    init(limit: Int, limitPerUser: Int) {
        self.limit = limit
        self.limitPerUser = limitPerUser
    }

    var count: Int { users.withLock { $0.count } }

    /// - Returns: Whether there is room; then ``leave(_:)`` must follow.
    func enter(_ uid: UserID) -> Bool {
        users.withLock { users in
            guard users.count < limit, users.count(where: { $0 == uid }) < limitPerUser else { return false }
            users.append(uid)
            return true
        }
    }

    func leave(_ uid: UserID) {
        users.withLock { users in
            if let index = users.firstIndex(of: uid) { users.remove(at: index) }
        }
    }
}
