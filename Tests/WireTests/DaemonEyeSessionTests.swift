import EventModel
import SwiftProtobuf
import Testing
import Wire
import WireMessages

@Suite struct DaemonEyeSessionTests {
    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    private func session() -> DaemonEyeSession { DaemonEyeSession(ConnectionTimes.Limits(), at: at(0)) }

    private func task(_ id: String) throws -> [UInt8] {
        var task = DaemonEyeDetectionTask()
        task.taskID = id
        return try task.serializedBytes()
    }

    private func label(_ action: DaemonEyeSession.Action?) -> String? {
        switch action {
        case .close(let result, let label):
            result.success || result.errorMessage.isEmpty ? "no reason is given" : label
        case .abandon(let label): label
        default: nil
        }
    }

    @Test func `a task is carried out, and until its end nothing else`() throws {
        var session = session()
        #expect(!session.isBusy)
        guard case .perform(let message)? = session.receive(try task("a"), at: at(1)) else {
            return #expect(Bool(false), "a task")
        }
        #expect(message.taskID == "a" && session.isBusy && session.taskID == "a")
        session.finish(at: at(2))
        #expect(!session.isBusy)
    }

    @Test func `capabilities are answered at once`() throws {
        var session = session()
        var request = DaemonEyeCapabilityRequest()
        request.requestedDomains = [.process]
        guard case .negotiate(request)? = session.receive(try request.serializedBytes(), at: at(1)) else {
            return #expect(Bool(false), "a request for capabilities")
        }
    }

    @Test func `what cannot be told is refused, and the connection goes on`() throws {
        var session = session()
        guard case .send(let result)? = session.receive([0x0a, 1, 0x61, 0x10, 1, 0x10, 1], at: at(1)) else {
            return #expect(Bool(false), "a refusal")
        }
        #expect(result.taskID == "a" && !result.success && result.errorMessage.contains("packed"))
        #expect(!session.isBusy && session.deadline == at(601))
    }

    @Test func `bytes that make no sense end the connection`() {
        var session = session()
        var action = session.receive([0xff], at: at(1))
        #expect(label(action) == "message_malformed")
        action = session.receive([0xff], at: at(2))
        #expect(action.isNothing, "nothing is heard after the end")
        session = self.session()
        action = session.refuse(.tooLarge(1 << 30, limit: 1), at: at(1))
        #expect(label(action) == "frame_too_large")
        #expect(session.deadline == at(11), "it has ten seconds to take the reason")
        action = session.expire(at: at(11))
        #expect(label(action) == "write_timeout")
    }

    @Test func `a client that asks nothing is ended, one that waits for an answer is not`() throws {
        var session = session()
        #expect(session.deadline == at(600))
        _ = session.receive(try task("a"), at: at(100))
        #expect(session.deadline == nil)
        session.finish(at: at(200))
        #expect(session.deadline == at(800))
        let action = session.expire(at: at(800))
        #expect(label(action) == "idle_timeout")
    }

    @Test func `a frame that is never completed ends the connection`() {
        var session = session()
        session.noteFrame(isOpen: true, isNew: false, at: at(10))
        session.noteFrame(isOpen: true, isNew: false, at: at(14))
        let action = session.expire(at: at(15))
        #expect(label(action) == "frame_timeout")
    }

    @Test func `a client that takes nothing of its answer is ended without a word`() throws {
        var session = session()
        _ = session.receive(try task("a"), at: at(0))
        session.finish(at: at(0))
        session.noteOutput(isWaiting: true, hasMoved: true, at: at(5))
        let early = session.expire(at: at(14))
        #expect(early.isNothing)
        let action = session.expire(at: at(15))
        #expect(label(action) == "write_timeout")
    }
}

extension DaemonEyeSession.Action? {
    fileprivate var isNothing: Bool {
        if case .none = self { true } else { false }
    }
}
