/// Names of options, variables, members and headers whose values are secrets.
///
/// Case, dashes, underscores, dots and digits at the end are ignored: `--api-key`, `API_KEY`, `apiKey` and `apikey2` are one name.
/// A name matches by its end, so that `PGPASSWORD`, `--db-password` and `spring.datasource.password` do.
enum SecretName {
    /// Where a name stands.
    enum Form {
        /// `--name value`: some options with such names take no value.
        case option
        /// `name=value`.
        case assignment
        /// `name: value`.
        case member
    }

    /// Small letters without separators.
    static func normalised(_ name: some Sequence<UInt8>) -> [UInt8] {
        name.filter { $0 != 0x2d && $0 != 0x5f && $0 != 0x2e }.map(\.lowercased)
    }

    /// Whether the name in `range` tells of a secret.
    static func matches(
        _ range: Range<Int>, of bytes: Span<UInt8>, _ form: Form, additional: [[UInt8]]
    ) -> Bool {
        var name = range
        while !name.isEmpty, bytes[name.upperBound - 1].isDigit {
            name = name.lowerBound..<name.upperBound - 1
        }
        while !name.isEmpty, isSeparator(bytes[name.upperBound - 1]) {
            name = name.lowerBound..<name.upperBound - 1
        }
        let isKnown = !name.isEmpty && isKnownEnd(name, of: bytes, form)
        if isKnown { return form != .option || !takesNoValue(range, of: bytes) }
        return additional.contains { isWhole(range, of: bytes, $0) }
    }

    private static func isSeparator(_ byte: UInt8) -> Bool { byte == 0x2d || byte == 0x5f || byte == 0x2e }

    private static func isKnownEnd(_ name: Range<Int>, of bytes: Span<UInt8>, _ form: Form) -> Bool {
        guard name.count >= 2, hasLikelyEnd(name, of: bytes) else { return false }
        switch bytes[name.upperBound - 1].lowercased {
        case 0x64:  // d
            if ends(name, of: bytes, "password") || ends(name, of: bytes, "passwd") { return true }
            return ends(name, of: bytes, "pwd") && !isWorkingDirectory(name, of: bytes)
        case 0x65:  // e
            if ends(name, of: bytes, "passphrase") || ends(name, of: bytes, "passcode")
                || ends(name, of: bytes, "secretkeybase")
            {
                return true
            }
            return form == .member && ends(name, of: bytes, "cookie")
        case 0x67:  // g: the signature that gives access to a blob
            return form == .assignment && equals(name, of: bytes, "sig")
        case 0x68:  // h
            return equals(name, of: bytes, "auth") && bytes[name.lowerBound] == 0x5f
                || equals(name, of: bytes, "rediscliauth") || equals(name, of: bytes, "masterauth")
        case 0x6c: return ends(name, of: bytes, "credential")
        case 0x6e:  // n
            return ends(name, of: bytes, "token") || ends(name, of: bytes, "authorization")
                || pins.contains { equals(name, of: bytes, $0) }
                || ends(name, of: bytes, "sonarlogin")
        case 0x6b: return ends(name, of: bytes, "psk")
        case 0x70: return equals(name, of: bytes, "otp") || equals(name, of: bytes, "totp")
        case 0x72: return form != .member && ends(name, of: bytes, "bearer")
        case 0x73: return isPass(name, of: bytes) || ends(name, of: bytes, "creds")
        case 0x74:  // t
            return ends(name, of: bytes, "secret") || ends(name, of: bytes, "jwt")
                || equals(name, of: bytes, "githubpat") || equals(name, of: bytes, "gitlabpat")
        case 0x77: return isShortForPassword(name, of: bytes)
        case 0x79: return isKey(name, of: bytes)
        default: return false
        }
    }

    /// The last two letters of any name: most options have others, and are done with.
    private static func hasLikelyEnd(_ name: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        let last = bytes[name.upperBound - 1].lowercased
        let before = bytes[name.upperBound - 2].lowercased
        return switch last {
        case 0x64: before == 0x72 || before == 0x77  // rd, wd
        case 0x65: before == 0x73 || before == 0x64 || before == 0x69  // se, de, ie
        case 0x67: before == 0x69  // ig
        case 0x6b: before == 0x73  // sk
        case 0x68: before == 0x74  // th
        case 0x6c: before == 0x61  // al
        case 0x6e: before == 0x65 || before == 0x6f || before == 0x69  // en, on, in
        case 0x70: before == 0x74  // tp
        case 0x72: before == 0x65  // er
        case 0x73: before == 0x64 || before == 0x74 || before == 0x73 || before == 0x6c  // ds, ts, ss, ls
        case 0x74: before == 0x65 || before == 0x77 || before == 0x61  // et, wt, at
        case 0x77: before == 0x70  // pw
        case 0x79: before == 0x65  // ey
        default: false
        }
    }

    private static func isKey(_ name: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        guard ends(name, of: bytes, "key") else { return false }
        return keys.contains { ends(name, of: bytes, $0) }
    }

