import CollectorCore
import ControlPlane
import EventModel
import SwiftProtobuf
import Wire
import WireMessages

/// Cuts bytes into frames in several ways.
enum FrameStream {
    private static let payloadLimit = 1_024

    private struct Outcome: Equatable {
        var payloads: [[UInt8]] = []
        var error: FrameError?
        var mostBytes = 0

        static func == (a: Self, b: Self) -> Bool { a.payloads == b.payloads && a.error == b.error }
    }

    /// However the bytes are split, the same frames come out, little is kept, and framing them again gives the same bytes.
    static func violation(of bytes: [UInt8]) -> String? {
        let whole = read(bytes, piece: bytes.count)
        for piece in [1, 2, 7, 1_000] where read(bytes, piece: piece) != whole {
            return "pieces of \(piece) bytes give other frames"
        }
        if whole.mostBytes > FrameReader.chunkByteCount + payloadLimit + Frame.headerByteCount {
            return "\(whole.mostBytes) bytes are kept"
        }
        var again: [UInt8] = []
        for payload in whole.payloads { Frame.append(to: &again) { $0.append(contentsOf: payload) } }
        return bytes.starts(with: again) ? nil : "the frames read back as something else"
    }

    private static func read(_ bytes: [UInt8], piece: Int) -> Outcome {
        var reader = FrameReader(payloadLimit: payloadLimit)
        var outcome = Outcome()
        var place = 0
        while place < bytes.count {
            place += reader.fill { count, buffer in
                let length = min(piece, count, bytes.count - place)
                buffer.append(contentsOf: bytes[place..<place + length])
                return length
            }
            outcome.mostBytes = max(outcome.mostBytes, reader.byteCount)
            do throws(FrameError) {
                while let payload = try reader.next() { outcome.payloads.append(payload) }
            } catch {
                outcome.error = error
                return outcome
            }
        }
        return outcome
    }
}

