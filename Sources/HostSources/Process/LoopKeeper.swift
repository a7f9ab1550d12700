import Synchronization

/// Keeps the loop from one run of the source to the next, so that its account and what it knows of the host go on.
///
/// A run takes the loop and brings it back when it ends, so that two never have it. An actor would own it without a
/// promise, and cost a hop for every wake-up.
final class LoopKeeper<Loop: AnyObject>: Sendable {
    /// The promise: whoever brings a loop back uses it no more.
    private struct Parcel: @unchecked Sendable {
        let loop: Loop
    }

    private let parcel = Mutex<Parcel?>(nil)

    init() {}

    /// The loop of the former run; `nil` for the first run.
    func take() -> Loop? {
        parcel.withLock { parcel in
            defer { parcel = nil }
            return parcel
        }?.loop
    }

    func bringBack(_ loop: Loop) {
        let new = Parcel(loop: loop)
        parcel.withLock { $0 = new }
    }
}
