import Glibc

// The one place of this target with unsafe code and a system thread identity. Everything simulated runs on one thread:
// `ThreadConfined` turns that rule into a trap, and the generic executor reference lets the pump run any job in place.

/// A reference that only the thread that made it may follow; any other thread traps.
///
/// `@unchecked Sendable` is sound because every access compares thread identities first, so the reference is never used
/// from two threads. The identity is `pthread_self(3)`, which stays the same in a child of `fork(2)`.
package final class ThreadConfined<Value: AnyObject>: @unchecked Sendable {
    private let confined: Value
    private let owner: pthread_t

    /// Confines `value` to the calling thread.
    package init(_ value: Value) {
        confined = value
        owner = pthread_self()
    }

    /// The value; traps on any other thread than the one that made the box.
    package var value: Value {
        precondition(pthread_self() == owner, "simulated state is touched by a foreign thread")
        return confined
    }
}

/// A job that waits for its turn in the pump.
///
/// A job is run exactly once: it enters by `enqueue` and leaves by `run`, which consumes it.
@safe
package struct ReadyJob: Sendable {
    private let job: UnownedJob

    package init(_ job: consuming ExecutorJob) {
        self.job = UnownedJob(job)
    }

    /// Runs the job on the calling thread until it suspends or ends.
    ///
    /// The *generic* executor reference makes the runtime treat the job as running on the cooperative pool: a task that
    /// prefers the pump then goes on in place instead of being enqueued a second time, as it would be when run on the
    /// task executor itself by a caller without a preference.
    package func run() {
        unsafe job.runSynchronously(on: unsafeBitCast((0, 0), to: UnownedSerialExecutor.self))
    }
}
