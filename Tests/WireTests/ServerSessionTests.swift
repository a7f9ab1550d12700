import EventModel
import SwiftProtobuf
import Testing
import Wire
import WireMessages

@Suite struct ServerSessionTests {
    private static let run = RunContext(
        bootID: BootID(high: 1, low: 2), runID: RunID(7))

    private func session(_ limits: ServerSession.Limits = ServerSession.Limits()) -> ServerSession {
        ServerSession(
            identity: ServerSession.Identity(server: "test", run: Self.run, role: .read), limits: limits,
            at: at(0))
    }

    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    private func bytes(_ id: UInt64, _ body: WireClientMessage.OneOf_Body) throws -> [UInt8] {
        var message = WireClientMessage()
        message.requestID = id
        message.body = body
        return try message.serializedBytes()
    }

    private func hello(_ versions: UInt32...) -> WireClientMessage.OneOf_Body {
        var hello = WireHello()
        hello.versions = versions
        hello.client = "test"
        return .hello(hello)
    }

    private func opened(_ limits: ServerSession.Limits = ServerSession.Limits()) throws -> ServerSession {
        var session = session(limits)
        _ = session.receive(try bytes(1, hello(1)), at: at(0))
        #expect(session.isOpen)
        return session
    }

    private func label(_ action: ServerSession.Action?) -> String? {
        switch action {
        case .close(_, let label), .abandon(let label): return label
        default: return nil
        }
    }

    @Test func `a client that speaks our version is greeted`() throws {
        var session = session()
        let action = session.receive(try bytes(5, hello(9, 1)), at: at(0))
        guard case .greet(let client)? = action else {
            return #expect(Bool(false), "\(String(describing: action))")
        }
        #expect(client == "test")
        #expect(session.helloID == 5)
        let welcome = session.welcome(WireCapabilities())
        #expect(welcome.version == 1 && welcome.run.runID == 7 && welcome.role == .read)
    }

    @Test func `a client of another version is told which one we speak`() throws {
        var session = session()
        let action = session.receive(try bytes(5, hello(2, 3)), at: at(0))
        #expect(label(action) == "unsupported_version")
        guard case .close(let message, _)? = action else { return }
        #expect(message.requestID == 5 && message.failure.code == .unsupportedVersion)
        let later = session.receive(try bytes(6, hello(1)), at: at(0))
        #expect(later.isNothing, "nothing is heard after the end")
    }

    @Test func `nothing is answered before hello`() throws {
        var session = session()
        do {
            let action = try session.receive(bytes(1, .status(WireStatusRequest())), at: at(0))
            #expect(label(action) == "hello_missing")
        }
    }

    @Test func `bytes that are no message end the connection`() {
        for bad: [UInt8] in [[0xff], [0x0a, 0x7f, 0x00], [0x13], Array(repeating: 0x80, count: 30)] {
            var session = session()
            do {
                let action = session.receive(bad, at: at(0))
                #expect(label(action) == "message_malformed")
            }
        }
    }

    @Test func `a message of very many elements is refused before it is decoded`() throws {
        var subscribe = WireSubscribe()
        subscribe.filter.pids = Array(repeating: 1, count: 4_097)
        var session = try opened()
        do {
            let action = try session.receive(bytes(2, .subscribe(subscribe)), at: at(0))
            #expect(label(action) == "message_too_large")
        }
        subscribe.filter.pids = []
        subscribe.filter.topics = Array(repeating: "", count: 4_097)
        session = try opened()
        do {
            let action = try session.receive(bytes(2, .subscribe(subscribe)), at: at(0))
            #expect(label(action) == "message_too_large")
        }
    }

