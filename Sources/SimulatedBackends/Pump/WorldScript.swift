import EventModel

/// What will happen to the world, known from the beginning: steps in the order of their times.
struct WorldScript {
    private let times: [Instant]
    private let perform: (Int) -> Void
    private var next = 0

    /// - Parameter times: Ascending.
    init(times: [Instant], perform: @escaping (Int) -> Void) {
        self.times = times
        self.perform = perform
    }

    /// When the next step is due; `nil` at the end.
    var nextTime: Instant? { next < times.count ? times[next] : nil }

    /// The next step, which is then behind.
    mutating func takeStep() -> (index: Int, perform: (Int) -> Void) {
        defer { next += 1 }
        return (next, perform)
    }
}
