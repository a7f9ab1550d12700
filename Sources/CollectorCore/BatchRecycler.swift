import EventModel
import Synchronization

/// Gives the events of finished batches back to the thread that made them, to be freed there, and their arrays to be
/// filled again.
///
/// A subscriber that frees another thread's strings one by one fights with that thread for its heap, and a large
/// allocation for every batch makes the heap tidy itself up each time; measured by `collector-bench pipeline`.
final class BatchRecycler: Sendable {
    /// Most batches kept back; beyond it the last subscriber frees them.
    private static let batchLimit = 32

    private let finished = Mutex<[ContiguousArray<Event>]>([])

    init() {}

    /// Takes the events of a batch that nobody needs any more; from any thread.
    func take(_ events: ContiguousArray<Event>) {
        finished.withLock { finished in
            if finished.count < Self.batchLimit { finished.append(events) }
        }
    }

    /// Frees what has come back, and gives an empty array without memory one of theirs; on the source's thread.
    func refill(_ events: inout ContiguousArray<Event>, capacity: Int) {
        var returned = finished.withLock { finished -> [ContiguousArray<Event>] in
            defer { finished = [] }
            return finished
        }
        while var array = returned.popLast() {
            array.removeAll(keepingCapacity: true)
            let isOfUse = events.isEmpty && events.capacity < array.capacity && array.capacity <= 2 * capacity
            if isOfUse { events = array }
        }
    }
}
