import Backends
import EventModel
import Wire

import struct SystemPackage.Errno

/// What a connection's loop tells the session of its protocol, and asks of it.
protocol TimedSession {
    var deadline: Instant? { get }
    mutating func noteFrame(isOpen: Bool, isNew: Bool, at now: Instant)
    mutating func noteOutput(isWaiting: Bool, hasMoved: Bool, at now: Instant)
}

extension ServerSession: TimedSession {}
extension DaemonEyeSession: TimedSession {}

/// What one connection holds; touched by its own task only.
protocol ConnectionWork {
    associatedtype Session: TimedSession
    var session: Session { get set }
    var bytes: ConnectionBytes { get set }
    /// Whether another request may come as far as its protocol is concerned.
    var mayBeAsked: Bool { get }
}

extension ConnectionWork {
    /// Whether there is room for what the client says, and for answers to it.
    var isListening: Bool {
        !bytes.isPeerDone && bytes.closingLabel == nil && !bytes.isFull && mayBeAsked
    }
}

/// The server's side of a connection that carries frames, whatever they mean.
///
/// One task runs it. Answers that take time come from other tasks, which leave them where ``takeMail(_:)`` finds them and
/// interrupt the connection.
protocol FramedConnection: AnyObject, Sendable {
    associatedtype Work: ConnectionWork
    var connection: any TransportConnection { get }
    var clock: any SystemClock { get }

    /// Takes what other tasks have left for the client.
    func takeMail(_ work: inout Work)
    /// Does what a payload asks for.
    func take(_ payload: [UInt8], _ work: inout Work)
    /// Ends a connection whose bytes are no frames.
    func refuse(_ error: FrameError, _ work: inout Work)
    /// Ends what has taken too long.
    func expire(_ work: inout Work)
    /// Adds to what waits for the client, if there is room.
    func fillOutput(_ work: inout Work)
}

/// Frames that are looked at before others get their turn.
private let turnCount = 16

extension FramedConnection {
    /// Serves the client until either side ends it.
    ///
    /// - Returns: Why it ended, as counted.
    func serve(_ work: inout Work) async -> String {
        var hasToLook = false
        while true {
            do throws(Errno) {
                takeMail(&work)
                if hasToLook { _ = try work.bytes.receive() }
                try receive(&work)
                expire(&work)
                fillOutput(&work)
                let isMoving = try send(&work)
                if let label = work.bytes.closingLabel, work.bytes.output.isEmpty { return label }
                // A client that has closed its sending side has left.
                if work.bytes.isPeerDone { return work.bytes.closingLabel ?? "closed" }
                if isMoving {
                    // A client that is as fast as we are must not keep the thread for itself.
                    await Task.yield()
                    continue
                }
            } catch {
                // What ended it first is why it ended.
                let label = error == .brokenPipe || error == .connectionReset ? "reset" : "error"
                return work.bytes.closingLabel ?? label
            }
            if Task.isCancelled { return work.bytes.closingLabel ?? "cancelled" }
            let interest = interest(work)
            let readiness = await connection.ready(for: interest, until: work.session.deadline)
            // Nothing was asked for, so that it must be broken: only a look tells.
            hasToLook = interest.isEmpty && readiness == .readable
        }
    }

    private func interest(_ work: borrowing Work) -> TransportInterest {
        var interest: TransportInterest = []
        if !work.bytes.output.isEmpty { interest.insert(.sending) }
        if work.isListening { interest.insert(.receiving) }
        return interest
    }

    /// Takes what has arrived, as far as there is room for answers.
    private func receive(_ work: inout Work) throws(Errno) {
        // Requests may be left from a time without room.
        takeFrames(&work)
        for _ in 0..<turnCount where work.isListening {
            guard try work.bytes.receive() else { break }
            takeFrames(&work)
        }
        // While we do not listen, it is not the client that is slow.
        if !work.isListening {
            work.session.noteFrame(isOpen: false, isNew: false, at: clock.monotonic)
        }
    }

    private func takeFrames(_ work: inout Work) {
        var isNew = false
        do throws(FrameError) {
            while work.isListening, let payload = try work.bytes.nextPayload() {
                isNew = true
                take(payload, &work)
            }
        } catch {
            refuse(error, &work)
        }
        work.session.noteFrame(isOpen: work.bytes.isWithinFrame, isNew: isNew, at: clock.monotonic)
    }

    /// - Returns: Whether there may be more to do at once.
    private func send(_ work: inout Work) throws(Errno) -> Bool {
        let (hasMoved, isStuck) = try work.bytes.send()
        work.session.noteOutput(isWaiting: isStuck, hasMoved: hasMoved, at: clock.monotonic)
        return hasMoved && !isStuck
    }
}
