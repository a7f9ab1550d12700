import Backends
import EventModel
import SwiftProtobuf
import Synchronization
import Wire
import WireMessages

/// One client of the DaemonEye protocol.
final class DaemonEyeConnection: FramedConnection, ServedClient {
    struct Work: ConnectionWork {
        var session: DaemonEyeSession
        var bytes: ConnectionBytes
        var mayBeAsked: Bool { !session.isBusy }
    }

    private struct Mailbox {
        var answer: [UInt8]?
        var goodbye: String?
    }

    let connection: any TransportConnection
    let clock: any SystemClock
    private let server: DaemonEyeServer
    private let counters: ConnectionCounters
    private let mailbox = Mutex(Mailbox())

    init(
        _ connection: any TransportConnection, server: DaemonEyeServer, clock: any SystemClock,
        counters: ConnectionCounters
    ) {
        self.connection = connection
        self.server = server
        self.clock = clock
        self.counters = counters
    }

    func run() async -> String {
        var work = Work(
            session: DaemonEyeSession(server.limits.times, at: clock.monotonic),
            bytes: ConnectionBytes(connection, checksum: .crc32c, counters: counters))
        let label = await serve(&work)
        connection.close()
        return label
    }

    // MARK: - From other tasks

    /// Gives the client the frame that it waits for.
    func deliver(_ answer: [UInt8]) {
        mailbox.withLock { $0.answer = answer }
        connection.interrupt()
    }

    func leave(_ reason: String) {
        mailbox.withLock { $0.goodbye = reason }
        connection.interrupt()
    }

    // MARK: - The loop

    func takeMail(_ work: inout Work) {
        let mail = mailbox.withLock { mailbox in
            defer { mailbox = Mailbox() }
            return mailbox
        }
        guard work.bytes.closingLabel == nil else { return }
        if let answer = mail.answer { self.answer(answer, &work) }
        guard let reason = mail.goodbye else { return }
        // The protocol has no word for it: who waits for nothing learns it from the end of the connection.
        if work.session.isBusy { send(.failure(reason, of: work.session.taskID), &work) }
        work.bytes.end("stopping")
        work.session.end(at: clock.monotonic)
    }

    func take(_ payload: [UInt8], _ work: inout Work) {
        if let action = work.session.receive(payload, at: clock.monotonic) { perform(action, &work) }
    }

    func refuse(_ error: FrameError, _ work: inout Work) {
        perform(work.session.refuse(error, at: clock.monotonic), &work)
    }

    func expire(_ work: inout Work) {
        if let action = work.session.expire(at: clock.monotonic) { perform(action, &work) }
    }

    /// Nothing comes unasked.
    func fillOutput(_ work: inout Work) {}

    private func perform(_ action: DaemonEyeSession.Action, _ work: inout Work) {
        switch action {
        case .perform(let task): server.perform(task, for: self)
        case .negotiate(let request): answer(DaemonEyeAnswer.frame(server.negotiate(request)), &work)
        case .send(let result): send(result, &work)
        case .close(let result, let label):
            send(result, &work)
            work.bytes.end(label)
        case .abandon(let label):
            work.bytes.discardOutput()
            work.bytes.end(label)
        }
    }

    private func answer(_ frame: [UInt8], _ work: inout Work) {
        append(frame, &work)
        work.session.finish(at: clock.monotonic)
    }

    private func send(_ result: DaemonEyeDetectionResult, _ work: inout Work) {
        append(DaemonEyeAnswer.frame(result), &work)
    }

    /// Without a copy in the usual case, because a frame may be large.
    private func append(_ frame: [UInt8], _ work: inout Work) {
        if work.bytes.output.isEmpty { work.bytes.output = frame } else { work.bytes.output += frame }
    }
}
