/// A thread that runs tasks and idles in its wait for descriptors and timers; in simulation, the seeded pump.
///
/// A source's main loop runs with this as its task executor preference, so that its synchronous backend calls block
/// nobody else.
public protocol ExecutionThread: TaskExecutor {
    /// Timers of this clock fire on this thread.
    var clock: any SystemClock { get }
    /// Ends the thread once its queue is empty; jobs enqueued later trap.
    func stop()
}

/// Makes threads for sources.
public protocol ThreadProvider: Sendable {
    /// - Parameter name: At most 15 bytes, shown by `ps -L` as `comm`.
    func makeThread(named name: String) -> any ExecutionThread
}