    @Test func `open requests are limited, and an id is free again after its answer`() throws {
        var limits = ServerSession.Limits()
        limits.openRequestCount = 2
        var session = try opened(limits)
        for id: UInt64 in [2, 3] {
            guard
                case .answer(id, .status)? = session.receive(
                    try bytes(id, .status(WireStatusRequest())), at: at(0))
            else { return #expect(Bool(false), "request \(id)") }
        }
        guard
            case .send(let refusal)? = session.receive(
                try bytes(4, .accounts(WireAccountsRequest())), at: at(0))
        else { return #expect(Bool(false), "must be refused") }
        #expect(refusal.requestID == 4 && refusal.failure.code == .exhausted)
        session.finish(2, at: at(0))
        guard
            case .answer(2, .accounts)? = session.receive(
                try bytes(2, .accounts(WireAccountsRequest())), at: at(0))
        else { return #expect(Bool(false), "id 2 is free") }
        do {
            let action = try session.receive(bytes(2, .status(WireStatusRequest())), at: at(0))
            #expect(label(action) == "request_id")
        }
    }

    @Test func `subscriptions are limited of their own`() throws {
        var limits = ServerSession.Limits()
        limits.subscriptionCount = 1
        var session = try opened(limits)
        guard case .subscribe(2, _)? = session.receive(try bytes(2, .subscribe(WireSubscribe())), at: at(0))
        else { return #expect(Bool(false), "the first") }
        guard
            case .send(let refusal)? = session.receive(
                try bytes(3, .subscribe(WireSubscribe())), at: at(0))
        else { return #expect(Bool(false), "the second") }
        #expect(refusal.failure.code == .exhausted)
    }

    @Test func `credit and cancel for what has just ended are no mistake`() throws {
        var session = try opened()
        var credit = WireCredit()
        credit.requestID = 99
        credit.events = 1
        let first = session.receive(try bytes(2, .credit(credit)), at: at(0))
        #expect(first.isNothing)
        var cancel = WireCancel()
        cancel.requestID = 99
        let second = session.receive(try bytes(3, .cancel(cancel)), at: at(0))
        #expect(second.isNothing)
    }

    // MARK: - Time

    @Test func `a client that says nothing is ended`() throws {
        var session = session()
        #expect(session.deadline == at(5))
        let early = session.expire(at: at(4))
        #expect(early.isNothing)
        do {
            let action = session.expire(at: at(5))
            #expect(label(action) == "hello_timeout")
        }
    }

    @Test func `a client that does not take why it was ended is ended all the same`() throws {
        var session = try opened()
        _ = session.receive([0xff], at: at(100))
        #expect(session.deadline == at(110))
        session.noteOutput(isWaiting: true, hasMoved: true, at: at(109))
        #expect(session.deadline == at(110), "a byte now and then does not prolong it")
        let action = session.expire(at: at(110))
        guard case .abandon? = action else { return #expect(Bool(false), "nothing more is written") }
    }

    @Test func `a frame that is never completed ends the connection`() throws {
        var session = try opened()
        session.noteFrame(isOpen: true, isNew: false, at: at(10))
        session.noteFrame(isOpen: true, isNew: false, at: at(14))
        #expect(session.deadline == at(15), "a byte now and then does not prolong it")
        do {
            let action = session.expire(at: at(15))
            #expect(label(action) == "frame_timeout")
        }
    }

    @Test func `each frame has its own time, though the next one always begins with the last byte`() throws {
        var session = try opened()
        for second: Int64 in 10..<30 {
            session.noteFrame(isOpen: true, isNew: true, at: at(second))
            #expect(session.deadline == at(second + 5))
        }
    }

    @Test func `an idle client is ended, one with an open request is not`() throws {
        var session = try opened()
        _ = session.receive(try bytes(2, .subscribe(WireSubscribe())), at: at(100))
        #expect(session.deadline == nil)
        session.finish(2, at: at(200))
        #expect(session.deadline == at(800))
        do {
            let action = session.expire(at: at(800))
            #expect(label(action) == "idle_timeout")
        }
    }

    @Test func `a client that takes nothing of what waits is ended without a word`() throws {
        var session = try opened()
        _ = session.receive(try bytes(2, .subscribe(WireSubscribe())), at: at(0))
        session.noteOutput(isWaiting: true, hasMoved: false, at: at(0))
        session.noteOutput(isWaiting: true, hasMoved: true, at: at(9))
        let early = session.expire(at: at(10))
        #expect(early.isNothing, "it took some")
        session.noteOutput(isWaiting: true, hasMoved: false, at: at(12))
        let action = session.expire(at: at(19))
        #expect(label(action) == "write_timeout")
        guard case .abandon? = action else { return #expect(Bool(false), "nothing more is written") }
    }
}

extension ServerSession.Action? {
    fileprivate var isNothing: Bool {
        if case .none = self { true } else { false }
    }
}
