import EventModel
import Synchronization

/// What a listener's connections have done, all together.
final class ConnectionCounters: Sendable {
    struct Values {
        var openCount = 0
        var acceptedCount: UInt64 = 0
        var requestCount: UInt64 = 0
        var ended = Tally()
        var receivedByteCount: UInt64 = 0
        var sentByteCount: UInt64 = 0
    }

    private let state = Mutex(Values())

    var values: Values { state.withLock { $0 } }

    func begin() {
        state.withLock {
            $0.acceptedCount += 1
            $0.openCount += 1
        }
    }

    func end(_ reason: String) {
        state.withLock {
            $0.openCount -= 1
            $0.ended.add(1, to: reason)
        }
    }

    /// A client that was not let in.
    func refuse(_ reason: String) { state.withLock { $0.ended.add(1, to: reason) } }

    func addRequest() { state.withLock { $0.requestCount += 1 } }
    func add(received count: Int) { state.withLock { $0.receivedByteCount += UInt64(count) } }
    func add(sent count: Int) { state.withLock { $0.sentByteCount += UInt64(count) } }
}
