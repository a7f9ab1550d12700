import Configuration
import Testing

@Suite struct SettingsLayersTests {
    private static let queue = TypedSetting.integer(
        "collector.queue", default: 8, range: 1...64, unit: "events", reload: .atRestart, "How many wait.")
    private static let wait = TypedSetting.duration(
        "collector.wait", default: .seconds(1), range: .milliseconds(1) ... .seconds(60),
        reload: .whileRunning,
        "How long.")
    private static let isLoud = TypedSetting.boolean(
        "collector.is_loud", default: false, reload: .whileRunning, "Whether it speaks.")
    private static let skip = TypedSetting.list(
        "sources.process.skip", default: [], rule: .nonEmpty, reload: .whileRunning, "What is left out.")
    private static let buffer = TypedSetting.byteCount(
        "sources.process.buffer", default: .mebibytes(8), range: .kibibytes(4) ... .gibibytes(1),
        reload: .atRestart, "How much.")
    private static let table = SettingsTable(
        [[queue.setting, wait.setting, isLoud.setting, skip.setting, buffer.setting]],
        constraints: [
            SettingsConstraint(keys: [wait.key, queue.key]) {
                $0[wait] <= .seconds($0[queue])
            } message: { _ in
                "expected a second of collector.wait for each of collector.queue"
            }
        ])

    private func layers(
        _ files: [(String, String)] = [], environment: [(String, String)] = [], flags: [String] = []
    ) -> SettingsLayers {
        var layers = SettingsLayers()
        layers.files = files.map { SettingsFile(path: $0.0, bytes: Array($0.1.utf8)) }
        layers.environment = environment.map { SettingsLayers.Variable(name: $0.0, value: $0.1) }
        layers.flags = flags
        return layers
    }

    private func problems(_ layers: SettingsLayers) -> [String] {
        do throws(SettingsError) {
            _ = try layers.values(in: Self.table)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func `a file gives values with their types, and each knows where it stands`() throws {
        let text = """
            collector.queue = 16
            [collector]
            wait = "1500ms"
            is_loud = true
            [sources.process]
            skip = ["a,b", 'c\\d']
            buffer = "16 MiB"
            """
        // A dotted key and a table header for the same table contradict each other in TOML.
        let values = try layers([("c.toml", text.replacing("collector.queue = 16\n", with: ""))])
            .values(in: Self.table)
        #expect(values[Self.wait] == .milliseconds(1_500))
        #expect(values[Self.isLoud])
        #expect(values[Self.skip] == ["a,b", #"c\d"#])
        #expect(values[Self.buffer] == .mebibytes(16))
        #expect(values.place(of: "collector.wait") == "c.toml: collector.wait")
        #expect(values.place(of: "collector.queue") == nil)
        #expect(problems(layers([("c.toml", text)])).count == 1)
    }

    @Test func `later files win over earlier ones, variables over files, flags over all`() throws {
        let values = try layers(
            [
                ("1", "collector.queue = 1\ncollector.wait = \"100ms\"\nsources.process.buffer = \"1 MiB\""),
                ("2", "collector.queue = 2\ncollector.wait = \"200ms\""),
            ],
            environment: [("COLLECTORD_COLLECTOR__WAIT", "300ms"), ("COLLECTORD_COLLECTOR__QUEUE", "3")],
            flags: ["collector.queue=4"]
        ).values(in: Self.table)
        #expect(values[Self.queue] == 4)
        #expect(values[Self.wait] == .milliseconds(300))
        #expect(values[Self.buffer] == .mebibytes(1))
        #expect(values.place(of: "collector.wait") == "environment COLLECTORD_COLLECTOR__WAIT")
    }

    @Test func `a list replaces a list`() throws {
        let values = try layers(
            [("1", "sources.process.skip = [\"a\", \"b\"]"), ("2", "sources.process.skip = [\"c\"]")]
        ).values(in: Self.table)
        #expect(values[Self.skip] == ["c"])
    }

    @Test func `a syntax error is told with its line and column`() {
        let found = problems(layers([("/etc/c.toml", "[collector]\nqueue = \n")]))
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("/etc/c.toml:2:"), "\(found)")
    }

    @Test(arguments: ["[=5", "[[=", "a = 1\n [ \n", "\u{feff}[%]", "[\t[a]]", "[", "[["])
    func `a table without a name is an error with its place, and no end of the process`(text: String) {
        let found = problems(layers([("f", text)]))
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("f:") == true, "\(found)")
    }