/// Hands payloads to the state machines of a connection: a byte of time, a byte of length, the payload, and so on.
enum HostileSession {
    /// Requests stay within their limit, ids are not given twice, and nothing is heard after the end.
    static func serverViolation(of bytes: [UInt8]) -> String? {
        var limits = ServerSession.Limits()
        limits.openRequestCount = 4
        var session = ServerSession(
            identity: ServerSession.Identity(
                server: "fuzz", run: RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(1)), role: .read
            ),
            limits: limits, at: Instant(nanoseconds: 0))
        var now = Instant(nanoseconds: 0)
        var open: Set<UInt64> = []
        var isClosed = false
        for (time, payload) in steps(bytes) {
            now = now.advanced(by: .milliseconds(time))
            for action in [session.expire(at: now), session.receive(payload, at: now)] {
                guard let action else { continue }
                if isClosed {
                    // Who does not take why it was ended.
                    guard case .abandon = action else { return "an action after the end" }
                    continue
                }
                switch action {
                case .close, .abandon: isClosed = true
                case .answer(let id, _), .subscribe(let id, _), .perform(let id, _), .reload(let id, _):
                    guard open.insert(id).inserted else { return "request \(id) is open twice" }
                    if open.count > limits.openRequestCount { return "\(open.count) requests are open" }
                    if let violation = orderViolation(of: action) { return violation }
                case .cancel(let id), .credit(let id, _), .nextPage(let id):
                    guard open.contains(id) else { return "an action for request \(id), which is not open" }
                    if case .cancel = action {
                        session.finish(id, at: now)
                        open.remove(id)
                    }
                case .greet, .send: continue
                }
            }
            if isClosed, session.deadline == nil { return "no deadline after the end" }
        }
        return nil
    }

    /// What a request asks for is refused in words, or is something that may be done.
    private static func orderViolation(of action: ServerSession.Action) -> String? {
        do throws(MessageError) {
            switch action {
            case .perform(let id, let message):
                return violation(of: try TaskOrder(message, TaskOrder.Name(id: id, number: 1)).task)
            case .subscribe(_, let message):
                let request = try EventFeed.Request(message, name: "fuzz")
                return request.filter.topics.isEmpty ? "a subscription to nothing" : nil
            default: return nil
            }
        } catch {
            return "\(error)".isEmpty ? "a refusal without words" : nil
        }
    }

    /// Pages are short, and a process is one.
    private static func violation(of task: SourceTask) -> String? {
        switch task {
        case .enumerateProcesses(_, let after, let limit):
            after == nil && (1...1_000).contains(limit) ? nil : "a page of \(limit) processes"
        case .processTree(let root, let after, let limit):
            after == nil && (1...1_000).contains(limit) && root.rawValue > 0 ? nil : "a tree of \(root)"
        case .verifyExecutable(let pid): pid.rawValue > 0 ? nil : "an executable of \(pid)"
        case .checkHash: nil
        case .listFiles(_, let after, let limit):
            after == nil && (1...1_000).contains(limit) ? nil : "a page of \(limit) files"
        }
    }

    /// One request at a time, nothing is heard after the end, and what was understood is understood again when it is written
    /// anew.
    static func daemonEyeViolation(of bytes: [UInt8]) -> String? {
        var now = Instant(nanoseconds: 0)
        var session = DaemonEyeSession(ConnectionTimes.Limits(), at: now)
        var isClosed = false
        for (time, payload) in steps(bytes) {
            now = now.advanced(by: .milliseconds(time))
            if session.isBusy { session.finish(at: now) }
            for action in [session.expire(at: now), session.receive(payload, at: now)] {
                guard let action else { continue }
                if isClosed {
                    // Who does not take why it was ended.
                    guard case .abandon = action else { return "an action after the end" }
                    continue
                }
                switch action {
                case .close, .abandon: isClosed = true
                case .perform(let task):
                    guard session.isBusy, session.taskID == task.taskID else {
                        return "a task that is not under way"
                    }
                    if let violation = violation(of: task) ?? orderViolation(of: task) { return violation }
                case .negotiate(let request):
                    guard session.isBusy else { return "a request that is not under way" }
                    if let violation = violation(of: request) { return violation }
                case .send(let result):
                    if result.success || result.errorMessage.isEmpty { return "a refusal without a reason" }
                }
            }
        }
        return nil
    }

    private static func violation(of task: DaemonEyeDetectionTask) -> String? {
        let bytes = written(task)
        // A task of which nothing is written is no frame.
        if bytes.isEmpty { return nil }
        guard case .task(let again)? = try? DaemonEyeRequest(parsing: bytes), written(again) == bytes else {
            return "a task reads back as something else"
        }
        return nil
    }

    private static func orderViolation(of task: DaemonEyeDetectionTask) -> String? {
        do throws(TaskError) {
            let order = try DaemonEyeOrder(task)
            // Whatever it wants to know of, it can be asked about any process.
            var process = ProcessEvent(
                identity: ProcessIdentity(
                    pid: ProcessID(7), birth: .scan(startTicks: 1, pidFDInode: 1)))
            process.executablePath = task.taskID
            _ = order.admits(process)
            return violation(of: order.task)
        } catch {
            return error.message.isEmpty ? "a refusal without words" : nil
        }
    }

    private static func violation(of request: DaemonEyeCapabilityRequest) -> String? {
        // Without domains it cannot be told from a task.
        if request.requestedDomains.isEmpty { return nil }
        let bytes = written(request)
        guard case .capabilities(let again)? = try? DaemonEyeRequest(parsing: bytes), written(again) == bytes
        else { return "a request for capabilities reads back as something else" }
        return nil
    }

    /// Always the same bytes for the same message, numbers that equal nothing included.
    private static func written(_ message: some Message) -> [UInt8] {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        return (try? message.serializedBytes(options: options)) ?? []
    }

    /// Only open requests get parts, and none after its end.
    static func clientViolation(of bytes: [UInt8]) -> String? {
        var session = ClientSession()
        _ = session.hello(client: "fuzz")
        var open: Set<UInt64> = []
        for body: WireClientMessage.OneOf_Body in [
            .status(WireStatusRequest()), .subscribe(WireSubscribe()), .task(WireDetectionTask()),
        ] { open.insert(session.begin(body).requestID) }
        for (_, payload) in steps(bytes) {
            do throws(ClientSession.Violation) {
                switch try session.receive(payload) {
                case .part(let id, _):
                    if !open.contains(id) { return "a part of request \(id), which is not open" }
                case .end(let id, _):
                    guard open.remove(id) != nil else { return "the end of request \(id), which is not open" }
                case .welcome, .announcement, .refused, nil: continue
                }
            } catch {
                return error.description.isEmpty ? "a violation without words" : nil
            }
        }
        return nil
    }

    private static func steps(_ bytes: [UInt8]) -> [(time: Int, payload: [UInt8])] {
        var steps: [(time: Int, payload: [UInt8])] = []
        var place = 0
        while place + 2 <= bytes.count {
            let end = min(place + 2 + Int(bytes[place + 1]), bytes.count)
            steps.append((Int(bytes[place]) * 50, Array(bytes[(place + 2)..<end])))
            place = end
        }
        return steps
    }
}

