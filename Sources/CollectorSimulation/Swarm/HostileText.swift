/// Texts that have broken parsers of `/proc`, and plain ones.
enum HostileText {
    /// Names of programs; plain words.
    static let programs = [
        "sh", "bash", "make", "cc1", "ld", "curl", "python3", "node", "java", "sshd", "cron", "git", "tar",
        "gzip",
        "awk", "sed", "find", "nginx", "postgres", "convert",
    ]

    /// Names that look like fields of `/proc/PID/stat`, are no text, are cut in the middle of a character, or end a line.
    static let names: [[UInt8]] = [
        Array(") R 1 (".utf8), Array("a b".utf8), [0x0a], [0xff, 0xfe], [], Array("(sd-pam)".utf8),
        Array("exactly15bytes!".utf8), Array("sixteen-bytes-ab".utf8), Array("fourteen-byte-\u{e9}x".utf8),
        Array("\\".utf8), Array("\u{1b}[31m".utf8),
        Array("\u{8a9e}\u{8a9e}\u{8a9e}\u{8a9e}\u{8a9e}\u{8a9e}".utf8),
        Array(" (deleted)".utf8), Array("\"".utf8), Array("\u{202e}txt".utf8),
    ]

    /// Components of paths.
    static let files: [[UInt8]] = [
        Array("x (deleted)".utf8), Array("a\nb".utf8), [0xf0, 0x28, 0x8c], Array("\\x41".utf8),
        Array("memfd:x".utf8), Array(String(repeating: "long-", count: 40).utf8), Array("..;rm -rf ~".utf8),
        Array("\u{1b}]0;owned\u{07}".utf8),
    ]

    static let arguments: [[UInt8]] = [
        [], Array("a b".utf8), [0xfe], Array("\n".utf8), Array("--password=secret".utf8),
        Array(String(repeating: "x", count: 300).utf8), Array("\u{1b}[2J".utf8), Array("\\n".utf8),
        Array("{\"json\":1}".utf8),
    ]
}

extension SceneToken {
    static func word(_ text: String) -> SceneToken { SceneToken(.value(.bare(text))) }
    static func number(_ value: some BinaryInteger) -> SceneToken { SceneToken(.value(.bare(String(value)))) }
    static func text(_ bytes: [UInt8]) -> SceneToken { SceneToken(.value(.string(bytes))) }
    static func key(_ key: String, _ text: String) -> SceneToken { SceneToken(.keyed(key, .bare(text))) }
    static func duration(_ nanoseconds: Int64) -> SceneToken {
        .word(Quantity.duration(nanoseconds: nanoseconds))
    }
    static let arrow = SceneToken(.arrow)
}
