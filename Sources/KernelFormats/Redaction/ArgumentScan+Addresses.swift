/// Addresses: `scheme://user:password@host`, and those whose path is the secret.
extension ArgumentScan {
    /// `scheme://user:password@host`.
    mutating func scanAddress(in bytes: Span<UInt8>) {
        let start = position + 3
        isWordStart = false
        if start > addressEnd { noteWordOfAddress(at: start, in: bytes) }
        if takesHook(at: start, in: bytes) { return }
        var end = start
        while end < addressEnd, bytes[end] != Ascii.slash, bytes[end] != 0x3f, bytes[end] != 0x23 { end += 1 }
        position = start
        if let at = bytes.lastIndex(of: 0x40, in: start..<end) { return takeUser(start..<at, in: bytes) }
        guard end > start, bytes[start] != Ascii.leftBracket,
            let colon = bytes.firstIndex(of: Ascii.colon, in: start..<end)
        else { return }
        let isCutOff = isCut && addressEnd == bytes.count
        // Behind a colon stands a port or, with signs that should have been escaped, the beginning of a password.
        if isCutOff { return add(colon + 1..<addressEnd, in: bytes) }
        let isPort = !(colon + 1..<end).contains { !bytes[$0].isDigit }
        guard !isPort else { return }
        if let lastAt, lastAt > colon { return add(colon + 1..<lastAt, in: bytes) }
        // A title has the room that the arguments left, and is cut there without a sign.
        if isTitle(in: bytes), addressEnd == argument.upperBound { add(colon + 1..<addressEnd, in: bytes) }
    }

    /// Whether there is one argument and nothing behind it, as in the title of a process.
    private func isTitle(in bytes: Span<UInt8>) -> Bool {
        argument.lowerBound == 0 && !(argument.upperBound..<bytes.count).contains { bytes[$0] != 0 }
    }

    /// Each word is looked through once, however many addresses it holds.
    private mutating func noteWordOfAddress(at start: Int, in bytes: Span<UInt8>) {
        lastAt = nil
        var end = start
        while end < argument.upperBound, !bytes[end].isBlank, bytes[end] != 0x22, bytes[end] != 0x60,
            quote == 0 || bytes[end] != quote
        {
            if bytes[end] == 0x40 { lastAt = end }
            end += 1
        }
        addressEnd = end
    }

    private mutating func takeUser(_ user: Range<Int>, in bytes: Span<UInt8>) {
        // A user of that length without a password is a token, however it is spelled.
        guard user.count >= Self.tokenByteCount, bytes.firstIndex(of: Ascii.colon, in: user) == nil else {
            return take(.account(Ascii.colon), of: user, in: bytes)
        }
        add(user, in: bytes)
    }

    /// Addresses to which anybody may post who knows them; what follows is the secret.
    private static let hooks = [
        "hooks.slack.com/services/", "hooks.slack.com/workflows/", "hooks.slack.com/triggers/",
        "discord.com/api/webhooks/", "discordapp.com/api/webhooks/", "api.telegram.org/bot",
        "chat.googleapis.com/v1/spaces/",
    ]

    private mutating func takesHook(at start: Int, in bytes: Span<UInt8>) -> Bool {
        guard let hook = Self.hooks.first(where: { bytes.begins(start..<addressEnd, with: $0) }) else {
            return false
        }
        let secret = start + hook.utf8.count
        var end = addressEnd
        // A bot's token is followed by what it is to do.
        if hook.hasSuffix("bot") { end = bytes.firstIndex(of: Ascii.slash, in: secret..<addressEnd) ?? end }
        add(secret..<end, in: bytes)
        return true
    }
}
