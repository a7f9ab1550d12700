/// What depends on the program that an option, a word or an operand is given to.
extension ArgumentScan {
    /// Most programs of one command line that are told apart: `sudo`, `docker`, a shell and what it runs.
    private static let programCountLimit = 4

    mutating func note(_ options: ProgramOptions) {
        if programs.count == Self.programCountLimit { programs.removeLast() }
        programs.append(options)
        if let operand = options.operand { self.operand = operand }
    }

    /// What follows in a script is another command.
    mutating func endCommand() {
        guard isScript else { return }
        programs.removeAll(keepingCapacity: true)
        (contexts, operand) = ([], nil)
    }

    /// A word that may tell what those behind it are.
    mutating func noteWord(_ word: Range<Int>, in bytes: Span<UInt8>) {
        // Most command lines are those of programs that are not known here.
        if !programs.isEmpty, takesCommand(word, in: bytes) || takesNamed(word, in: bytes) { return }
        if let options = ProgramOptions.of(word, in: bytes) {
            note(options)
        }
        if !programs.isEmpty, let context = ProgramOptions.Contexts.of(word, in: bytes) {
            contexts.insert(context)
        } else if word.count != 4, word.count != 6 {
            return
        } else if bytes.equal(word, "bearer"), position < argument.upperBound {
            takeNextWord(.whole, in: bytes)
        } else if bytes.equal(word, "echo") || bytes.equal(word, "printf") {
            takePiped(in: bytes)
        }
    }

    // MARK: - Options

    /// `find -name mysql -print` is not about a password.
    private static let ofFind = ["-print", "-print0", "-printf", "-prune", "-path", "-perm"]

    mutating func takesProgramOption(_ run: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        guard run.count >= 2, !programs.isEmpty, !Self.ofFind.contains(where: { bytes.equal(run, $0) }) else {
            return false
        }
        for program in programs.reversed() {
            for rule in program.rules where contexts.contains(rule.needs) {
                if takes(rule, switches: program.switches, run, in: bytes) { return true }
            }
        }
        return false
    }

    private mutating func takes(
        _ rule: ProgramOptions.Rule, switches: String, _ run: Range<Int>, in bytes: Span<UInt8>
    ) -> Bool {
        let isAtEnd = position == argument.upperBound
        let isAlone = isAtEnd || bytes[position].isBlank
        if rule.long.contains(where: { bytes.equal(run, $0) }) {
            if isAlone {
                expect(rule.part, behind: run, in: bytes)
            } else {
                take(rule.part, of: position + 1..<endOfOption(run, in: bytes), in: bytes)
            }
            return true
        }
        guard bytes[run.lowerBound + 1] != Ascii.minus else { return false }
        // Letters that take no value may stand before the one that does: `-sSu user:password`.
        var letter = run.lowerBound + 1
        while letter + 1 < run.upperBound, switches.utf8.contains(bytes[letter]) { letter += 1 }
        if isAlone, letter + 1 == run.upperBound {
            guard rule.separate.utf8.contains(bytes[letter]) else { return false }
            expect(rule.part, behind: run, in: bytes)
            return true
        }
        guard let prefix = rule.attached.first(where: { bytes.has($0, at: letter) }) else { return false }
        take(rule.part, of: letter + prefix.utf8.count..<endOfOption(run, in: bytes), in: bytes)
        return true
    }

    // MARK: - Words and operands

    /// A word or an option of a program behind which a secret stands.
    mutating func takesCommand(_ word: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        for program in programs.reversed() {
            guard let command = program.commands.first(where: { bytes.equal(word, $0.word) }) else {
                continue
            }
            if let context = ProgramOptions.Contexts.of(word, in: bytes) { contexts.insert(context) }
            operand = command.operand
            return true
        }
        return false
    }

    /// `config set requirepass secret`
    private mutating func takesNamed(_ word: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        guard contexts.contains(.setting), programs.contains(where: \.takesNames),
            SecretName.matches(word, of: bytes, .assignment, additional: additionalNames)
        else { return false }
        if position < argument.upperBound {
            takeNextWord(.whole, in: bytes)
        } else {
            awaited = .whole
        }
        return true
    }

    /// Whether the present argument, outside of a script, was taken as an operand.
    mutating func takesOperand(_ operand: ProgramOptions.Operand, in bytes: Span<UInt8>) -> Bool {
        guard !argument.isEmpty, bytes[argument.lowerBound] != Ascii.minus else { return false }
        return takes(operand, argument, in: bytes)
    }

    /// Whether the word that begins here, within a longer argument, was taken as an operand.
    mutating func takesOperandWord(in bytes: Span<UInt8>) -> Bool {
        let byte = bytes[position]
        guard let operand, isWordStart, byte != Ascii.minus, !byte.isBlank, !Self.endsCommand(byte),
            position == argument.lowerBound ? isScript : bytes[position - 1].isBlank
        else { return false }
        let inside = insideOfQuotes(at: position, in: bytes)
        let word = inside ?? position..<endOfWord(from: position, separator: 0, in: bytes)
        guard takes(operand, word, in: bytes) else { return false }
        if inside != nil { position = min(word.upperBound + 1, argument.upperBound) }
        isWordStart = false
        return true
    }

    private mutating func takes(
        _ operand: ProgramOptions.Operand, _ word: Range<Int>, in bytes: Span<UInt8>
    ) -> Bool {
        self.operand = operand.next
        guard operand.skipping == 0 else { return false }
        let start = position
        position = word.lowerBound
        take(operand.part, of: word, in: bytes)
        guard position == word.lowerBound else { return true }
        position = start
        return false
    }

