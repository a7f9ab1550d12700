package import EventModel
package import WireMessages

/// The server's side of one connection of the DaemonEye protocol: one request after the other, each answered by one message.
///
/// Takes payloads and times and gives actions; reads no socket and no clock.
package struct DaemonEyeSession: Sendable {
    package enum Action: Sendable {
        /// Carry it out, send the result, call ``finish(at:)``.
        case perform(DaemonEyeDetectionTask)
        /// Answer at once, call ``finish(at:)``.
        case negotiate(DaemonEyeCapabilityRequest)
        /// Send it; nothing else is to be done.
        case send(DaemonEyeDetectionResult)
        /// Send it, then close; count it under the label.
        case close(DaemonEyeDetectionResult, label: String)
        /// Close at once: what waits for the client is lost. Count it under the label, unless it was ending already.
        case abandon(label: String)
    }

    private var times: ConnectionTimes
    /// A request has not been answered: the next one waits where it is.
    package private(set) var isBusy = false
    /// The task that is under way.
    package private(set) var taskID = ""

    package init(_ limits: ConnectionTimes.Limits, at now: Instant) {
        times = ConnectionTimes(limits, at: now)
    }

    // MARK: - Time

    /// When ``expire(at:)`` has to be asked next.
    package var deadline: Instant? { times.deadline(isIdle: !isBusy) }

    /// What the time that has passed leads to.
    package mutating func expire(at now: Instant) -> Action? {
        guard let expiry = times.expiry(isIdle: !isBusy, at: now) else { return nil }
        if expiry == .write {
            end(at: now)
            return .abandon(label: expiry.label)
        }
        return close(times.complaint(expiry), label: expiry.label, at: now)
    }

    /// Nothing of the client is heard any more: it has ``ConnectionTimes/Limits/writeTimeout`` to take what it is owed.
    package mutating func end(at now: Instant) { times.end(at: now) }

    /// Notes whether the bytes so far end within a frame that the client could send on.
    ///
    /// - Parameter isNew: Whether another frame has ended since the last call.
    package mutating func noteFrame(isOpen: Bool, isNew: Bool, at now: Instant) {
        times.noteFrame(isOpen: isOpen, isNew: isNew, at: now)
    }

    /// Notes whether something waits for the client to take it, and whether it has just taken some.
    package mutating func noteOutput(isWaiting: Bool, hasMoved: Bool, at now: Instant) {
        times.noteOutput(isWaiting: isWaiting, hasMoved: hasMoved, at: now)
    }

    // MARK: - Messages

    /// What one payload of the client leads to; not to be called while ``isBusy``.
    package mutating func receive(_ payload: [UInt8], at now: Instant) -> Action? {
        precondition(!isBusy, "one request at a time")
        guard !times.isEnded else { return nil }
        times.noteMessage(at: now)
        do throws(MessageDefect) {
            switch try DaemonEyeRequest(parsing: payload) {
            case .task(let task):
                isBusy = true
                taskID = task.taskID
                return .perform(task)
            case .capabilities(let request):
                isBusy = true
                taskID = ""
                return .negotiate(request)
            case .unclear(let taskID, let reason):
                return .send(.failure("cannot tell what is asked: \(reason)", of: taskID))
            }
        } catch {
            return close("\(error)", label: error.label, at: now)
        }
    }

    /// A frame that makes no sense ends the connection.
    package mutating func refuse(_ error: FrameError, at now: Instant) -> Action {
        close("\(error)", label: error.label, at: now)
    }

    /// The request has been answered.
    package mutating func finish(at now: Instant) {
        isBusy = false
        times.noteMessage(at: now)
    }

    private mutating func close(_ message: String, label: String, at now: Instant) -> Action {
        end(at: now)
        return .close(.failure(message, of: ""), label: label)
    }
}

extension DaemonEyeDetectionResult {
    /// - Parameters:
    ///   - message: One line, for a person.
    ///   - taskID: Empty when it is not known.
    package static func failure(_ message: String, of taskID: String) -> Self {
        var result = DaemonEyeDetectionResult()
        result.taskID = taskID
        result.errorMessage = message
        return result
    }
}
