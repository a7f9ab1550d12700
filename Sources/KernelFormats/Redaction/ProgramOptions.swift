/// Short options with which a program takes a secret.
///
/// `-p` is a port for ssh, a path for mkdir and a password for mysql, so the program's name decides.
struct ProgramOptions: Sendable {
    /// What of an option's value is the secret.
    enum Part: Sendable {
        case whole
        /// What follows the first such byte: `user:password`.
        case behind(UInt8)
    }

    /// Letters whose value follows directly, as in `-psecret`.
    var attached: String = ""
    /// Letters whose value is the next word.
    var separate: String = ""
    /// Also these options with a long name.
    var long: [String] = []
    var part = Part.whole
    /// Applies only behind the word `login`.
    var needsLogin = false

    /// Whether an option letter takes a secret that follows directly.
    func isAttached(_ letter: UInt8) -> Bool { attached.utf8.contains(letter) }
    func isSeparate(_ letter: UInt8) -> Bool { separate.utf8.contains(letter) }

    // MARK: - Which program

    private struct Entry: Sendable {
        var name: String
        /// Whether names that go on differently match, too.
        var isPrefix = false
        var options: ProgramOptions
    }

    /// What a program of this name takes; `nil` for most.
    static func of(_ name: Range<Int>, in bytes: Span<UInt8>) -> ProgramOptions? {
        guard name.count >= 2 else { return nil }
        // Two bytes tell almost every word from all programs.
        let (first, second) = (bytes[name.lowerBound].lowercased, bytes[name.lowerBound + 1].lowercased)
        guard let mask = masks[Int(first)], mask & 1 << UInt64(second & 63) != 0 else { return nil }
        return table[Int(first)].first { entry in
            entry.isPrefix ? bytes.begins(name, with: entry.name) : bytes.equal(name, entry.name)
        }?.options
    }

    /// By the first byte of a name.
    private static let table: [[Entry]] = {
        var table: [[Entry]] = Array(repeating: [], count: 256)
        for entry in entries { table[Int(Array(entry.name.utf8)[0])].append(entry) }
        return table
    }()

    /// By the first byte of a name: which second bytes there are, by their last six bits.
    private static let masks: [UInt64?] = {
        var masks: [UInt64?] = Array(repeating: nil, count: 256)
        for entry in entries {
            let name = Array(entry.name.utf8)
            masks[Int(name[0])] = (masks[Int(name[0])] ?? 0) | 1 << UInt64(name[1] & 63)
        }
        return masks
    }()

    private static let user = ProgramOptions(
        attached: "uU", separate: "uU", long: ["--user", "--proxy-user"], part: .behind(0x3a))
    private static let database = ProgramOptions(attached: "p")
    private static let both = ProgramOptions(attached: "p", separate: "p")
    private static let login = ProgramOptions(attached: "p", separate: "p", needsLogin: true)
    private static let samba = ProgramOptions(
        attached: "U", separate: "U", long: ["--user"], part: .behind(0x25))
    private static let basic = ProgramOptions(
        attached: "a", separate: "a", long: ["--auth"], part: .behind(0x3a))
    private static let archive = ProgramOptions(attached: "P", separate: "P")

    private static let entries: [Entry] = [
        Entry(name: "mysql", isPrefix: true, options: database),
        Entry(name: "mariadb", isPrefix: true, options: database),
        Entry(name: "sshpass", options: both),
        Entry(name: "mongod", options: ProgramOptions()),
        Entry(name: "mongos", options: ProgramOptions()),
        Entry(name: "mongo", isPrefix: true, options: both),
        Entry(name: "redis-cli", options: ProgramOptions(separate: "a")),
        Entry(name: "redis-benchmark", options: ProgramOptions(separate: "a")),
        Entry(name: "valkey-cli", options: ProgramOptions(separate: "a")),
        Entry(name: "ldappasswd", options: ProgramOptions(attached: "was", separate: "was")),
        Entry(name: "ldap", isPrefix: true, options: ProgramOptions(attached: "w", separate: "w")),
        Entry(name: "7z", isPrefix: true, options: database),
        Entry(name: "rar", options: database), Entry(name: "unrar", options: database),
        Entry(name: "zip", options: archive), Entry(name: "unzip", options: archive),
        Entry(name: "zipcloak", options: archive),
        Entry(name: "docker", options: login), Entry(name: "podman", options: login),
        Entry(name: "skopeo", options: login), Entry(name: "buildah", options: login),
        Entry(name: "nerdctl", options: login), Entry(name: "helm", options: login),
        Entry(name: "az", options: login), Entry(name: "oc", options: login),
        Entry(name: "curl", options: user),
        Entry(name: "lftp", options: ProgramOptions(attached: "u", separate: "u", part: .behind(0x2c))),
        Entry(name: "http", options: basic),
        Entry(name: "https", options: basic),
        Entry(name: "smbclient", options: samba), Entry(name: "rpcclient", options: samba),
        Entry(name: "smbget", options: samba), Entry(name: "net", options: samba),
        Entry(name: "ssh-keygen", options: ProgramOptions(attached: "NP", separate: "NP")),
        Entry(name: "openssl", options: ProgramOptions(separate: "kK")),
        Entry(name: "ipmitool", options: archive),
        Entry(name: "snmp", isPrefix: true, options: ProgramOptions(attached: "AXc", separate: "AXc")),
        Entry(name: "sqlcmd", options: archive), Entry(name: "bcp", options: archive),
        Entry(name: "tsql", options: archive), Entry(name: "rdesktop", options: both),
    ]
}
