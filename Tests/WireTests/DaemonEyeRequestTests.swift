import SwiftProtobuf
import Testing
import Wire
import WireMessages

/// Bare messages, told apart by their shape.
@Suite struct DaemonEyeRequestTests {
    private enum Kind: Hashable { case task, capabilities, unclear }

    private static func kind(_ payload: [UInt8]) throws -> Kind {
        switch try DaemonEyeRequest(parsing: payload) {
        case .task: .task
        case .capabilities: .capabilities
        case .unclear: .unclear
        }
    }

    private static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(content.count)] + content
    }

    // MARK: - What encoders write

    @Test(arguments: 0...7)
    func `a task is known as one, whatever its type and filters`(type: Int) throws {
        for bits in 0..<64 {
            var task = DaemonEyeDetectionTask()
            task.taskID = "t"
            task.taskType = DaemonEyeTaskType(rawValue: type) ?? .enumerateProcesses
            if bits & 1 != 0 { task.processFilter = Self.filter }
            if bits & 2 != 0 { task.hashCheck.executablePath = "/bin/true" }
            if bits & 4 != 0 { task.metadata = "capability_negotiation" }
            if bits & 8 != 0 { task.networkFilter.protocols = ["tcp"] }
            if bits & 16 != 0 { task.filesystemFilter = DaemonEyeFilesystemFilter() }
            if bits & 32 != 0 { task.performanceFilter.minThresholds = ["cpu": 1] }
            #expect(try DaemonEyeRequest(parsing: task.serializedBytes()) == .task(task))
        }
    }

    private static var filter: DaemonEyeProcessFilter {
        var filter = DaemonEyeProcessFilter()
        filter.pids = [0, 1, 4_194_304, .max]
        filter.processNames = ["", "bash"]
        filter.executablePattern = "/usr/*"
        return filter
    }

    @Test func `a request for capabilities is known by its domains`() throws {
        for bits in 1..<16 {
            for version in [nil, "", "1.2.3", "\n\u{0}", "daemoneye 0.9 (x86_64)"] {
                var request = DaemonEyeCapabilityRequest()
                request.clientID = "agent"
                request.requestedDomains = (0..<4).filter { bits & 1 << $0 != 0 }
                    .compactMap(DaemonEyeMonitoringDomain.init)
                if let version { request.clientVersion = version }
                #expect(try DaemonEyeRequest(parsing: request.serializedBytes()) == .capabilities(request))
            }
        }
    }

    @Test func `a request that names no domain is never taken for a task when it tells a version`() throws {
        for first in UInt8(0x20)...0x7e {
            for second in UInt8(0x20)...0x7e {
                var request = DaemonEyeCapabilityRequest()
                request.clientID = "agent"
                request.clientVersion = String(decoding: [first, second], as: UTF8.self)
                #expect(try Self.kind(try request.serializedBytes()) == .unclear)
            }
        }
    }

    // MARK: - Every combination of fields

    @Test func `every combination of fields is told apart by the rule, or refused`() throws {
        let filter = Self.field(3, [0x0a, 1, 0x61])
        let domains = Self.field(2, [0, 2])
        let (type, types): ([UInt8], [UInt8]) = ([0x10, 2], [0x10, 2, 0x10, 1])
        for first in [[], Self.field(1, [0x74])] {
            for second in [[], type, types, domains, type + domains] {
                for third in [[], filter, Self.field(3, []), Self.field(3, Array("1.2".utf8))] {
                    for bits in 0..<32 {
                        let numbers: [UInt8] = (4...8).filter { bits & 1 << ($0 - 4) != 0 }
                        let rest: [UInt8] = numbers.flatMap { Self.field($0, []) }
                        let payload = first + second + third + rest
                        if payload.isEmpty { continue }
                        #expect(
                            try Self.kind(payload)
                                == Self.expected(
                                    types: second == type ? 1 : second == types ? 2 : 0,
                                    isBoth: second == type + domains, hasDomains: second == domains,
                                    isText: third.count == 5 && third[2] == 0x31, hasRest: bits != 0),
                            "\(payload)")
                    }
                }
            }
        }
    }

    private static func expected(types: Int, isBoth: Bool, hasDomains: Bool, isText: Bool, hasRest: Bool)
        -> Kind
    {
        if isBoth || types > 1 || hasDomains && hasRest { return .unclear }
        if hasDomains { return .capabilities }
        return isText ? .unclear : .task
    }

    @Test(
        arguments: [
            [0x08, 1],  // task_id as a number
            [0x09, 0, 0, 0, 0, 0, 0, 0, 0],
            [0x15, 0, 0, 0, 0],  // field 2 in four bytes
            [0x18, 1],  // process_filter as a number
            [0x20, 1], [0x40, 7],  // hash_check, performance_filter
            [0x48, 1],  // no field that is known
            [0x1a, 2, 0x20, 1],  // a filter with a field that is not known
            [0x1a, 2, 0x08, 1], [0x1a, 1, 0x0a],
        ] as [[UInt8]])
    func `what neither message looks like is refused, and not guessed`(payload: [UInt8]) throws {
        #expect(try Self.kind(payload) == .unclear)
    }

    @Test func `whoever is refused gets the task id back`() throws {
        let payload = Self.field(1, Array("abc".utf8)) + [0x10, 1, 0x12, 1, 0]
        guard case .unclear("abc", _) = try DaemonEyeRequest(parsing: payload) else {
            return #expect(Bool(false), "the id is lost")
        }
        guard case .unclear("", _) = try DaemonEyeRequest(parsing: [0x0a, 1, 0xff, 0x10, 1, 0x10, 1]) else {
            return #expect(Bool(false), "an id that is no text")
        }
    }

    // MARK: - Limits

    @Test func `bytes that are no message are malformed`() {
        for payload: [UInt8] in [
            [0xff], [0x0a, 5, 1], [0x0b], [0], [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ] {
            #expect(throws: MessageDefect.malformed) { try DaemonEyeRequest(parsing: payload) }
        }
    }

    @Test func `a message of too many elements is refused before it is decoded`() throws {
        var task = DaemonEyeDetectionTask()
        task.processFilter.pids = Array(repeating: 1, count: MessageShape.elementLimit)
        #expect(throws: MessageDefect.tooManyElements) {
            try DaemonEyeRequest(parsing: task.serializedBytes())
        }
        task.processFilter.pids = Array(repeating: 1, count: 1_000)
        #expect(try DaemonEyeRequest(parsing: task.serializedBytes()) == .task(task))
        var request = DaemonEyeCapabilityRequest()
        request.requestedDomains = Array(repeating: .process, count: 5_000)
        #expect(throws: MessageDefect.tooManyElements) {
            try DaemonEyeRequest(parsing: request.serializedBytes())
        }
        let unknown: [UInt8] = (0..<5_000).flatMap { _ -> [UInt8] in [0x78, 1] }
        #expect(throws: MessageDefect.tooManyElements) { try DaemonEyeRequest(parsing: unknown) }
    }

    @Test func `no bytes are too much for it`() {
        var state: UInt64 = 1
        for _ in 0..<20_000 {
            let count = Int(Self.next(&state) % 24) + 1
            let payload = (0..<count).map { _ in
                let word = Self.next(&state)
                return word & 3 == 0 ? UInt8(truncatingIfNeeded: word >> 8) : UInt8((word >> 8) % 0x44)
            }
            _ = try? DaemonEyeRequest(parsing: payload)
        }
    }

    private static func next(_ state: inout UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
}