    // MARK: - Statements and pipes

    /// `IDENTIFIED BY 'secret'`, `PASSWORD 'secret'`, `PASSWORD('secret')` for a database.
    mutating func takesStatement(_ run: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        guard !programs.isEmpty, bytes.equal(run, "password") || bytes.equal(run, "by"),
            programs.contains(where: \.isSQL),
            !sorts(run, in: bytes)
        else { return false }
        var start = run.upperBound
        while start < argument.upperBound, bytes[start].isBlank || bytes[start] == Ascii.leftParenthesis {
            start += 1
        }
        guard start > run.upperBound, let inside = insideOfQuotes(at: start, in: bytes) else { return false }
        add(inside, in: bytes)
        position = min(max(position, inside.upperBound + 1), argument.upperBound)
        return true
    }

    /// `ORDER BY 'x'` and the like.
    private func sorts(_ run: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        var end = run.lowerBound
        while end > argument.lowerBound, bytes[end - 1].isBlank { end -= 1 }
        return ["order", "group", "partition"].contains { word in
            let start = end - word.utf8.count
            return start >= argument.lowerBound && bytes.equal(start..<end, word)
        }
    }

    /// Commands that read a secret from their standard input.
    private static let readers = [
        "-stdin", "chpasswd", "sudo -S", "passphrase-fd", "--with-token", "cryptsetup", "smbpasswd",
        "debconf-set-selections", "pass:stdin", "fd:0",
    ]

    /// `echo secret | sudo -S ...`
    private mutating func takePiped(in bytes: Span<UInt8>) {
        var start = position
        while start < argument.upperBound, bytes[start].isBlank { start += 1 }
        guard let pipe = pipe(from: start, in: bytes), pipe > start else { return }
        guard reader(behind: pipe, in: bytes) != nil else { return }
        var last = pipe
        while last > start, bytes[last - 1].isBlank { last -= 1 }
        add(start..<last, in: bytes)
    }

    /// Where the output of the present command goes to another one.
    private mutating func pipe(from start: Int, in bytes: Span<UInt8>) -> Int? {
        guard start >= pipeSearch.end else { return pipeSearch.found }
        var index = start
        while index < argument.upperBound {
            let byte = bytes[index]
            let isEnd = byte == 0x3b || byte == 0x26 || byte == Ascii.newline || quote != 0 && byte == quote
            if isEnd || byte == 0x7c { break }
            if byte == Ascii.backslash {
                index += 1
            } else if byte.isQuote, let end = closing(byte, from: index + 1, in: bytes) {
                index = end
            }
            index += 1
        }
        let isPipe = index < argument.upperBound && bytes[index] == 0x7c
        pipeSearch = Search(end: min(index, argument.upperBound), found: isPipe ? index : nil)
        return pipeSearch.found
    }

    /// Where a command behind a pipe says that it reads a secret.
    private mutating func reader(behind pipe: Int, in bytes: Span<UInt8>) -> Int? {
        guard pipe >= readerSearch.end else { return readerSearch.found }
        readerSearch = Search()
        var index = pipe + 1
        while index < argument.upperBound, bytes[index] != 0x3b, bytes[index] != Ascii.newline {
            if Self.readers.contains(where: { bytes.has($0, at: index) }) {
                readerSearch.found = index
                break
            }
            index += 1
        }
        readerSearch.end = index
        return readerSearch.found
    }

    // MARK: - Parts of values

    mutating func take(_ part: ProgramOptions.Part, of range: Range<Int>, in bytes: Span<UInt8>) {
        switch part {
        case .whole: add(range, in: bytes)
        case .behind(let byte):
            guard let index = bytes.firstIndex(of: byte, in: range) else { return }
            add(index + 1..<range.upperBound, in: bytes)
        case .account(let byte):
            let index = bytes.firstIndex(of: byte, in: range)
            let user = range.lowerBound..<(index ?? range.upperBound)
            // Tokens are given in the place of the user, with nothing behind it that matters.
            if isToken(user, in: bytes) { return add(range, in: bytes) }
            if let index { add(index + 1..<range.upperBound, in: bytes) }
        case .connection:
            guard let slash = bytes.firstIndex(of: Ascii.slash, in: range), slash > range.lowerBound,
                bytes[range.lowerBound] != 0x40
            else { return }
            let secret = slash + 1..<range.upperBound
            add(slash + 1..<(bytes.lastIndex(of: 0x40, in: secret) ?? range.upperBound), in: bytes)
        case .address:
            guard let at = bytes.lastIndex(of: 0x40, in: range),
                let colon = bytes.firstIndex(of: Ascii.colon, in: range.lowerBound..<at),
                !(colon..<at).contains(where: { bytes[$0].isBlank }), !bytes.has("://", at: colon)
            else { return }
            add(colon + 1..<at, in: bytes)
        }
    }

    /// Letters and digits in such a number are no name.
    private func isToken(_ range: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        guard range.count >= Self.tokenByteCount else { return false }
        var hasDigit = false
        for position in range {
            guard bytes[position].isNameByte, bytes[position] != Ascii.period else { return false }
            if bytes[position].isDigit { hasDigit = true }
        }
        return hasDigit
    }

    /// Shorter ones are taken for names.
    static let tokenByteCount = 20
}
