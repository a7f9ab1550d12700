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
final class ServerConnection: Sendable {
    /// Bytes that wait for a client at which no more events and requests are looked at.
    private static let outputByteCount = 64 << 10
    /// Frames that are looked at before others get their turn.
    private static let turnCount = 16

    private struct Stream {
        var id: UInt64
        var reader: EventFeed.ReaderID
        var filter: EventFilter
    }

    /// Touched by the connection's own task only.
    private struct Work {
        var session: ServerSession
        var reader = FrameReader(payloadLimit: Frame.clientPayloadByteCount)
        var output: [UInt8] = []
        var sentCount = 0
        var streams: [Stream] = []
        var tasks: [UInt64: TaskOrder] = [:]
        /// Tells the answers of one task from those of a cancelled one that had the same id.
        var lastOrder: UInt64 = 0
        /// Pages that sources are making, those for cancelled tasks included.
        var pagesUnderWay = 0
        var isPeerDone = false
        /// Set when nothing but what waits shall be sent any more.
        var closingLabel: String?
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
    private let clock: any SystemClock
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

    /// Serves the client until either side ends it.
    ///
    /// - Returns: Why it ended, as counted.
    func run() async -> String {
        var work = Work(
            session: ServerSession(
                identity: server.identity(for: connection.peer), limits: server.limits.session,
                at: clock.monotonic))
        let label = await serve(&work)
        connection.close()
        for stream in work.streams { _ = server.feed.close(stream.reader) }
        return label
    }

    private func serve(_ work: inout Work) async -> String {
        while true {
            do throws(Errno) {
                takeMail(&work)
                try receive(&work)
                if let action = work.session.expire(at: clock.monotonic) { perform(action, &work) }
                fillOutput(&work)
                let isMoving = try send(&work)
                if let label = work.closingLabel, work.output.isEmpty { return label }
                // A client that has closed its sending side has left.
                if work.isPeerDone { return work.closingLabel ?? "closed" }
                if isMoving {
                    // A client that is as fast as we are must not keep the thread for itself.
                    await Task.yield()
                    continue
                }
            } catch {
                // What ended it first is why it ended.
                let label = error == .brokenPipe || error == .connectionReset ? "reset" : "error"
                return work.closingLabel ?? label
            }
            if Task.isCancelled { return work.closingLabel ?? "cancelled" }
            _ = await connection.ready(for: interest(work), until: work.session.deadline)
        }
    }

    private func interest(_ work: borrowing Work) -> TransportInterest {
        var interest: TransportInterest = []
        if !work.output.isEmpty { interest.insert(.sending) }
        if mayReceive(work) { interest.insert(.receiving) }
        return interest
    }

    private func mayReceive(_ work: borrowing Work) -> Bool {
        !work.isPeerDone && work.closingLabel == nil && work.output.count < Self.outputByteCount
    }

    /// Takes what has arrived, as far as there is room for answers.
    private func receive(_ work: inout Work) throws(Errno) {
        for _ in 0..<Self.turnCount where mayReceive(work) {
            do throws(Errno) {
                let count = try work.reader.fill { (count, buffer) throws(Errno) in
                    try connection.receive(count: count, into: &buffer)
                }
                if count == 0 { work.isPeerDone = true }
                counters.add(received: count)
            } catch .resourceTemporarilyUnavailable {
                return
            }
            takeFrames(&work)
        }
        // While we do not listen, it is not the client that is slow.
        if !mayReceive(work) { work.session.noteFrame(isOpen: false, isNew: false, at: clock.monotonic) }
    }

    private func takeFrames(_ work: inout Work) {
        let now = clock.monotonic
        var isNew = false
        do throws(FrameError) {
            while work.closingLabel == nil, let payload = try work.reader.next() {
                isNew = true
                counters.addRequest()
                if let action = work.session.receive(payload, at: now) { perform(action, &work) }
            }
        } catch {
            perform(work.session.refuse(error, at: now), &work)
        }
        work.session.noteFrame(isOpen: work.reader.isWithinFrame, isNew: isNew, at: now)
    }

