/// One pass over a command line that notes where its secrets stand.
struct ArgumentScan {
    /// Places of values, ascending and apart.
    private(set) var secrets: [Range<Int>] = []

    let additionalNames: [[UInt8]]
    let isCut: Bool
    /// What the programs take that have been named so far: `sudo mysql -p...` is about mysql.
    var programs: [ProgramOptions] = []
    /// Words that were met since, which some options depend on.
    var contexts: ProgramOptions.Contexts = []
    /// What of the next argument is a secret, because the one before was an option without its value.
    var awaited: ProgramOptions.Part?
    /// Which of the arguments that are no options is a secret.
    var operand: ProgramOptions.Operand?
    /// The argument is a shell's script: the one before was `-c` or the like.
    var isScript = false

    // Within the present argument.
    var argument = 0..<0
    var position = 0
    /// The quotation mark that is open; 0 for none.
    var quote: UInt8 = 0
    var isWordStart = true
    var isFirstWord = true
    /// The end of the word that ``lastAt`` is of.
    var addressEnd = 0
    var lastAt: Int?
    /// Up to where a pipe was looked for, and which was found there; the same for what reads from one.
    var pipeSearch = Search()
    var readerSearch = Search()

    /// Remembers a search, so that the words within its stretch need none of their own.
    struct Search {
        var end = 0
        var found: Int?
    }

    init(additionalNames: [[UInt8]], isCut: Bool) {
        self.additionalNames = additionalNames
        self.isCut = isCut
    }

    /// The scan is about a program, by its path.
    mutating func enter(program path: Span<UInt8>) {
        let name = path.lastIndex(of: Ascii.slash, in: 0..<path.count).map { $0 + 1 } ?? 0
        if let options = ProgramOptions.of(name..<path.count, in: path) { note(options) }
    }

    mutating func run(over bytes: Span<UInt8>) {
        var start = 0
        while start < bytes.count {
            let end = bytes.firstIndex(of: Ascii.nul, in: start..<bytes.count) ?? bytes.count
            argument = start..<end
            scanArgument(of: bytes)
            isScript = asksForScript(bytes)
            start = end + 1
        }
    }

    private mutating func scanArgument(of bytes: Span<UInt8>) {
        if let part = awaited {
            awaited = nil
            if !looksLikeOption(argument, of: bytes) { return take(part, of: argument, in: bytes) }
        } else if let operand, argument.lowerBound > 0, !isScript, takesOperand(operand, in: bytes) {
            return
        }
        position = argument.lowerBound
        quote = 0
        isWordStart = true
        isFirstWord = true
        addressEnd = position
        (pipeSearch, readerSearch) = (Search(), Search())
        while position < argument.upperBound { step(through: bytes) }
    }

    private mutating func step(through bytes: Span<UInt8>) {
        if operand != nil, takesOperandWord(in: bytes) { return }
        let byte = bytes[position]
        if byte.isNameByte { return scanName(in: bytes) }
        if byte == Ascii.colon, bytes.has("://", at: position) { return scanAddress(in: bytes) }
        switch byte {
        case _ where byte.isBlank:
            isWordStart = true
            isFirstWord = false
        case _ where byte.isQuote:
            if quote == 0 { quote = byte } else if quote == byte { quote = 0 }
            isWordStart = true
        case Ascii.backslash:
            // What is escaped opens and closes nothing.
            let isQuoted = position + 1 < argument.upperBound && bytes[position + 1].isQuote
            if isQuoted { position += 1 }
            isWordStart = isQuoted
        case 0x3b, 0x26, 0x7c, 0x28, 0x29, 0x3c, 0x3e, 0x7b:  // ; & | ( ) < > {
            isWordStart = true
            // Not within `$(...)` or `2>&1`: the command goes on behind them.
            let isAnd = byte == 0x26 && bytes[min(position + 1, argument.upperBound - 1)] == 0x26
            if quote == 0, byte == 0x3b || byte == 0x7c || isAnd { endCommand() }
        default: isWordStart = false
        }
        position += 1
    }

    // MARK: - Names

