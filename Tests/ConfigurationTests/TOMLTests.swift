import Configuration
import Testing

/// The values that TOML text gives, and what is refused with its place (toml.io, version 1.0).
@Suite struct TOMLTests {
    private static let text = TypedSetting.string(
        "a.text", default: "x", rule: TextRule(expected: "text") { _ in true }, secrecy: .open,
        reload: .atRestart, "A text.")
    private static let number = TypedSetting.integer(
        "a.number", default: 1, range: -1_000_000_000_000...1_000_000_000_000, unit: "", reload: .atRestart,
        "A number.")
    private static let list = TypedSetting.list(
        "a.list", default: [], rule: TextRule(expected: "text") { _ in true }, reload: .atRestart, "Texts.")
    private static let table = SettingsTable(
        [[text.setting, number.setting, list.setting]], constraints: [])

    private func values(_ toml: String) throws(SettingsError) -> SettingsValues {
        var layers = SettingsLayers()
        layers.files = [SettingsFile(path: "f", bytes: Array(toml.utf8))]
        return try layers.values(in: Self.table)
    }

    @Test(arguments: [
        (#""plain""#, "plain"), (#""""#, ""), (#"'c:\n'"#, #"c:\n"#),
        (#""\b\t\n\f\r\"\\""#, "\u{8}\t\n\u{c}\r\"\\"),
        (#""\u00e4\U0001F600""#, "ä😀"), ("\"\"\"\none\ntwo\"\"\"", "one\ntwo"),
        ("'''\r\none'two'''", "one'two"),
        (#""""a ""quoted"" b""""#, #"a ""quoted"" b"#), (#""""four"""""#, #"four""#),
        ("\"\"\"a \\\n   b\"\"\"", "a b"),
        ("\"ä # no comment\" # a comment", "ä # no comment"), ("\"\"\"\"\"\"", ""),
        ("\"tab\there\"", "tab\there"),
    ])
    func `texts of all four kinds`(toml: String, expected: String) throws {
        #expect(try values("a.text = \(toml)")[Self.text] == expected)
    }

    @Test(arguments: [
        ("0", 0), ("+99", 99), ("-17", -17), ("1_000", 1_000), ("0xdead_beef", 0xdead_beef), ("0o755", 0o755),
        ("0b1101", 13), ("-0", 0),
    ])
    func `whole numbers`(toml: String, expected: Int) throws {
        #expect(try values("a.number = \(toml)")[Self.number] == expected)
    }

    @Test func `arrays go over lines, with comments and a comma at the end`() throws {
        let toml = "[a]\r\nlist = [ # first\n  \"x\", 'y',\n  # last\n \"\"\"z\"\"\" , ]\nnumber=3"
        let values = try values(toml)
        #expect(values[Self.list] == ["x", "y", "z"])
        #expect(values[Self.number] == 3)
        #expect(try self.values("a.list = []")[Self.list] == [])
    }

    @Test func `keys are bare, quoted or dotted, with blanks between`() throws {
        #expect(try values("\"a\" . 'number' = 3")[Self.number] == 3)
        #expect(try values("[ a ]\n  number\t=4")[Self.number] == 4)
        #expect(try values("a = { number = 5, text = 'x' }")[Self.number] == 5)
        #expect(try values("\u{feff}a.number = 6")[Self.number] == 6)
        #expect(try values("")[Self.number] == 1)
        #expect(try values("\n\r\n # nothing\n")[Self.number] == 1)
    }

    @Test(arguments: [
        ("a.text = \"open", "f:1:15: "), ("a.text = 'open\n'", "f:1:15: "), ("a.text = \"\\x\"", "f:1:12: "),
        ("a.text = \"\\ud800\"", "f:1:"), ("a.text = \"\\u12\"", "f:1:"), ("a.text = \"a\u{1}\"", "f:1:12: "),
        ("a.text = \"\"\"open\"\"", "f:1:"), ("a.text = \"\\u0000\"", "f:1:"),
        ("a.number = 01", "f:1:12: "), ("a.number = 1__0", "f:1:"), ("a.number = _1", "f:1:"),
        ("a.number = 0xg", "f:1:"), ("a.number = 0x-1", "f:1:"), ("a.number = --1", "f:1:"),
        ("a.number = 99999999999999999999", "f:1:"), ("a.number = yes", "f:1:12: "),
        ("a.number =", "f:1:11: "),
        ("a.number 1", "f:1:10: "), ("a.number = 1 2", "f:1:14: "), ("= 1", "f:1:1: "), ("a. = 1", "f:1:4: "),
        ("[a", "f:1:3: "), ("[a] b", "f:1:5: "), ("[]", "f:1:2: "), ("[[a]]", "f:1:2: "), ("[a.]", "f:1:4: "),
        ("a.list = [1 2]", "f:1:13: "), ("a.list = [", "f:1:"), ("a.list = [,]", "f:1:"),
        ("a.list = [{}]", "f:1:"),
        ("a = { number = 1, }", "f:1:"), ("a = { number = 1\n}", "f:1:"), ("a = {", "f:1:"),
        ("a.number = 1\na.number = 2", "f:2:1: "), ("[a]\n[a]", "f:2:2: "), ("a.number = 1\n[a]", "f:2:2: "),
        ("a.number = 1\ra.text = 'x'", "f:1:13: "), ("# \u{1}", "f:1:3: "),
        ("a.number = 1979-05-27TCOLLECTOR3:2:700Z", "f: a.number: "), ("a.number = 1e3", "f: a.number: "),
        ("a.number = -inf", "f: a.number: "), ("a.number = 07:32:00", "f: a.number: "),
        ("[b]\nnumber = 1", "f: b.number: "), ("a.number.x = 1", "f: a.number.x: "),
    ])
    func `what is no TOML, or means nothing here, is refused with its place`(toml: String, place: String) {
        let error = #expect(throws: SettingsError.self) { try values(toml) }
        #expect(error?.problems.first?.description.hasPrefix(place) == true, "\(error as Any)")
    }
}
