/// Replaces what looks like a secret in the arguments of a process by ``mark``.
///
/// Arguments are public on the host (`/proc/PID/cmdline` is readable by everybody), and still must not become part of records
/// that are kept and searched elsewhere. Recognised are values of options and variables whose names tell of a secret
/// (``SecretName``), options of programs that are known to take one (``ProgramOptions``), passwords in URLs, headers, and
/// tokens whose form is unmistakable (``TokenShape``); all of them also within the words of one argument, because a
/// shell's command line and the title of a process are one.
///
/// Works on bytes, in one pass and without allocating when there is nothing to replace. When in doubt it takes too much
/// rather than too little. It knows forms, not secrets: a bare word that happens to be a password stays.
package struct ArgumentRedaction: Sendable {
    /// Most additional names.
    package static let nameCountLimit = 256
    /// What stands in place of a value.
    package static let mark = Array("[redacted]".utf8)
    /// A value within a value is found when the outer one is gone; more passes than that are not made.
    private static let passLimit = 4

    /// Names beside ``SecretName``'s, as ``SecretName/normalised(_:)`` gives them.
    let additionalNames: [[UInt8]]

    /// - Parameter additionalNames: Names of options and variables whose values are secrets, however they are spelled: case,
    ///   dashes, underscores and dots are ignored. Those beyond ``nameCountLimit``, and empty ones, are left out.
    package init(additionalNames: [String] = []) {
        self.additionalNames = additionalNames.prefix(Self.nameCountLimit).map {
            SecretName.normalised($0.utf8)
        }
        .filter { !$0.isEmpty }
    }

    /// Replaces the secrets in a command line.
    ///
    /// - Parameters:
    ///   - bytes: The argument area: each argument with a NUL behind it, the last one perhaps without.
    ///   - executable: The executable's path, if it is known: some options are secrets of certain programs only.
    ///   - isCut: Whether something is missing at the end, so that the last argument may be the beginning of a secret.
    /// - Returns: How many values were replaced; 0 leaves the bytes as they are.
    package func redact(_ bytes: inout [UInt8], executable: ArraySlice<UInt8>?, isCut: Bool) -> Int {
        var count = 0
        for _ in 0..<Self.passLimit {
            var scan = ArgumentScan(additionalNames: additionalNames, isCut: isCut)
            if let executable { scan.enter(program: executable.span) }
            scan.run(over: bytes.span)
            guard !scan.secrets.isEmpty else { break }
            count += scan.secrets.count
            Self.replace(scan.secrets, in: &bytes)
        }
        return count
    }

    /// Replaces ranges that ascend and do not overlap.
    private static func replace(_ ranges: [Range<Int>], in bytes: inout [UInt8]) {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + ranges.count * mark.count)
        var position = 0
        for range in ranges {
            result.append(contentsOf: bytes[position..<range.lowerBound])
            result.append(contentsOf: mark)
            position = range.upperBound
        }
        result.append(contentsOf: bytes[position...])
        bytes = result
    }
}

extension UInt8 {
    /// Small letters for capital ones.
    @inline(__always)
    var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    @inline(__always)
    var isLetterOrDigit: Bool { (self | 0x20) &- 0x61 < 26 || self &- 0x30 < 10 }

    @inline(__always)
    var isDigit: Bool { self &- 0x30 < 10 }

    /// What names of options, variables and members are made of.
    @inline(__always)
    var isNameByte: Bool { isLetterOrDigit || self == 0x2d || self == 0x2e || self == 0x5f }

    /// Space, tab, newline and the like.
    @inline(__always)
    var isBlank: Bool { self == 0x20 || self &- 0x09 < 5 }

    @inline(__always)
    var isQuote: Bool { self == 0x22 || self == 0x27 || self == 0x60 }
}

extension Span where Element == UInt8 {
    /// Whether the bytes of a range are those of a text in small letters, whatever the case of the bytes.
    func equal(_ range: Range<Int>, _ text: String) -> Bool {
        range.count == text.utf8.count && begins(range, with: text)
    }

    /// Whether the bytes of a range begin with a text in small letters, whatever the case of the bytes.
    func begins(_ range: Range<Int>, with text: String) -> Bool {
        let wanted = text.utf8Span.span
        guard wanted.count <= range.count else { return false }
        for offset in wanted.indices where self[range.lowerBound + offset].lowercased != wanted[offset] {
            return false
        }
        return true
    }
}