    /// A mere key is mostly a name or a file.
    private static let keys = [
        "apikey", "accesskey", "secretkey", "privatekey", "authkey", "encryptionkey", "signingkey",
        "sharedkey",
        "accountkey", "masterkey", "sessionkey", "passkey", "subscriptionkey", "functionskey", "licensekey",
        "storagekey", "writekey", "deploykey", "hmackey", "registrationkey", "enrollmentkey",
    ]

    private static let pins = ["pin", "sopin", "userpin", "newpin", "oldpin", "adminpin"]

    /// `--pw`, `-pw`, `DB_PW`.
    private static func isShortForPassword(_ name: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        let start = name.upperBound - 2
        return ends(name, of: bytes, "pw") && (start == name.lowerBound || isSeparator(bytes[start - 1]))
    }

    // MARK: - Names that say less

    /// Whether a name is that of an account or of a method to prove it: `--auth`, `NPM_AUTH`.
    static func isAccount(_ name: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        let start = name.upperBound - 4
        guard start >= name.lowerBound, bytes.equal(start..<name.upperBound, "auth") else { return false }
        return start == name.lowerBound || isSeparator(bytes[start - 1])
    }

    /// Whether a name is that of a secret among the parameters of an address.
    static func isParameter(_ name: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        let first = bytes[name.lowerBound].lowercased
        guard first == 0x73 || first == 0x78 || first == 0x61 else { return false }
        return equals(name, of: bytes, "signature") || equals(name, of: bytes, "xamzsignature")
            || equals(name, of: bytes, "xgoogsignature") || equals(name, of: bytes, "auth")
    }

    /// Whether a name is that of a variable for a key: `STRIPE_KEY`.
    static func isKeyVariable(_ name: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        let end = name.upperBound - 4
        guard end > name.lowerBound, bytes[end] == 0x5f, bytes.has("_KEY", at: end) else { return false }
        for position in name {
            let byte = bytes[position]
            guard byte &- 0x41 < 26 || byte.isDigit || byte == 0x5f else { return false }
        }
        return !harmlessKeys.contains { ends(name.lowerBound..<end, of: bytes, $0) }
    }

    private static let harmlessKeys = [
        "public", "primary", "foreign", "sort", "cache", "gpg", "host", "partition", "routing",
    ]

    private static func isPass(_ name: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        if ends(name, of: bytes, "passwords") || ends(name, of: bytes, "secrets")
            || ends(name, of: bytes, "credentials")
        {
            return true
        }
        return ends(name, of: bytes, "pass") && !harmlessPasses.contains { ends(name, of: bytes, $0) }
    }

    private static let harmlessPasses = [
        "bypass", "compass", "overpass", "underpass", "trespass", "surpass", "multipass", "singlepass",
        "firstpass", "secondpass", "renderpass",
    ]

    /// `PWD` and `OLDPWD` of a shell; `;Pwd=` in a connection string and `--pwd` are others.
    private static func isWorkingDirectory(_ name: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        if equals(name, of: bytes, "oldpwd") { return true }
        guard equals(name, of: bytes, "pwd"), bytes[name.lowerBound] != 0x2d else { return false }
        let before: UInt8 = name.lowerBound > 0 ? bytes[name.lowerBound - 1] : 0
        return before != 0x3b && before != 0x2c
    }

    /// Options that ask for a secret, switch something, or make one.
    private static func takesNoValue(_ name: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        var start = name.lowerBound
        while start < name.upperBound, bytes[start] == 0x2d { start += 1 }
        let rest = start..<name.upperBound
        return switches.contains { word in
            let end = start + word.utf8.count
            return end < name.upperBound && isSeparator(bytes[end]) && bytes.begins(rest, with: word)
        }
    }

    private static let switches = [
        "no", "ask", "prompt", "show", "hide", "skip", "print", "require", "use", "generate", "disable",
        "enable",
        "allow", "without", "never", "ignore", "has", "reset",
    ]

    // MARK: - Comparing

    /// Whether the name ends with a word, separators within it ignored.
    private static func ends(_ name: Range<Int>, of bytes: Span<UInt8>, _ word: String) -> Bool {
        let wanted = word.utf8Span.span
        var position = name.upperBound
        var left = wanted.count
        while left > 0 {
            guard position > name.lowerBound else { return false }
            position -= 1
            let byte = bytes[position]
            if isSeparator(byte), left < wanted.count { continue }
            guard byte.lowercased == wanted[left - 1] else { return false }
            left -= 1
        }
        return true
    }

    /// Whether the name is a word, separators ignored.
    private static func equals(_ name: Range<Int>, of bytes: Span<UInt8>, _ word: String) -> Bool {
        ends(name, of: bytes, word) && letterCount(of: name, in: bytes) == word.utf8.count
    }

    private static func isWhole(_ name: Range<Int>, of bytes: Span<UInt8>, _ wanted: [UInt8]) -> Bool {
        var count = 0
        for position in name where !isSeparator(bytes[position]) {
            guard count < wanted.count, bytes[position].lowercased == wanted[count] else { return false }
            count += 1
        }
        return count == wanted.count
    }

    private static func letterCount(of name: Range<Int>, in bytes: Span<UInt8>) -> Int {
        var count = 0
        for position in name where !isSeparator(bytes[position]) { count += 1 }
        return count
    }
}
