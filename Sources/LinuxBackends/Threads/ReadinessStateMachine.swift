package import Backends

/// Decides which of several causes ends a wait, exactly once, whatever their order.
///
/// A wait begins, is attached to a continuation a little later, and ends; causes may come at any moment between, and
/// stale ones later. An interruption that finds no wait is kept for the next.
package struct ReadinessStateMachine<Continuation: Sendable>: Sendable {
    /// Names one wait.
    package struct WaitID: Hashable, Sendable {
        fileprivate var rawValue: UInt64
    }

    private enum State {
        case idle
        case begun(WaitID)
        case suspended(WaitID, Continuation)
        case finished(WaitID, Readiness)
    }

    private var state = State.idle
    private var lastID: UInt64 = 0
    private var isInterrupted = false

    package init() {}

    /// Starts a wait; `nil` when a former interruption ends it at once.
    package mutating func begin() -> WaitID? {
        guard case .idle = state else { preconditionFailure("one waiter at a time") }
        if isInterrupted {
            isInterrupted = false
            return nil
        }
        lastID += 1
        let id = WaitID(rawValue: lastID)
        state = .begun(id)
        return id
    }

    /// Hands over what is to be resumed; a result means that the wait is over and nothing was kept.
    package mutating func attach(_ continuation: Continuation, to id: WaitID) -> Readiness? {
        switch state {
        case .begun(id):
            state = .suspended(id, continuation)
            return nil
        case .finished(id, let readiness):
            return readiness
        case .idle, .begun, .suspended, .finished:
            preconditionFailure("a wait is attached once, after it began")
        }
    }

    /// Ends the wait `id` for this cause, if it is the first; returns what to resume.
    package mutating func finish(_ id: WaitID, _ readiness: Readiness) -> Continuation? {
        switch state {
        case .begun(id):
            state = .finished(id, readiness)
            return nil
        case .suspended(id, let continuation):
            state = .finished(id, readiness)
            return continuation
        case .idle, .begun, .suspended, .finished:
            return nil
        }
    }

    /// Ends the present wait, or the next if none is open.
    package mutating func interrupt() -> Continuation? {
        switch state {
        case .begun(let id), .suspended(let id, _):
            return finish(id, .interrupted)
        case .idle, .finished:
            isInterrupted = true
            return nil
        }
    }

    /// Ends the present wait for this cause, if one is open that has none yet; leaves the next alone.
    package mutating func finishPresent(_ readiness: Readiness) -> Continuation? {
        switch state {
        case .begun(let id), .suspended(let id, _): finish(id, readiness)
        case .idle, .finished: nil
        }
    }

    /// Makes room for the next wait.
    package mutating func end(_ id: WaitID) {
        guard case .finished(id, _) = state else { preconditionFailure("a wait ends once, after its cause") }
        state = .idle
    }
}