/// Converts what claims to be a message of the protocol, after a byte that chooses its type.
enum MessageRoundTrip {
    /// A message is refused, or what it says survives the way there and back.
    static func violation(of bytes: [UInt8]) -> String? {
        guard let choice = bytes.first else { return nil }
        let content = Array(bytes.dropFirst())
        switch choice % 10 {
        case 0: return events(content)
        case 1:
            return check(content, { (message: WireGap) throws(MessageError) in try Gap(message) }) {
                WireGap($0)
            }
        case 2:
            return check(
                content, { (message: WireSourceAccount) throws(MessageError) in try SourceAccount(message) }
            ) {
                WireSourceAccount($0)
            }
        case 3:
            return check(
                content, { (message: WireStreamAccount) throws(MessageError) in try StreamAccount(message) }
            ) {
                WireStreamAccount($0)
            }
        case 4:
            return check(content, { (message: WireHealth) throws(MessageError) in try HealthReport(message) })
            {
                WireHealth($0)
            }
        case 5:
            return check(content, { (message: WireTelemetry) throws(MessageError) in try Telemetry(message) })
            {
                WireTelemetry($0)
            }
        case 6:
            return check(
                content, { (message: WireSourceStatus) throws(MessageError) in try SourceStatus(message) }
            ) {
                WireSourceStatus($0)
            }
        case 7:
            return check(
                content, { (message: WirePosition) throws(MessageError) in try FeedPosition(message) }
            ) {
                WirePosition($0)
            }
        case 8:
            return check(
                content, { (message: WireTriggerRequest) throws(MessageError) in try TriggerRequest(message) }
            ) {
                WireTriggerRequest($0)
            }
        default:
            return check(
                content, { (message: WireCapabilities) throws(MessageError) in try CapabilityReport(message) }
            ) {
                WireCapabilities($0)
            }
        }
    }

    private static func check<Wire: Message, Value: Equatable>(
        _ bytes: [UInt8], _ read: (Wire) throws(MessageError) -> Value, _ write: (Value) -> Wire
    ) -> String? {
        guard let message = try? Wire(serializedBytes: bytes), let value = try? read(message) else {
            return nil
        }
        // Shares and the like may be no numbers, which equal nothing.
        guard value == value else { return nil }
        guard let again = try? read(write(value)) else { return "\(Value.self) is refused on its way back" }
        return again == value ? nil : "\(Value.self) reads back as something else"
    }

    /// Both ways of reading events agree, and so do both ways of writing them.
    private static func events(_ bytes: [UInt8]) -> String? {
        guard let direct = try? EventDecoder.events(inBatch: bytes) else { return nil }
        guard let message = try? WireEventBatch(serializedBytes: bytes), let batch = try? EventBatch(message)
        else {
            return "the decoder takes what the messages refuse"
        }
        let ours = EventEncoder.bytes(of: SelectedEvents(batch: direct.batch, indices: nil), through: 1)
        let theirs = EventEncoder.bytes(of: SelectedEvents(batch: batch, indices: nil), through: 1)
        if ours != theirs { return "the decoder and the messages read different events" }
        guard let again = try? EventDecoder.events(inBatch: ours) else { return "written events are refused" }
        let back = EventEncoder.bytes(of: SelectedEvents(batch: again.batch, indices: nil), through: 1)
        return back == ours ? nil : "events read back as something else"
    }
}