    private mutating func scanName(in bytes: Span<UInt8>) {
        let start = position
        while position < argument.upperBound, bytes[position].isNameByte { position += 1 }
        let run = start..<position
        let isOption = isWordStart && bytes[start] == Ascii.minus
        let wasWordStart = isWordStart
        isWordStart = false
        if TokenShape.matches(run, of: bytes, isCut: isCut && position == bytes.count) {
            return add(run, in: bytes)
        }
        if isOption, takesPrivateKey(run, in: bytes) || takesProgramOption(run, in: bytes) { return }
        if takesMember(run, in: bytes) || takesStatement(run, in: bytes) { return }
        let isAtEnd = position == argument.upperBound
        guard isAtEnd || bytes[position].isBlank || isScript && Self.endsCommand(bytes[position]) else {
            return
        }
        if isOption {
            if !programs.isEmpty, takesCommand(run, in: bytes) { return }
            if SecretName.matches(run, of: bytes, .option, additional: additionalNames) {
                expect(.whole, behind: run, in: bytes)
            } else if SecretName.isAccount(run, of: bytes) {
                expect(.account(Ascii.colon), behind: run, in: bytes)
            }
        } else if wasWordStart || bytes[start - 1] == Ascii.slash || bytes[start - 1] == Ascii.colon {
            noteWord(run, in: bytes)
        }
    }

    /// The value of the option in `run` is the next word, or the next argument.
    mutating func expect(_ part: ProgramOptions.Part, behind run: Range<Int>, in bytes: Span<UInt8>) {
        if position < argument.upperBound { return takeNextWord(part, in: bytes) }
        if run.lowerBound == argument.lowerBound { awaited = part }
    }

    /// Where an option ends that carries its value.
    func endOfOption(_ run: Range<Int>, in bytes: Span<UInt8>) -> Int {
        let isArgument = run.lowerBound == argument.lowerBound && !isScript
        return isArgument ? argument.upperBound : endOfWord(from: position, separator: 0, in: bytes)
    }

    /// `-----BEGIN ... PRIVATE KEY-----` and everything behind it.
    private mutating func takesPrivateKey(_ run: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        guard bytes.equal(run, "-----begin") else { return false }
        let last = min(position + 40, argument.upperBound)
        guard (position..<last).contains(where: { bytes.has("PRIVATE KEY", at: $0) }) || isCut else {
            return false
        }
        add(run.lowerBound..<argument.upperBound, in: bytes)
        return true
    }

    // MARK: - Members and assignments

    /// Takes what belongs to a name by `=` or `:`, if the name tells of a secret.
    private mutating func takesMember(_ run: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        guard let sign = sign(behind: run.upperBound, in: bytes) else { return false }
        // A path, as in `/etc/passwd:/etc/passwd`; but `/password:x` is an option of some programs.
        let isPath = run.lowerBound > argument.lowerBound + 1 && bytes[run.lowerBound - 1] == Ascii.slash
        let before = run.lowerBound > argument.lowerBound ? bytes[run.lowerBound - 1] : 0
        guard sign.form == .assignment || !isPath else { return false }
        guard
            SecretName.matches(run, of: bytes, sign.form, additional: additionalNames)
                || isParameter(before) && SecretName.isParameter(run, of: bytes)
                || takesVariable(run, sign.end, in: bytes)
                || before == Ascii.slash && programs.contains(where: { $0.isSlashOption(run, of: bytes) })
        else { return takesAccount(run, sign, in: bytes) }
        if sign.closesQuote { quote = 0 }
        takeValue(at: sign.end, sign.form, before: before, in: bytes)
        return true
    }

    private struct Sign {
        var form: SecretName.Form
        /// Where the value begins.
        var end: Int
        /// The name's closing quotation mark is the one that is open.
        var closesQuote: Bool
    }

    /// `=`, `:`, and what else is written for them; quotation marks and brackets may close the name before.
    private func sign(behind name: Int, in bytes: Span<UInt8>) -> Sign? {
        let stop = argument.upperBound
        var (index, closesQuote) = (name, false)
        while index < stop, index < name + 4,
            bytes[index].isQuote || bytes[index] == Ascii.rightBracket || bytes[index] == Ascii.backslash
        {
            if bytes[index] == quote, quote != 0 { closesQuote = true }
            index += 1
        }
        let closed = index
        while index < stop, index < closed + 2, bytes[index] == Ascii.space { index += 1 }
        guard index < stop else { return nil }
        let hasBlank = index > closed
        var form = SecretName.Form.assignment
        switch bytes[index] {
        case 0x3d:
            index += 1
            if index < stop, bytes[index] == 0x3d || bytes[index] == 0x3e { index += 1 }
        case Ascii.colon:
            index += 1
            if index < stop, bytes[index] == 0x3d { index += 1 } else { form = .member }
            if bytes.has("//", at: index) { return nil }
        default: return nil
        }
        if hasBlank { while index < stop, bytes[index] == Ascii.space { index += 1 } }
        return Sign(form: form, end: index, closesQuote: closesQuote)
    }

