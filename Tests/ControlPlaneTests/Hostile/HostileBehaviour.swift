import ControlPlane
import EventModel
import Testing
import Wire
import WireMessages

/// What a client may do that it should not.
enum HostileBehaviour: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case saysNothing, aByteNowAndThen, aByteNowAndThenAfterHello, garbage, garbageAfterHello
    case garbageWithinFrame, hugeFrame, emptyFrame, wrongChecksum, tooManyElements, noRequestID
    case noHello, helloTwice, wrongVersion, flood, stalledReader, stalledReaderSendsGarbage
    case vanishesWithinFrame, vanishesWithinTask, tasksInAHurry, taskUnderAnothersID, credit
    case manySubscriptions, unknownRequests, futurePosition, reconnects, questionsAndGone

    var testDescription: String { rawValue }

    /// The reason under which its end is counted, where there is just one.
    var reason: String? {
        switch self {
        case .saysNothing, .aByteNowAndThen: "hello_timeout"
        case .aByteNowAndThenAfterHello: "frame_timeout"
        case .hugeFrame: "frame_too_large"
        case .emptyFrame: "frame_empty"
        case .wrongChecksum, .garbageWithinFrame: "frame_checksum"
        case .tooManyElements: "message_too_large"
        case .noRequestID: "request_id"
        case .noHello: "hello_missing"
        case .helloTwice: "hello_twice"
        case .wrongVersion: "unsupported_version"
        case .flood: "too_many_connections"
        case .stalledReader: "write_timeout"
        default: nil
        }
    }

    func run(_ stage: Stage, seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        switch self {
        case .saysNothing: try await sayNothing(stage)
        case .aByteNowAndThen: try await dribble(try await stage.connect(), stage)
        case .aByteNowAndThenAfterHello: try await dribble(try await stage.welcomed(), stage)
        case .garbage: try await sendGarbage(try await stage.connect(), &random)
        case .garbageAfterHello: try await sendGarbage(try await stage.welcomed(), &random)
        case .garbageWithinFrame: try await sendBadFrame(stage, Self.spoilt(&random), .invalid)
        case .hugeFrame:
            try await sendBadFrame(stage, [0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4], .invalid)
        case .emptyFrame: try await sendBadFrame(stage, Array(repeating: 0, count: 8), .invalid)
        case .wrongChecksum: try await sendBadFrame(stage, [1, 0, 0, 0, 1, 2, 3, 4, 0], .invalid)
        case .tooManyElements: try await sendTooMany(stage)
        case .noRequestID:
            try await sendBadFrame(stage, RawPeer.frame(0, .status(WireStatusRequest())), .invalid)
        case .noHello: try await speakFirst(stage)
        case .helloTwice: try await sendBadFrame(stage, RawPeer.frame(2, RawPeer.hello()), .invalid)
        case .wrongVersion: try await speakAnotherVersion(stage)
        case .flood: try await flood(stage)
        case .stalledReader: try await stall(stage)
        case .stalledReaderSendsGarbage: try await stallWithGarbage(stage)
        case .vanishesWithinFrame: try await vanish(stage, &random)
        case .vanishesWithinTask: try await leaveTasks(stage)
        case .tasksInAHurry: try await hurry(stage)
        case .taskUnderAnothersID: try await reuseID(stage)
        case .credit: try await abuseCredit(stage)
        case .manySubscriptions: try await subscribeOften(stage)
        case .unknownRequests: try await meanNothing(stage)
        case .futurePosition: try await claimTheFuture(stage)
        case .reconnects: try await reconnect(stage)
        case .questionsAndGone: try await askAndLeave(stage)
        }
    }

    // MARK: - Slow ones

    private func sayNothing(_ stage: Stage) async throws {
        var peer = try await stage.connect()
        let messages = try await peer.rest()
        #expect(messages.map(\.failure.code) == [.deadlineExceeded])
    }

    private func dribble(_ start: RawPeer, _ stage: Stage) async throws {
        var peer = start
        let frame = RawPeer.frame(Array(repeating: 1, count: 1_000))
        let pause = stage.limits.session.times.frameTimeout / 5
        for byte in frame.prefix(10) {
            await peer.send([byte])
            await peer.pause(pause)
        }
        let messages = try await peer.rest()
        #expect(messages.map(\.failure.code) == [.deadlineExceeded])
    }

    private func stall(_ stage: Stage) async throws {
        var peer = try await stage.welcomed()
        await peer.send(2, RawPeer.subscribe())
        _ = try await peer.answer(to: 2)
        let before = stage.ended("write_timeout")
        stage.source.emit(6_000)
        await stage.until("the stalled reader is ended") { stage.ended("write_timeout") > before }
        // What the kernel had taken is there, then the end: possibly within a frame.
        _ = try await peer.rest()
    }

    /// Fills what the kernel takes, then less than what the server keeps: it still listens.
    private func stallWithGarbage(_ stage: Stage) async throws {
        var peer = try await stage.welcomed()
        var sent: UInt64 = 1
        // Each answer waits; none is taken.
        for _ in 0..<40 {
            var questions: [UInt8] = []
            for _ in 0..<100 {
                sent += 1
                questions += RawPeer.frame(sent, RawPeer.nextPage(999))
            }
            await peer.send(questions)
        }
        await peer.send(RawPeer.frame(sent + 1, RawPeer.hello()))
        let before = stage.server.listenerStatus.connections
        await stage.until("who takes nothing is ended") { stage.server.listenerStatus.connections < before }
        _ = try await peer.rest()
    }

    // MARK: - Nonsense

    private func sendGarbage(_ start: RawPeer, _ random: inout SplitMix) async throws {
        var peer = start
        let count = Int(random.next() % 20_000) + 8
        await peer.send((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        let messages = try await peer.rest()
        let codes = messages.map(\.failure.code)
        #expect(codes.isEmpty || codes == [.invalid] || codes == [.deadlineExceeded])
    }

    private static func spoilt(_ random: inout SplitMix) -> [UInt8] {
        var frame = RawPeer.frame(2, RawPeer.list(pageSize: 100))
        let place = Frame.headerByteCount + Int(random.next() % UInt64(frame.count - Frame.headerByteCount))
        frame[place] ^= UInt8(1 << (random.next() % 8))
        return frame
    }

    private func sendBadFrame(_ stage: Stage, _ frame: [UInt8], _ code: WireFailure.Code) async throws {
        var peer = try await stage.welcomed()
        await peer.send(frame)
        let messages = try await peer.rest()
        #expect(messages.map(\.failure.code) == [code])
    }

    private func sendTooMany(_ stage: Stage) async throws {
        var subscribe = WireSubscribe()
        subscribe.filter.pids = Array(repeating: 1, count: MessageShape.elementLimit + 1)
        try await sendBadFrame(stage, RawPeer.frame(2, .subscribe(subscribe)), .invalid)
    }

    private func speakFirst(_ stage: Stage) async throws {
        var peer = try await stage.connect()
        await peer.send(1, RawPeer.subscribe())
        #expect(try await peer.rest().map(\.failure.code) == [.invalid])
    }

    private func speakAnotherVersion(_ stage: Stage) async throws {
        var peer = try await stage.connect()
        await peer.send(9, RawPeer.hello([2, 7]))
        let messages = try await peer.rest()
        #expect(messages.map(\.failure.code) == [.unsupportedVersion] && messages.first?.requestID == 9)
    }

    private func claimTheFuture(_ stage: Stage) async throws {
        var peer = try await stage.welcomed()
        var source = WireSourcePosition()
        source.source = NumberSource.name.rawValue
        source.sequence = .max
        var subscribe = WireSubscribe()
        subscribe.credit = 10
        await peer.send(2, .subscribe(subscribe))
        guard let first = try await peer.answer(to: 2) else { return #expect(Bool(false), "no answer") }
        subscribe.after = first.subscribed.position
        subscribe.after.sources = [source]
        await peer.send(3, .subscribe(subscribe))
        _ = try await peer.answer(to: 3)
        stage.source.emit(1)
        var count = 0
        while count == 0, let message = try await peer.answer(to: 3) { count = message.events.events.count }
        #expect(count > 0, "nobody has seen what has not happened")
        peer.close()
    }

    // MARK: - Too many

    private func flood(_ stage: Stage) async throws {
        var peers: [RawPeer] = []
        var refusals = 0
        for _ in 0..<stage.limits.connectionCount * 2 {
            var peer = try await stage.connect()
            await peer.send(1, RawPeer.hello())
            let answer = try await peer.next()
            if answer?.failure.code == .exhausted { refusals += 1 }
            if answer?.welcome.version == 1 { peers.append(peer) } else { peer.close() }
        }
        #expect(refusals > 0 && peers.count <= stage.limits.connectionCountPerUser)
        guard var peer = peers.last else { return #expect(Bool(false), "nobody was let in") }
        await peer.send(2, .status(WireStatusRequest()))
        let answer = try await peer.answer(to: 2)
        #expect(answer?.status.listeners.first.map { $0.connections > 1 } == true)
        for peer in peers { peer.close() }
    }

    private func reconnect(_ stage: Stage) async throws {
        for number in 0..<1_000 {
            let peer = try await stage.connect()
            if number % 3 == 0 { await peer.send(1, RawPeer.hello()) }
            if number % 30 == 0 { await peer.pause(.milliseconds(1)) }
            peer.close()
        }
    }

    private func askAndLeave(_ stage: Stage) async throws {
        for _ in 0..<50 {
            let peer = try await stage.connect()
            await peer.send(1, RawPeer.hello())
            for id: UInt64 in 2..<16 { await peer.send(id, .accounts(WireAccountsRequest())) }
            await peer.pause(.milliseconds(1))
            peer.close()
        }
    }

    private func subscribeOften(_ stage: Stage) async throws {
        var peer = try await stage.welcomed()
        for id: UInt64 in 2..<18 { await peer.send(id, RawPeer.subscribe()) }
        var (subscribed, refused) = (0, 0)
        while subscribed + refused < 16, let message = try await peer.next() {
            if case .subscribed? = message.body { subscribed += 1 }
            if message.failure.code == .exhausted { refused += 1 }
        }
        #expect(subscribed == stage.limits.session.subscriptionCount && refused == 16 - subscribed)
        peer.close()
    }

    private func abuseCredit(_ stage: Stage) async throws {
        var peer = try await stage.welcomed()
        await peer.send(2, RawPeer.subscribe(credit: .max))
        #expect(try await peer.answer(to: 2)?.failure.code == .invalid)
        await peer.send(3, RawPeer.subscribe(credit: 0))
        _ = try await peer.answer(to: 3)
        for _ in 0..<50 { await peer.send(4, RawPeer.credit(3, .max)) }
        await peer.send(5, RawPeer.credit(77, .max))
        stage.source.emit(3)
        var count = 0
        while count < 3, let message = try await peer.answer(to: 3) { count += message.events.events.count }
        await peer.send(6, RawPeer.cancel(3))
        #expect(try await peer.answer(to: 3)?.streamEnd.account.delivered ?? 0 >= 3)
        peer.close()
    }

    private func meanNothing(_ stage: Stage) async throws {
        var peer = try await stage.welcomed()
        await peer.send(2, RawPeer.cancel(99))
        await peer.send(3, RawPeer.nextPage(99))
        #expect(try await peer.answer(to: 3)?.failure.code == .notFound)
        await peer.send(4, nil)
        #expect(try await peer.answer(to: 4)?.failure.code == .unsupported)
        await peer.send(5, .settings(WireSettingsRequest()))
        #expect(try await peer.answer(to: 5)?.requestID == 5)
        peer.close()
    }

    // MARK: - Gone

    private func vanish(_ stage: Stage, _ random: inout SplitMix) async throws {
        let frame = RawPeer.frame(2, RawPeer.list())
        for count in 1..<frame.count {
            let peer = try await stage.connect()
            await peer.send(RawPeer.frame(1, RawPeer.hello()) + frame.prefix(count))
            if random.next() % 2 == 0 { await peer.pause(.milliseconds(1)) }
            peer.close()
        }
    }

    private func leaveTasks(_ stage: Stage) async throws {
        stage.source.take(.milliseconds(300))
        for _ in 0..<20 {
            let peer = try await stage.connect()
            await peer.send(1, RawPeer.hello())
            for id: UInt64 in 2..<14 { await peer.send(id, RawPeer.list()) }
            await peer.pause(.milliseconds(5))
            peer.close()
        }
        await stage.until("all tasks end") { stage.source.performing.now == 0 }
        #expect(stage.source.performing.most <= stage.limits.taskCountPerUser)
        stage.source.take(.zero)
    }

    private func hurry(_ stage: Stage) async throws {
        stage.source.take(.milliseconds(300))
        var peer = try await stage.welcomed()
        for id: UInt64 in 2..<300 {
            await peer.send(id, RawPeer.list())
            await peer.send(1_000, RawPeer.cancel(id))
        }
        await peer.send(1_001, .settings(WireSettingsRequest()))
        var codes: [WireFailure.Code] = []
        while let message = try await peer.next(), message.requestID != 1_001 {
            if case .failure(let failure)? = message.body { codes.append(failure.code) }
        }
        #expect(codes.count == 298 && codes.contains(.exhausted) && codes.contains(.cancelled))
        #expect(stage.source.performing.most <= stage.limits.session.openRequestCount)
        stage.source.take(.zero)
        peer.close()
    }

    private func reuseID(_ stage: Stage) async throws {
        stage.source.take(.seconds(2))
        var peer = try await stage.welcomed()
        await peer.send(2, RawPeer.list(pid: 3))
        await peer.pause(.milliseconds(50))
        await peer.send(3, RawPeer.cancel(2))
        #expect(try await peer.answer(to: 2)?.failure.code == .cancelled)
        await peer.pause(.milliseconds(50))
        await peer.send(2, RawPeer.list(pid: 7))
        let result = try await peer.answer(to: 2)
        #expect(result?.taskResult.processes.map(\.identity.pid) == [7], "the answer to another question")
        stage.source.take(.zero)
        peer.close()
    }
}
