import CollectorSimulation
import Foundation
import SimulatedBackends
import Testing

@Suite struct `the page about a run` {
    /// Every text that others choose tries to leave its place.
    static let hostile = """
        scenario hostile v1
        about "</title></script><script>alert('about')</script>"
        given
          proc 77 "/bin/<img src=x onerror=alert(1)>" ppid=1 comm="<!--<script>"
        when
          @0s start
          @1s fork 77 -> 412
          @1.001s exec 412 "/tmp/</script><svg onload=alert(2)>" argv=["\\" onclick=\\"alert(3)","]]>&amp;\\x1b[31m\\xff"]
          @1.5s clock realtime step=-5s
          @2s exit 412
          @3s stop SIGTERM
        fault
          procfs.read pid=412 nth=1 -> EIO
        expect
          count process.exec name="</pre><script>" == 1
        """

    private func page(_ text: String, seed: UInt64 = 1) throws -> (page: String, record: RunRecord) {
        let scenario = try scenario(text)
        let record = ScenarioRunner.run(scenario, seed: seed)
        return (HTMLReport.page(of: scenario, from: Array(text.utf8), record: record), record)
    }

    private func data(of page: String) throws -> [String: Any] {
        let elements = try Markup(page).elements
        let script = try #require(elements.first { $0.attributes["id"] == "data" })
        let object = try JSONSerialization.jsonObject(with: Data(script.text.utf8))
        return try #require(object as? [String: Any])
    }

    @Test func `it is well-formed and holds everything it needs`() throws {
        let markup = try Markup(page(Self.hostile).page)
        #expect(markup.elements.first?.name == "html")
        for element in markup.elements {
            #expect(element.attributes["src"] == nil)
            #expect(element.attributes["href"].map { $0.hasPrefix("#line-") } ?? true)
            #expect(element.name != "link" && element.name != "iframe" && element.name != "base")
        }
        let style = try #require(markup.elements.first { $0.name == "style" })
        #expect(!style.text.contains("url(") && !style.text.contains("@import"))
        let policy = markup.elements.first { $0.attributes["http-equiv"] == "Content-Security-Policy" }
        #expect(policy?.attributes["content"]?.hasPrefix("default-src 'none'") == true)
    }

    @Test func `names, paths and arguments of others stay text`() throws {
        let page = try page(Self.hostile).page
        let markup = try Markup(page)
        #expect(markup.elements.count { $0.name == "script" } == 2)
        #expect(markup.elements.allSatisfy { !["img", "svg"].contains($0.name) })
        #expect(markup.elements.allSatisfy { $0.attributes.keys.allSatisfy { !$0.hasPrefix("on") } })
        #expect(page.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0a })
        let executions = try #require(try data(of: page)["execs"] as? [String: Any])
        #expect(executions["path"] as? [String] == ["/tmp/</script><svg onload=alert(2)>"])
    }

    @Test func `the same run gives the same bytes`() throws {
        #expect(try page(Self.hostile).page == page(Self.hostile).page)
        #expect(try page(Self.hostile).page != page(Self.hostile, seed: 2).page)
    }

    @Test func `watching the queues does not change the run`() throws {
        let scenario = try galleryScenario("overflow-and-resync.scn")
        let meter = DepthMeter()
        let watched = ScenarioRunner.simulate(scenario, seed: 3, meter: meter)
        let plain = ScenarioRunner.simulate(scenario, seed: 3)
        #expect(watched.report.hash == plain.report.hash)
        #expect(meter.samples.count > 100)
    }

    @Test func `an overflow shows as a full receive buffer, lost messages, and gap records`() throws {
        let scenario = try galleryScenario("overflow-and-resync.scn")
        let bytes = Array(scenario.formatted.utf8)
        let record = ScenarioRunner.run(scenario, seed: 3)
        let data = try data(of: HTMLReport.page(of: scenario, from: bytes, record: record))
        let charts = try #require(data["charts"] as? [[String: Any]])
        let kernel = try #require(charts.first { $0["name"] as? String == "kernel receive buffer" })
        let peak = try #require((kernel["value"] as? [Int])?.max())
        let limit = try #require(kernel["limit"] as? Int)
        #expect(peak <= limit && peak > limit - 832)
        #expect((kernel["alarms"] as? [Int])?.isEmpty == false)
        let gaps = try #require(data["gaps"] as? [String: Any])
        let messages = try #require(data["messages"] as? [String: Any])
        let lost = (messages["fate"] as? [Int])?.count { $0 == 1 }
        #expect((gaps["lost"] as? [Int])?.reduce(0, +) == lost)
        let marks = try #require(data["marks"] as? [String: Any])
        #expect((marks["kind"] as? [String])?.contains("scan") == true)
    }