    private func isParameter(_ before: UInt8) -> Bool { before == 0x3f || before == 0x26 }  // ? &

    /// `STRIPE_KEY=...`, as variables are written, unless it names a file.
    private func takesVariable(_ run: Range<Int>, _ value: Int, in bytes: Span<UInt8>) -> Bool {
        guard SecretName.isKeyVariable(run, of: bytes), value < argument.upperBound else { return false }
        let first = bytes[value]
        return first != Ascii.slash && first != 0x7e && first != 0x2e && first != 0x24  // ~ . $
    }

    /// `NPM_AUTH=user:password`, `--auth=user:password`; without a colon it is mostly a method.
    private mutating func takesAccount(_ run: Range<Int>, _ sign: Sign, in bytes: Span<UInt8>) -> Bool {
        guard sign.form == .assignment, SecretName.isAccount(run, of: bytes) else { return false }
        if let inside = insideOfQuotes(at: sign.end, in: bytes) {
            take(.account(Ascii.colon), of: inside, in: bytes)
        } else {
            let isWhole = isFirstWord && !isScript && quote == 0
            let end =
                isWhole ? argument.upperBound : endOfWord(from: sign.end, separator: 0x26, in: bytes)
            take(.account(Ascii.colon), of: sign.end..<end, in: bytes)
        }
        return true
    }

    private mutating func takeValue(
        at start: Int, _ form: SecretName.Form, before: UInt8, in bytes: Span<UInt8>
    ) {
        // Outside a script, nothing but the argument's end ends the value of an option or of a variable.
        let isWhole = isFirstWord && !isScript && quote == 0
        let separator: UInt8 =
            switch before {
            case 0x3f, 0x26: 0x26  // ? &
            case 0x3b, 0x2c: before  // ; ,
            default: 0
            }
        if form == .assignment, isWhole, separator == 0 {
            return add(start..<argument.upperBound, in: bytes)
        }
        var value = start
        while form == .member, value < argument.upperBound, bytes[value].isBlank { value += 1 }
        if let inside = insideOfQuotes(at: value, in: bytes) {
            add(inside, in: bytes)
            position = min(max(position, inside.upperBound + 1), argument.upperBound)
            return
        }
        guard form == .member else {
            return add(value..<endOfWord(from: value, separator: separator, in: bytes), in: bytes)
        }
        value = endOfScheme(from: value, in: bytes)
        let isHeader = isWhole && before != 0x7b && before != 0x2c
        let end =
            quote != 0 || isHeader
            ? endOfLine(from: value, in: bytes) : endOfWord(from: value, separator: 0, in: bytes)
        add(value..<end, in: bytes)
    }

    /// What stands between quotation marks that begin here, escaped ones included; to the end when none closes.
    func insideOfQuotes(at start: Int, in bytes: Span<UInt8>) -> Range<Int>? {
        let stop = argument.upperBound
        guard start < stop else { return nil }
        if bytes[start] == Ascii.backslash, start + 1 < stop, bytes[start + 1].isQuote {
            var index = start + 2
            while index + 1 < stop {
                if bytes[index] == Ascii.backslash, bytes[index + 1] == bytes[start + 1] {
                    return start + 2..<index
                }
                index += 1
            }
            return start + 2..<stop
        }
        guard bytes[start].isQuote, bytes[start] != quote else { return nil }
        var end = closing(bytes[start], from: start + 1, in: bytes) ?? stop
        // A shell's word goes on behind a quotation mark.
        let goesOn = isScript && end + 1 < stop && bytes[end + 1].isNameByte
        if goesOn { end = endOfWord(from: end + 1, separator: 0, in: bytes) }
        return start + 1..<end
    }