    @Test func `everything that is wrong in all layers is told at once`() {
        let found = problems(
            layers(
                [("a", "collector.queu = 1"), ("b", "["), ("c", "collector.wait = 30")],
                environment: [("COLLECTORD_COLLECTOR__QUEUE", "65")], flags: ["novalue"]))
        #expect(found.count == 5, "\(found)")
        #expect(found.contains { $0.hasPrefix("a: collector.queu: unknown setting") }, "\(found)")
        #expect(found.contains { $0.contains("did you mean \"collector.queue\"?") })
        #expect(
            found.contains {
                $0
                    == "c: collector.wait: expected a duration such as \"30s\" between 1ms and 1m, not the number 30"
            }, "\(found)")
    }

    @Test(arguments: [
        ("collector.queue = \"16\"", "an integer"), ("collector.queue = 1.5", "a number with a fraction"),
        ("collector.is_loud = \"true\"", "true or false"), ("collector.is_loud = 1", "the number 1"),
        ("sources.process.skip = \"a\"", "expected a list, as in [\"a\"]"),
        ("sources.process.skip = [\"a\", \"\"]", "not \"\""),
        ("sources.process.skip = [1]", "something else than strings"),
        ("sources.process.skip = [[\"a\"]]", "something else than strings"),
        ("sources.process.buffer = 4096", "a byte count"), ("collector.wait = 1979-05-27", "a date"),
        ("collector = 1", "it is a table of settings such as \"collector."),
        ("[colector]\nqueue = 1", "colector.queue"),
        ("collector.queue.x = 1", "unknown setting"),
        ("\"collector.queue\" = 1", "unknown setting"), ("collector.Queue = 1", "unknown setting"),
        ("collector.queue = {}", "a table"),
        ("collector.queue = 99999999999999999999", "no number is that large"),
        ("collector.queue = 1\ncollector.queue = 2", ":2:"),
        ("sources.process.skip = [\"a\\u0000b\"]", "NUL"),
    ])
    func `a value of another type is refused`(text: String, expected: String) {
        let found = problems(layers([("f", text)]))
        #expect(found.count == 1)
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test func `a file that is no text, has a NUL or is too long is refused`() {
        var layers = SettingsLayers()
        layers.files = [
            SettingsFile(path: "a", bytes: [0xff, 0xfe]), SettingsFile(path: "b", bytes: [0x23, 0, 0x0a]),
            SettingsFile(path: "c", bytes: Array(repeating: 0x0a, count: SettingsLimits.fileByteCount + 1)),
        ]
        #expect(problems(layers).count == 3)
    }

    @Test func `what is nested deeper than any setting is refused, however deep`() {
        let deep =
            "a = " + String(repeating: "{ a = ", count: 200) + "1" + String(repeating: " }", count: 200)
        #expect(problems(layers([("f", deep)])).count == 1)
        let deeper = "a = " + String(repeating: "[", count: 100_000)
        #expect(problems(layers([("f", deeper)])).count == 1)
    }

    @Test func `variables that belong to somebody else are left alone, misspelt ones are not`() throws {
        _ = try layers(environment: [
            ("COLLECTORD_SERVICE_HOST", "10.0.0.1"), ("COLLECTORD_PORT", "tcp://x"), ("HOME", "/"),
        ]).values(in: Self.table)
        let found = problems(layers(environment: [("COLLECTORD_COLLECTOR__QUEU", "1")]))
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("environment COLLECTORD_COLLECTOR__QUEU: unknown setting"), "\(found)")
    }

    @Test(arguments: [
        "COLLECTORD_COLLECTOR_QUEUE", "COLLECTORD__COLLECTOR_QUEUE", "COLLECTORD_collector_queue",
    ])
    func `a variable with the words of a setting and too few underscores is told`(name: String) {
        let found = problems(layers(environment: [(name, "1")]))
        #expect(found == ["environment \(name): is no setting; did you mean COLLECTORD_COLLECTOR__QUEUE?"])
    }

    @Test func `every setting has a variable that sets it`() throws {
        for setting in Self.table.settings {
            let name = SettingsLayers.variable(for: setting.key)
            let value = try layers(environment: [(name, setting.defaultValue.description)])
                .values(in: Self.table)
            #expect(value.place(of: setting.key) == "environment \(name)")
        }
    }

    @Test func `a successor brings what may change while running, and says what has to wait`() throws {
        let first = try layers(flags: ["collector.queue=2"]).values(in: Self.table)
        let second = try layers(flags: ["collector.queue=3", "collector.wait=2s", "collector.is_loud=false"])
            .values(in: Self.table)
        let succession = try first.succeeded(by: second)
        #expect(succession.changed == ["collector.wait"])
        #expect(succession.pending == ["collector.queue"])
        #expect(succession.values[Self.queue] == 2)
        #expect(succession.values[Self.wait] == .seconds(2))
        // Equal to the default, and yet said by somebody.
        #expect(succession.values.place(of: "collector.is_loud") != nil)
    }

    @Test func `a successor that agrees with itself but not with what runs is refused`() throws {
        let first = try layers(flags: ["collector.queue=2"]).values(in: Self.table)
        let second = try layers(flags: ["collector.queue=9", "collector.wait=9s"]).values(in: Self.table)
        #expect {
            try first.succeeded(by: second)
        } throws: {
            "\($0)".hasSuffix("this takes a restart")
        }
    }
}
