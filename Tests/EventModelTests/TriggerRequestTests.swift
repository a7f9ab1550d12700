import EventModel
import Testing

@Suite struct TriggerRequestTests {
    private func make(
        triggerID: String = "t", targetCollector: String = "c", targetPID: ProcessID? = ProcessID(1),
        targetPath: String? = nil, correlationID: String = "id", metadata: [(key: String, value: String)] = []
    ) throws(InvalidTriggerRequest) -> TriggerRequest {
        try TriggerRequest(
            triggerID: triggerID, targetCollector: targetCollector, analysisType: .yaraScan,
            priority: .normal,
            targetPID: targetPID, targetPath: targetPath, correlationID: correlationID, metadata: metadata)
    }

    @Test func `a pid or a path is enough of a target`() throws {
        #expect(try make(targetPID: ProcessID(5)).targetPID == ProcessID(5))
        #expect(try make(targetPID: nil, targetPath: "/bin/sh").targetPath == "/bin/sh")
    }

    @Test func `a request without a target or with an empty name is refused`() {
        func field(_ body: () throws(InvalidTriggerRequest) -> TriggerRequest) -> String? {
            do throws(InvalidTriggerRequest) {
                _ = try body()
                return nil
            } catch {
                return error.field
            }
        }
        #expect(field { () throws(InvalidTriggerRequest) in try make(triggerID: "") } == "trigger_id")
        #expect(
            field { () throws(InvalidTriggerRequest) in try make(targetCollector: "") } == "target_collector")
        #expect(field { () throws(InvalidTriggerRequest) in try make(correlationID: "") } == "correlation_id")
        #expect(field { () throws(InvalidTriggerRequest) in try make(targetPID: nil) } == "target_pid")
    }

    @Test func `metadata are sorted by key`() throws {
        let request = try make(metadata: [("b", "2"), ("a", "1")])
        #expect(request.metadata.map(\.key) == ["a", "b"])
        #expect(request.metadata.map(\.value) == ["1", "2"])
    }

    @Test func `100 metadata entries are accepted and 101 refused`() throws {
        let entries = (0...Limits.triggerMetadataCount).map { (key: "k\($0)", value: "") }
        #expect(try make(metadata: Array(entries.dropLast())).metadata.count == 100)
        let error = #expect(throws: InvalidTriggerRequest.self) { _ = try make(metadata: entries) }
        #expect(error?.expected == "at most 100 entries, not 101")
    }

    @Test func `a key that comes twice is refused`() {
        let error = #expect(throws: InvalidTriggerRequest.self) {
            _ = try make(metadata: [("a", "1"), ("b", "2"), ("a", "3")])
        }
        #expect(error?.expected == "each key once")
    }

    @Test func `a text over the limit is refused`() throws {
        let longest = String(repeating: "x", count: Limits.triggerTextByteCount)
        #expect(try make(targetPath: longest).targetPath == longest)
        #expect(throws: InvalidTriggerRequest.self) { _ = try make(targetPath: longest + "x") }
        #expect(throws: InvalidTriggerRequest.self) { _ = try make(metadata: [("k", longest + "x")]) }
    }
}