    /// Words that say what kind of secret follows.
    private static let schemes = [
        "basic", "bearer", "token", "digest", "negotiate", "ntlm", "apikey", "oauth", "jwt",
        "aws4-hmac-sha256",
    ]

    private func endOfScheme(from start: Int, in bytes: Span<UInt8>) -> Int {
        let stop = argument.upperBound
        var end = start
        while end < stop, end < start + 20, bytes[end].isNameByte { end += 1 }
        guard end < stop, bytes[end] == Ascii.space,
            Self.schemes.contains(where: { bytes.equal(start..<end, $0) })
        else { return start }
        while end < stop, bytes[end] == Ascii.space { end += 1 }
        return end < stop ? end : start
    }

    // MARK: - Words

    mutating func takeNextWord(_ part: ProgramOptions.Part, in bytes: Span<UInt8>) {
        var start = position
        while start < argument.upperBound, bytes[start].isBlank { start += 1 }
        isWordStart = true
        isFirstWord = false
        position = start
        guard start < argument.upperBound else { return }
        if let inside = insideOfQuotes(at: start, in: bytes) {
            take(part, of: inside, in: bytes)
            position = min(max(position, inside.upperBound + 1), argument.upperBound)
            return
        }
        let word = start..<endOfWord(from: start, separator: 0, in: bytes)
        guard !looksLikeOption(word, of: bytes) else { return }
        take(part, of: word, in: bytes)
        position = word.upperBound
    }

    func endOfWord(from start: Int, separator: UInt8, in bytes: Span<UInt8>) -> Int {
        var index = start
        while index < argument.upperBound {
            let byte = bytes[index]
            if byte.isBlank || separator != 0 && byte == separator || quote != 0 && byte == quote {
                return index
            }
            if quote == 0, isScript, Self.endsCommand(byte) { return index }
            if byte == Ascii.backslash {
                index += 1
            } else if quote == 0, byte.isQuote, let end = closing(byte, from: index + 1, in: bytes) {
                index = end
            }
            index += 1
        }
        return min(index, argument.upperBound)
    }

    static func endsCommand(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x3b, 0x26, 0x7c, 0x28, 0x29, 0x3c, 0x3e: true  // ; & | ( ) < >
        default: false
        }
    }

    private func endOfLine(from start: Int, in bytes: Span<UInt8>) -> Int {
        var index = start
        while index < argument.upperBound, bytes[index] != Ascii.newline {
            if quote != 0, bytes[index] == quote { return index }
            index += bytes[index] == Ascii.backslash ? 2 : 1
        }
        return min(index, argument.upperBound)
    }

    func closing(_ mark: UInt8, from start: Int, in bytes: Span<UInt8>) -> Int? {
        var index = start
        while index < argument.upperBound {
            if bytes[index] == mark { return index }
            index += bytes[index] == Ascii.backslash && mark != 0x27 ? 2 : 1
        }
        return nil
    }

    /// `-x`, `--name` or `--name=...`: an option, where a value could stand.
    func looksLikeOption(_ word: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        guard word.count >= 2, bytes[word.lowerBound] == Ascii.minus else { return false }
        if word.count == 2 { return bytes[word.lowerBound + 1].isLetterOrDigit }
        guard bytes[word.lowerBound + 1] == Ascii.minus else { return false }
        var index = word.lowerBound + 2
        while index < word.upperBound, bytes[index] != 0x3d {
            guard bytes[index] &- 0x61 < 26 || bytes[index] == Ascii.minus else { return false }
            index += 1
        }
        return index > word.lowerBound + 2
    }

    /// Whether the argument behind this one is a script: `-c`, `-lc` and the like.
    private func asksForScript(_ bytes: Span<UInt8>) -> Bool {
        (2...6).contains(argument.count) && bytes[argument.lowerBound] == Ascii.minus
            && bytes[argument.lowerBound + 1] != Ascii.minus && bytes[argument.upperBound - 1] == 0x63
    }

    // MARK: - Values

    /// Notes a value, unless there is none, it has been replaced already, or it only switches something.
    mutating func add(_ range: Range<Int>, in bytes: Span<UInt8>) {
        position = max(position, range.upperBound)
        guard !range.isEmpty, !bytes.equal(range, "[redacted]"), !bytes.equal(range, "true"),
            !bytes.equal(range, "false")
        else { return }
        secrets.append(range)
    }
}
