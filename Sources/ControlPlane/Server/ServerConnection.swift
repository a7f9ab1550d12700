import Backends
import CollectorCore
import EventModel
import Synchronization
import Wire
import WireMessages

import struct SystemPackage.Errno

/// One client: moves bytes between its connection, its session, and what it has asked for.
///
/// One task runs it. Answers that take time come from other tasks, through ``deliver(_:finishing:)``.
final class ServerConnection: FramedConnection, ServedClient {
    struct Stream {
        var id: UInt64
        var reader: EventFeed.ReaderID
        var filter: EventFilter
    }

    struct Work: ConnectionWork {
        var session: ServerSession
        var bytes: ConnectionBytes
        var mayBeAsked: Bool { true }
        var streams: [Stream] = []
        var tasks: [UInt64: TaskOrder] = [:]
        /// Tells the answers of one task from those of a cancelled one that had the same id.
        var lastOrder: UInt64 = 0
        /// Pages that sources are making, those for cancelled tasks included.
        var pagesUnderWay = 0
    }

    private struct Mailbox {
        var answers: [(message: WireServerMessage, finished: UInt64?)] = []
        var pages: [(order: TaskOrder.Name, result: Result<TaskAnswer, TaskError>)] = []
        /// At most one of each kind, the last.
        var announcements: [WireServerMessage] = []
        var goodbye: String?
    }

    let connection: any TransportConnection
    private let server: ControlServer
    private let number: UInt64
    let clock: any SystemClock
    private let mailbox = Mutex(Mailbox())
    private let counters: ConnectionCounters

    init(
        _ connection: any TransportConnection, number: UInt64, server: ControlServer, clock: any SystemClock,
        counters: ConnectionCounters
    ) {
        self.connection = connection
        self.server = server
        self.number = number
        self.clock = clock
        self.counters = counters
    }

    // MARK: - From other tasks

    /// Puts an answer into the client's queue.
    func deliver(_ message: WireServerMessage, finishing id: UInt64?) {
        mailbox.withLock { $0.answers.append((message, id)) }
        connection.interrupt()
    }

    /// Tells what concerns every client; the last one stands for those of its kind that have not been sent.
    func announce(_ message: WireServerMessage) {
        mailbox.withLock { mailbox in
            mailbox.announcements.removeAll { $0.isOfOneKind(with: message) }
            mailbox.announcements.append(message)
        }
        connection.interrupt()
    }

    /// Ends what the client has asked for, says why, and closes.
    func leave(_ reason: String) {
        mailbox.withLock { $0.goodbye = reason }
        connection.interrupt()
    }

    // MARK: - The loop

