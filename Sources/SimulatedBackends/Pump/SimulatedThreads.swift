package import Backends
import Synchronization

/// Makes threads that are one: every one of them runs its jobs in the pump.
package struct SimulatedThreads: ThreadProvider {
    private let pump: Pump
    private let clock: any SystemClock

    init(pump: Pump, clock: any SystemClock) {
        self.pump = pump
        self.clock = clock
    }

    package func makeThread(named name: String) -> any ExecutionThread {
        SimulatedThread(name: name, pump: pump, clock: clock)
    }
}

/// A thread in name only: an executor of its own, so that going there is a scheduling point, on the pump's thread.
package final class SimulatedThread: ExecutionThread {
    package let name: String
    private let pump: Pump
    package let clock: any SystemClock
    private let isStopped = Atomic(false)

    init(name: String, pump: Pump, clock: any SystemClock) {
        self.name = name
        self.pump = pump
        self.clock = clock
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        precondition(!isStopped.load(ordering: .relaxed), "a job for the thread \(name), which was stopped")
        pump.enqueue(job)
    }

    package func stop() { isStopped.store(true, ordering: .relaxed) }
}