    @Test func `faults and steps of the clock are marks at their time`() throws {
        let data = try data(of: page(Self.hostile).page)
        let marks = try #require(data["marks"] as? [String: Any])
        let kinds = try #require(marks["kind"] as? [String])
        let times = try #require(marks["time"] as? [Int])
        #expect(kinds.firstIndex(of: "clock").map { times[$0] } == 1_500_000_000)
        #expect(kinds.contains("fault"))
    }

    @Test func `each line that expects something has its verdict beside it`() throws {
        let (page, record) = try page(Self.hostile + "\n  accounts balanced\n")
        #expect(record.failures.compactMap(\.line) == [15])
        let rows = try Markup(page).elements.filter { $0.attributes["id"]?.hasPrefix("line-") == true }
        #expect(rows.map { $0.attributes["class"] }[14...15] == ["fail", "pass"])
        #expect(rows.prefix(14).allSatisfy { $0.attributes["class"] == "none" })
    }

    @Test func `a run of many processes is cut at its bounds, and says so`() throws {
        let text = """
            scenario many v1
            config rcvbuf=8KiB
            when
              @0s start
              @1s burst fork+exit 1 x11000 over=5ms
              @2s stop SIGTERM
            """
        let scenario = try scenario(text)
        let record = RunRecord(scenario: scenario.name, seed: 1)
        let page = HTMLReport.page(of: scenario, from: Array(text.utf8), record: record)
        #expect(page.utf8.count < HTMLReportLimits.pageByteCount / 4)
        let processes = try #require(try data(of: page)["processes"] as? [String: Any])
        #expect((processes["pid"] as? [Int])?.count == HTMLReportLimits.processCount)
        #expect(try #require(processes["left_out"] as? Int) > 1_000)
    }

    @Test func `a run that crashed has a page with what is known`() throws {
        let scenario = try scenario(Self.hostile)
        var record = RunRecord(scenario: scenario.name, seed: 1)
        record.failures = [Failure(.progress, .crash, "killed by <signal> 4")]
        let page = HTMLReport.page(of: scenario, from: Array(Self.hostile.utf8), record: record)
        #expect(try Markup(page).elements.contains { $0.text == "killed by &lt;signal&gt; 4" })
        #expect(!page.contains("<canvas"))
    }
}

/// A page taken apart by the rules of HTML, as far as reports use them; anything else is an error.
private struct Markup {
    struct Element {
        var name: String
        var attributes: [String: String]
        /// The text directly within, as written.
        var text = ""
    }

    struct Malformed: Error, CustomStringConvertible {
        var description: String
    }

    private(set) var elements: [Element] = []
    private static let withoutEnd: Set<String> = ["meta", "input", "br"]

    init(_ page: String) throws {
        var rest = page[...]
        guard rest.hasPrefix("<!doctype html>\n") else { throw Malformed(description: "no document type") }
        rest = rest.dropFirst(16)
        var open: [Int] = []
        while let next = rest.firstIndex(of: "<") {
            if let parent = open.last { elements[parent].text += rest[..<next] }
            guard let end = rest[next...].firstIndex(of: ">") else {
                throw Malformed(description: "an unfinished tag")
            }
            let tag = rest[rest.index(after: next)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("/") {
                guard let last = open.popLast(), elements[last].name == tag.dropFirst() else {
                    throw Malformed(description: "an end without a beginning: \(tag)")
                }
                continue
            }
            let element = try Self.element(tag)
            elements.append(element)
            if Self.withoutEnd.contains(element.name) { continue }
            open.append(elements.count - 1)
            // Of these the content is text up to their end.
            if element.name == "script" || element.name == "style" {
                guard let end = rest.firstRange(of: "</\(element.name)") else {
                    throw Malformed(description: "an endless \(element.name)")
                }
                elements[elements.count - 1].text = String(rest[..<end.lowerBound])
                rest = rest[end.lowerBound...]
            }
        }
        guard open.isEmpty else { throw Malformed(description: "\(open.count) elements have no end") }
    }

    private static func element(_ tag: Substring) throws -> Element {
        let name = tag.prefix { $0.isLetter || $0.isNumber }
        guard !name.isEmpty else { throw Malformed(description: "no name in <\(tag)>") }
        var element = Element(name: String(name), attributes: [:])
        var rest = tag[name.endIndex...]
        while let start = rest.firstIndex(where: { !$0.isWhitespace }) {
            rest = rest[start...]
            let key = rest.prefix { $0.isLetter || $0.isNumber || $0 == "-" }
            guard !key.isEmpty else { throw Malformed(description: "no attribute at \(rest)") }
            rest = rest[key.endIndex...]
            guard rest.first == "=" else {
                element.attributes[String(key)] = ""
                continue
            }
            rest = rest.dropFirst()
            guard rest.first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") else {
                throw Malformed(description: "an attribute without quotes: \(key)")
            }
            element.attributes[String(key)] = String(rest.dropFirst()[..<end])
            rest = rest[rest.index(after: end)...]
        }
        return element
    }
}
