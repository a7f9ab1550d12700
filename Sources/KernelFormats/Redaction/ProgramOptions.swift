/// What a program takes of secrets in its arguments, beside options whose names tell of them.
///
/// `-p` is a port for ssh, a path for mkdir and a password for mysql, so the program's name decides.
struct ProgramOptions: Sendable {
    /// What of a value is the secret.
    enum Part: Sendable {
        case whole
        /// What follows the first such byte.
        case behind(UInt8)
        /// `user:password`, or a token alone.
        case account(UInt8)
        /// `user/password@database`.
        case connection
        /// `user:password@host`.
        case address
    }

    /// Some of its options.
    struct Rule: Sendable {
        /// What of a short option a value follows directly, as in `-psecret`.
        var attached: [String] = []
        /// Letters whose value is the next word.
        var separate = ""
        /// Options that are whole words.
        var long: [String] = []
        var part = Part.whole
        /// Words that make it apply.
        var needs: Contexts = []
    }

    /// Words that some options depend on.
    struct Contexts: OptionSet, Sendable {
        let rawValue: UInt8
        static let login = Contexts(rawValue: 1)
        static let secret = Contexts(rawValue: 2)
        static let parameter = Contexts(rawValue: 4)
        /// Something is given a value.
        static let setting = Contexts(rawValue: 8)
        private static let setters = ["set", "mod", "modify", "add", "connect", "create", "update"]

        static func of(_ word: Range<Int>, in bytes: Span<UInt8>) -> Contexts? {
            if bytes.equal(word, "login") { return .login }
            if bytes.equal(word, "secret") || bytes.equal(word, "secrets") { return .secret }
            if bytes.equal(word, "put-parameter") { return .parameter }
            return setters.contains { bytes.equal(word, $0) } ? .setting : nil
        }
    }

    /// A value that stands by itself.
    struct Operand: Sendable {
        /// How many others stand before it.
        var skipping = 0
        var part = Part.whole
        /// Whether those behind it are secrets, too.
        var repeats = false

        /// What is to be expected behind an operand.
        var next: Operand? {
            if skipping > 0 { return Operand(skipping: skipping - 1, part: part, repeats: repeats) }
            return repeats ? self : nil
        }
    }

    /// A word behind which a secret stands.
    struct Command: Sendable {
        var word: String
        var operand = Operand()
    }

    var rules: [Rule] = []
    /// Letters without values that may stand before others: `-sSu`.
    var switches = ""
    var commands: [Command] = []
    /// What stands by itself in any case.
    var operand: Operand?
    /// Behind a name that tells of a secret stands its value: `config set requirepass secret`.
    var takesNames = false
    /// Statements may be among the arguments.
    var isSQL = false
    /// `/p:secret` is an option.
    var takesSlash = false

    func isSlashOption(_ run: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        takesSlash && (bytes.equal(run, "p") || bytes.equal(run, "gp"))
    }

    // MARK: - Which program

    struct Entry: Sendable {
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
        let place = table[Int(first)].first { row in
            row.isPrefix ? bytes.begins(name, with: row.name) : bytes.equal(name, row.name)
        }?.place
        return place.map { entries[$0].options }
    }

    /// What is compared, without what costs to copy.
    private struct Row: Sendable {
        var name: String
        var isPrefix: Bool
        /// In ``entries``.
        var place: Int
    }

    /// By the first byte of a name.
    private static let table: [[Row]] = {
        var table: [[Row]] = Array(repeating: [], count: 256)
        for (place, entry) in entries.enumerated() {
            table[Int(Array(entry.name.utf8)[0])].append(
                Row(name: entry.name, isPrefix: entry.isPrefix, place: place))
        }
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
}
