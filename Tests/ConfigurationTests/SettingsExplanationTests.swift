import Configuration
import Testing

struct SettingsExplanationTests {
    @Test func `an explanation gives key, meaning, type, range, unit and default`() throws {
        let values = Fixture.table.defaults
        let text = try values.explanations(of: "collector.queue").map { $0.text(width: 80) }.joined()
        #expect(
            text == """
                collector.queue
                    Most events that wait.
                    type      integer
                    range     1 to 1000000
                    unit      events
                    default   1000
                    change    takes effect at the next start
                    variable  COLLECTORD_COLLECTOR__QUEUE

                """)
    }

    @Test func `an explanation shows a value that was set, and where`() throws {
        let values = try Fixture.values("collector.wait=2s")
        let text = try values.explanations(of: "collector.wait").map { $0.text(width: 80) }.joined()
        #expect(text.contains("value     2s (--set collector.wait=2s)"))
        #expect(text.contains("takes effect while running"))
    }

    @Test func `a prefix explains everything below it, in the order of keys`() throws {
        let keys = try Fixture.table.defaults.explanations(of: "sources.process").map(\.key)
        #expect(keys == ["sources.process.baseline", "sources.process.receive_buffer"])
        #expect(try Fixture.table.defaults.explanations(of: nil).count == Fixture.table.settings.count)
    }

    @Test func `explaining an unknown key suggests a known one`() {
        #expect {
            try Fixture.table.defaults.explanations(of: "collector.qeue")
        } throws: { error in
            "\(error)"
                == #"config explain: unknown setting "collector.qeue"; did you mean "collector.queue"?"#
        }
    }

    @Test func `documentation wraps to the width`() throws {
        let long = TypedSetting.boolean(
            "a.b", default: true, reload: .atRestart, String(repeating: "word ", count: 40))
        let table = SettingsTable([[long.setting]], constraints: [])
        let lines = try table.defaults.explanations(of: "a.b")[0].text(width: 50).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 50 })
        #expect(lines.count > 4)
    }
}