    func run() async -> String {
        var work = Work(
            session: ServerSession(
                identity: server.identity(for: connection.peer), limits: server.limits.session,
                at: clock.monotonic),
            bytes: ConnectionBytes(connection, checksum: .crc32, counters: counters))
        let label = await serve(&work)
        connection.close()
        for stream in work.streams { _ = server.feed.close(stream.reader) }
        return label
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

    // MARK: - Answers

    func takeMail(_ work: inout Work) {
        // Announcements wait until there is room: nobody knows how many come while a client is slow.
        let isFull = work.bytes.isFull
        let mail = mailbox.withLock { mailbox in
            let mail = mailbox
            mailbox = Mailbox()
            if isFull { mailbox.announcements = mail.announcements }
            return mail
        }
        guard work.bytes.closingLabel == nil else { return }
        for answer in mail.answers {
            answer.message.appendFrame(to: &work.bytes.output)
            if let id = answer.finished { work.session.finish(id, at: clock.monotonic) }
        }
        for page in mail.pages { takePage(page.order, page.result, &work) }
        if !isFull, work.session.isOpen {
            for message in mail.announcements { message.appendFrame(to: &work.bytes.output) }
        }
        if let reason = mail.goodbye { sayGoodbye(reason, &work) }
    }

    private func sayGoodbye(_ reason: String, _ work: inout Work) {
        // What was read for the streams before this is theirs still.
        fillOutput(&work, atMost: ConnectionBytes.outputByteCount + Frame.serverPayloadByteCount)
        for stream in work.streams {
            end(stream, .cancelled, reason, &work)
        }
        work.streams = []
        var message = WireServerMessage()
        message.goodbye.reason = reason
        message.appendFrame(to: &work.bytes.output)
        work.bytes.end("stopping")
        work.session.end(at: clock.monotonic)
    }

    private func perform(_ action: ServerSession.Action, _ work: inout Work) {
        switch action {
        case .send(let message): message.appendFrame(to: &work.bytes.output)
        case .greet:
            var message = WireServerMessage()
            message.requestID = work.session.helloID
            message.welcome = work.session.welcome(server.capabilities)
            message.appendFrame(to: &work.bytes.output)
        case .answer(let id, let query): server.answer(query, id, for: self)
        case .reload(let id, let isCheck):
            guard isControl else { return fail(id, .permissionDenied, Self.needsControl, &work) }
            server.reload(isCheck: isCheck, id, for: self)
        case .subscribe(let id, let request): subscribe(id, request, &work)
        case .credit(let id, let events):
            if let stream = work.streams.first(where: { $0.id == id }) {
                server.feed.credit(events, to: stream.reader)
            }
        case .perform(let id, let task): begin(task, id, &work)
        case .nextPage(let id): beginPage(id, &work)
        case .cancel(let id): cancel(id, &work)
        case .close(let message, let label):
            message.appendFrame(to: &work.bytes.output)
            work.bytes.end(label)
        case .abandon(let label):
            work.bytes.discardOutput()
            work.bytes.end(label)
        }
    }

    private func cancel(_ id: UInt64, _ work: inout Work) {
        if let index = work.streams.firstIndex(where: { $0.id == id }) {
            end(work.streams.remove(at: index), .cancelled, "cancelled by the client", &work)
        } else if work.tasks[id] != nil {
            work.tasks[id] = nil
            fail(id, .cancelled, "cancelled by the client", &work)
        }
    }

    private func fail(_ id: UInt64, _ code: WireFailure.Code, _ message: String, _ work: inout Work) {
        WireServerMessage.failure(code, message, to: id).appendFrame(to: &work.bytes.output)
        work.session.finish(id, at: clock.monotonic)
    }

    // MARK: - Streams

    private func subscribe(_ id: UInt64, _ request: WireSubscribe, _ work: inout Work) {
        let wanted: EventFeed.Request
        do throws(MessageError) {
            wanted = try EventFeed.Request(request, name: "ipc/\(number)/\(id)")
        } catch {
            return fail(id, .invalid, "\(error)", &work)
        }
        let connection = connection
        let (reader, position) = server.feed.open(wanted, at: clock.monotonic, wall: clock.wall) {
            connection.interrupt()
        }
        var message = WireServerMessage()
        message.requestID = id
        message.subscribed.position = WirePosition(position)
        message.appendFrame(to: &work.bytes.output)
        work.streams.append(Stream(id: id, reader: reader, filter: wanted.filter))
    }

    /// Reads for each stream in turn until enough waits for the client.
    func fillOutput(_ work: inout Work) { fillOutput(&work, atMost: ConnectionBytes.outputByteCount) }

    private func fillOutput(_ work: inout Work, atMost limit: Int) {
        guard work.bytes.closingLabel == nil else { return }
        var hasMore = true
        while hasMore, work.bytes.output.count < limit {
            hasMore = false
            for index in work.streams.indices.reversed() {
                guard let output = server.feed.next(work.streams[index].reader) else { continue }
                hasMore = true
                append(output, ofStreamAt: index, &work)
            }
        }
    }

    private func append(_ output: EventFeed.Output, ofStreamAt index: Int, _ work: inout Work) {
        let stream = work.streams[index]
        var message = WireServerMessage()
        message.requestID = stream.id
        switch output {
        case .events(let selected, let through):
            let unfit = server.encodings.append(selected, through: through, to: stream.id, &work.bytes.output)
            guard unfit > 0, let gap = server.feed.discard(unfit, of: stream.reader, from: selected) else {
                return
            }
            message.gap = WireGap(gap)
        case .gap(let gap, let through): message.gap = WireGap(gap, through: through)
        case .status(let status): message.sourceStatus = WireSourceStatus(status)
        case .end(let reason):
            work.streams.remove(at: index)
            switch reason {
            case .limitReached: end(stream, .unspecified, "as many events as were asked for", &work)
            case .tooSlow: end(stream, .exhausted, "the client was too slow", &work)
            case .stopped: end(stream, .cancelled, "the collector stops", &work)
            }
            return
        }
        message.appendFrame(to: &work.bytes.output)
    }

    private func end(_ stream: Stream, _ code: WireFailure.Code, _ reason: String, _ work: inout Work) {
        var message = WireServerMessage()
        message.requestID = stream.id
        message.streamEnd.reason.code = code
        message.streamEnd.reason.message = reason
        if let account = server.feed.close(stream.reader) {
            message.streamEnd.account = WireStreamAccount(account)
        }
        message.appendFrame(to: &work.bytes.output)
        work.session.finish(stream.id, at: clock.monotonic)
    }

    // MARK: - Rights

    private static let needsControl = "this takes the role control: root, or the collector's own user"

    private var isControl: Bool { server.identity(for: connection.peer).role == .control }

    // MARK: - Tasks

    private func begin(_ request: WireDetectionTask, _ id: UInt64, _ work: inout Work) {
        do throws(MessageError) {
            work.lastOrder += 1
            let order = try TaskOrder(request, TaskOrder.Name(id: id, number: work.lastOrder))
            guard !order.needsControl || isControl else {
                return fail(id, .permissionDenied, Self.needsControl, &work)
            }
            // A task that is cancelled goes on until its source has answered.
            guard work.pagesUnderWay < server.limits.session.openRequestCount else {
                return fail(id, .exhausted, "too many tasks are still under way; try again later", &work)
            }
            work.tasks[id] = order
            perform(order, &work)
        } catch {
            fail(id, .invalid, "\(error)", &work)
        }
    }

    private func perform(_ order: TaskOrder, _ work: inout Work) {
        work.pagesUnderWay += 1
        server.perform(order, for: self)
    }

    /// Puts the outcome of a task into the client's queue.
    func deliver(_ result: Result<TaskAnswer, TaskError>, of order: TaskOrder.Name) {
        mailbox.withLock { $0.pages.append((order, result)) }
        connection.interrupt()
    }

    private func takePage(
        _ name: TaskOrder.Name, _ result: Result<TaskAnswer, TaskError>, _ work: inout Work
    ) {
        work.pagesUnderWay -= 1
        let id = name.id
        // Cancelled meanwhile; the id may belong to another task by now.
        guard var order = work.tasks[id], order.name == name else { return }
        switch result {
        case .success(let answer):
            var message = WireServerMessage()
            message.requestID = id
            message.taskResult = order.page(of: answer)
            message.appendFrame(to: &work.bytes.output)
            work.tasks[id] = answer.hasMore ? order : nil
            if !answer.hasMore { work.session.finish(id, at: clock.monotonic) }
        case .failure(let error):
            work.tasks[id] = nil
            fail(id, WireFailure.Code(error.code), error.message, &work)
        }
    }

    private func beginPage(_ id: UInt64, _ work: inout Work) {
        guard var order = work.tasks[id] else { return }
        // Asked twice before the answer: one page is enough.
        guard !order.isUnderWay else { return }
        order.isUnderWay = true
        work.tasks[id] = order
        perform(order, &work)
    }
}

extension WireServerMessage {
    /// Whether it is an announcement of the same kind, so that the later one says all.
    fileprivate func isOfOneKind(with other: WireServerMessage) -> Bool {
        switch (body, other.body) {
        case (.capabilities, .capabilities), (.reloaded, .reloaded): true
        default: false
        }
    }
}
