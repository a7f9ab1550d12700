import EventModel
import Foundation
import Testing

@Suite struct EventJSONTests {
    /// Texts that break careless writers.
    static let hostileTexts = [
        "", "\"", "\\", "\\\"", "a\"b\\c", "\n\r\t\u{0}\u{8}\u{c}\u{1b}[31m", "\u{7f}\u{80}\u{9b}31m",
        "größe 日本 👩‍💻",
        "\u{202e}\u{2066}\u{200b}\u{2028}\u{2029}\u{feff}\u{e0041}", "</script>",
        "\u{10ffff}\u{fffd}\u{d7ff}\u{e000}",
        "{\"record\":\"event\"}", String(repeating: "\u{1}", count: 300),
    ]

    private func line(_ event: Event) -> [UInt8] {
        var bytes: [UInt8] = []
        event.appendJSON(run: Samples.run, to: &bytes)
        return bytes
    }

    private func object(_ bytes: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test(arguments: hostileTexts)
    func `hostile text in a process event comes back exactly`(text: String) throws {
        var process = Samples.fullProcess
        process.name = text
        process.executablePath = text
        process.commandLine = [text, "", text]
        process.cgroup = text
        process.executableHash = text
        let parsed = try object(line(Samples.event(.processExec, .process(process), escaped: [text])))
        let subject = try #require(parsed["process"] as? [String: Any])
        for key in ["name", "exe", "cgroup", "exe_hash"] {
            let value = try #require(subject[key] as? String)
            #expect(value.unicodeScalars.elementsEqual(text.unicodeScalars), "\(key)")
        }
        let arguments = try #require(subject["cmdline"] as? [String])
        #expect(arguments.map { Array($0.utf8) } == [Array(text.utf8), [], Array(text.utf8)])
        #expect((parsed["escaped"] as? [String])?.first?.utf8.elementsEqual(text.utf8) == true)
    }

    @Test(arguments: hostileTexts)
    func `hostile text in the other domains comes back exactly`(text: String) throws {
        let network = try object(line(Samples.event(.networkOpen, .network(Samples.network(text)))))
        #expect((network["network"] as? [String: Any])?["connection_id"] as? String == text)
        let file = try object(line(Samples.event(.fileRenamed, .filesystem(Samples.file(text)))))
        #expect((file["file"] as? [String: Any])?["path"] as? String == text)
        #expect((file["file"] as? [String: Any])?["previous_path"] as? String == text)
        let sample = try object(
            line(Samples.event(.performanceSample, .performance(Samples.measurement(text)))))
        #expect((sample["performance"] as? [String: Any])?["component"] as? String == text)
        let request = try object(line(Samples.event(.triggerRequest, .triggerRequest(Samples.trigger(text)))))
        let trigger = try #require(request["trigger_request"] as? [String: Any])
        #expect(trigger["target_path"] as? String == text)
        #expect((trigger["metadata"] as? [String: String])?["a"] == text)
        #expect((trigger["metadata"] as? [String: String])?["b" + text] == "2")
    }

    @Test func `random texts come back exactly`() throws {
        var random = SplitMix64(seed: 0x7e57)
        for _ in 0..<2_000 {
            let bytes = random.bytes(
                count: Int(random.next() % 30), favouring: [0x22, 0x5c, 0xc2, 0x9b, 0xe2, 0x80, 0xae])
            let text = String(decoding: bytes, as: UTF8.self)
            var process = Samples.bareProcess
            process.name = text
            let parsed = try object(line(Samples.event(.processComm, .process(process))))
            let name = try #require((parsed["process"] as? [String: Any])?["name"] as? String)
            #expect(name.utf8.elementsEqual(text.utf8))
        }
    }

    @Test(arguments: hostileTexts)
    func `a line holds nothing that a terminal would obey`(text: String) {
        var process = Samples.fullProcess
        process.name = text
        process.commandLine = [text]
        let shown = String(decoding: line(Samples.event(.processExec, .process(process))), as: UTF8.self)
        for scalar in shown.unicodeScalars {
            let category = scalar.properties.generalCategory
            #expect(![.control, .format, .lineSeparator, .paragraphSeparator].contains(category))
        }
    }

    @Test(arguments: EventKind.allCases)
    func `every kind gives one valid object that names its record, schema and kind`(kind: EventKind) throws {
        let parsed = try object(line(Samples.event(kind, .process(Samples.fullProcess))))
        #expect(parsed["record"] as? String == "event")
        #expect(parsed["schema"] as? Int == EventJSON.schemaVersion)
        #expect(parsed["kind"] as? String == kind.rawValue)
    }

    @Test func `a batch writes each event with its own id`() throws {
        var events: ContiguousArray<Event> = []
        for sequence in UInt64(1)...3 {
            var event = Samples.event(.processFork, .process(Samples.bareProcess))
            event.sequence = sequence
            events.append(event)
        }
        let batch = EventBatch(run: Samples.run, source: .process, events: events)
        for index in 0..<3 {
            var bytes = Array("before".utf8)
            batch.appendJSON(ofEventAt: index, to: &bytes)
            #expect(bytes.starts(with: "before".utf8))
            #expect(try object(Array(bytes.dropFirst(6)))["id"] as? String == batch.id(at: index).description)
        }
    }

    @Test func `numbers keep all 64 bits`() throws {
        var process = Samples.bareProcess
        process.startTicks = .max
        process.memoryUsage = 9_007_199_254_740_993
        let text = String(decoding: line(Samples.event(.processExec, .process(process))), as: UTF8.self)
        #expect(text.contains("\"start_ticks\":18446744073709551615,"))
        #expect(text.contains("\"memory_bytes\":9007199254740993,"))
    }

    @Test(
        arguments: [
            (0.0, "0.0"), (0.1, "0.1"), (-1.5e300, "-1.5e+300"), (.leastNonzeroMagnitude, "5e-324"),
            (.infinity, "null"), (.nan, "null"),
        ] as [(Double, String)])
    func `doubles are the shortest number that reads back, or null`(value: Double, text: String) throws {
        let bytes = line(
            Samples.event(.performanceSample, .performance(Samples.measurement("c", value: value))))
        #expect(String(decoding: bytes, as: UTF8.self).contains("\"value\":\(text),"))
        let subject = try #require(try object(bytes)["performance"] as? [String: Any])
        if value.isFinite { #expect(subject["value"] as? Double == value) }
    }

    @Test func `a detached tracer is null in a ptrace event and left out elsewhere`() {
        let ptrace = String(
            decoding: line(Samples.event(.processPtrace, .process(Samples.bareProcess))), as: UTF8.self)
        let fork = String(
            decoding: line(Samples.event(.processFork, .process(Samples.bareProcess))), as: UTF8.self)
        #expect(ptrace.contains("\"tracer\":null"))
        #expect(!fork.contains("tracer"))
    }
}