    /// - Returns: Whether there may be more to do at once.
    private func send(_ work: inout Work) throws(Errno) -> Bool {
        let before = work.sentCount
        var isStuck = false
        while !isStuck, work.sentCount < work.output.count {
            do throws(Errno) {
                work.sentCount += try connection.send(work.output, from: work.sentCount)
            } catch .resourceTemporarilyUnavailable {
                isStuck = true
            }
        }
        let moved = work.sentCount - before
        counters.add(sent: moved)
        if !isStuck {
            work.output.removeAll(keepingCapacity: work.output.capacity <= Self.outputByteCount)
            work.sentCount = 0
        }
        work.session.noteOutput(isWaiting: isStuck, hasMoved: moved > 0, at: clock.monotonic)
        return moved > 0 && !isStuck
    }

    // MARK: - Answers

    private func takeMail(_ work: inout Work) {
        // Announcements wait until there is room: nobody knows how many come while a client is slow.
        let isFull = work.output.count >= Self.outputByteCount
        let mail = mailbox.withLock { mailbox in
            let mail = mailbox
            mailbox = Mailbox()
            if isFull { mailbox.announcements = mail.announcements }
            return mail
        }
        guard work.closingLabel == nil else { return }
        for answer in mail.answers {
            answer.message.appendFrame(to: &work.output)
            if let id = answer.finished { work.session.finish(id, at: clock.monotonic) }
        }
        for page in mail.pages { takePage(page.order, page.result, &work) }
        if !isFull, work.session.isOpen {
            for message in mail.announcements { message.appendFrame(to: &work.output) }
        }
        if let reason = mail.goodbye { sayGoodbye(reason, &work) }
    }

    private func sayGoodbye(_ reason: String, _ work: inout Work) {
        // What was read for the streams before this is theirs still.
        fillOutput(&work, beyondLimit: true)
        for stream in work.streams {
            end(stream, .cancelled, reason, &work)
        }
        work.streams = []
        var message = WireServerMessage()
        message.goodbye.reason = reason
        message.appendFrame(to: &work.output)
        work.closingLabel = "stopping"
        work.session.end(at: clock.monotonic)
    }

    private func perform(_ action: ServerSession.Action, _ work: inout Work) {
        switch action {
        case .send(let message): message.appendFrame(to: &work.output)
        case .greet:
            var message = WireServerMessage()
            message.requestID = work.session.helloID
            message.welcome = work.session.welcome(server.capabilities)
            message.appendFrame(to: &work.output)
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
            message.appendFrame(to: &work.output)
            work.closingLabel = work.closingLabel ?? label
        case .abandon(let label):
            work.output = []
            work.sentCount = 0
            work.closingLabel = work.closingLabel ?? label
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
        WireServerMessage.failure(code, message, to: id).appendFrame(to: &work.output)
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
        message.appendFrame(to: &work.output)
        work.streams.append(Stream(id: id, reader: reader, filter: wanted.filter))
    }

    /// Reads for each stream in turn until enough waits for the client.
    private func fillOutput(_ work: inout Work, beyondLimit: Bool = false) {
        guard work.closingLabel == nil else { return }
        let limit = beyondLimit ? Self.outputByteCount + Frame.serverPayloadByteCount : Self.outputByteCount
        var hasMore = true
        while hasMore, work.output.count < limit {
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
            let unfit = server.encodings.append(selected, through: through, to: stream.id, &work.output)
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
        message.appendFrame(to: &work.output)
    }

    private func end(_ stream: Stream, _ code: WireFailure.Code, _ reason: String, _ work: inout Work) {
        var message = WireServerMessage()
        message.requestID = stream.id
        message.streamEnd.reason.code = code
        message.streamEnd.reason.message = reason
        if let account = server.feed.close(stream.reader) {
            message.streamEnd.account = WireStreamAccount(account)
        }
        message.appendFrame(to: &work.output)
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
            message.appendFrame(to: &work.output)
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
