import Backends
import EventModel

/// Where one task at a time waits for something of the simulated kernel.
final class WaitPoint {
    fileprivate var isInterrupted = false
    /// The task that waits: called once, with the reason.
    fileprivate var waiter: ((Readiness) -> Void)?

    /// Ends the present wait.
    ///
    /// - Returns: Whether somebody waited.
    @discardableResult
    func wake(_ readiness: Readiness) -> Bool {
        guard let waiter else { return false }
        self.waiter = nil
        waiter(readiness)
        return true
    }

    /// Ends the present wait, or the next if there is none.
    func interrupt() {
        if !wake(.interrupted) { isInterrupted = true }
    }
}

/// How what is waited for stands.
enum WaitCondition {
    case pending, ready
    /// Nobody waits at what is closed.
    case closed
}

extension SimulatedKernel {
    /// Lets the calling task wait until it is woken at `point`, or the deadline passes.
    ///
    /// - Parameters:
    ///   - operation: The name of the wait in fault rules, with `file` if the rules may give one.
    ///   - what: For the report of a deadlock.
    ///   - condition: Asked at once and again before the task is suspended; who changes it calls ``WaitPoint/wake(_:)``.
    func wait(
        at point: ThreadConfined<WaitPoint>, _ operation: BackendOperation, file: String? = nil,
        for what: String, until deadline: Instant?, _ condition: @Sendable () -> WaitCondition
    ) async -> Readiness {
        // Asking costs time too, so that a loop which never suspends does not stand still.
        world.spendCallCost()
        let effects = world.applyFaults(toWait: operation, file: file)
        if effects.lateness > .zero { await fallAsleep(for: effects.lateness) }
        if let readiness = readyNow(point.value, deadline, condition) { return readiness }
        if effects.isSpurious { return .readable }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // The task may have been cancelled before there was anybody to wake.
                if let readiness = readyNow(point.value, deadline, condition) {
                    return continuation.resume(returning: readiness)
                }
                suspend(continuation, at: point, for: what, until: deadline)
            }
        } onCancel: {
            point.value.wake(.interrupted)
        }
    }

    /// The thread does not get its processor.
    private func fallAsleep(for duration: Duration) async {
        await withCheckedContinuation { continuation in
            _ = pump.clock.schedule(at: now.advanced(by: duration)) { continuation.resume() }
        }
    }

    private func readyNow(
        _ point: WaitPoint, _ deadline: Instant?, _ condition: () -> WaitCondition
    ) -> Readiness? {
        if point.isInterrupted {
            point.isInterrupted = false
            return .interrupted
        }
        if Task.isCancelled { return .interrupted }
        switch condition() {
        case .closed: return .interrupted
        case .ready: return .readable
        case .pending: break
        }
        if let deadline, deadline <= now { return .deadlinePassed }
        return nil
    }

    private func suspend(
        _ continuation: CheckedContinuation<Readiness, Never>, at confined: ThreadConfined<WaitPoint>,
        for what: String, until deadline: Instant?
    ) {
        let point = confined.value
        precondition(point.waiter == nil, "one task at a time waits for \(what)")
        let pump = pump
        let parked = pump.park(what)
        let timer = deadline.map { time in
            pump.clock.schedule(at: time) { confined.value.wake(.deadlinePassed) }
        }
        point.waiter = { readiness in
            pump.unpark(parked)
            if let timer { pump.clock.cancel(timer) }
            continuation.resume(returning: readiness)
        }
    }
}
