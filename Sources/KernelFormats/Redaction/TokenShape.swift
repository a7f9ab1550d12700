/// Tokens that say by themselves what they are.
enum TokenShape {
    private struct Shape: Sendable {
        var prefix: String
        /// How many bytes follow at least.
        var count: Int
        /// Whether all that follows is capital letters and digits, exactly `count` of them.
        var isKeyID = false
    }

    /// The first shape that fits decides. Prefixes as their issuers publish them for secret scanning.
    private static let shapes: [Shape] = [
        Shape(prefix: "AKIA", count: 16, isKeyID: true), Shape(prefix: "ASIA", count: 16, isKeyID: true),
        Shape(prefix: "AIza", count: 35), Shape(prefix: "AGE-SECRET-KEY-1", count: 20),
        Shape(prefix: "ghp_", count: 30), Shape(prefix: "gho_", count: 30), Shape(prefix: "ghu_", count: 30),
        Shape(prefix: "ghs_", count: 30), Shape(prefix: "ghr_", count: 30),
        Shape(prefix: "github_pat_", count: 20), Shape(prefix: "glpat-", count: 16),
        Shape(prefix: "xoxb-", count: 16), Shape(prefix: "xoxp-", count: 16),
        Shape(prefix: "xoxa-", count: 16), Shape(prefix: "xoxs-", count: 16),
        Shape(prefix: "sk_live_", count: 16), Shape(prefix: "rk_live_", count: 16),
        Shape(prefix: "sk-ant-", count: 20), Shape(prefix: "hvs.", count: 20),
        Shape(prefix: "npm_", count: 30),
        Shape(prefix: "dop_v1_", count: 30), Shape(prefix: "SG.", count: 30), Shape(prefix: "eyJ", count: 20),
    ]

    /// No shape is shorter than a key id.
    private static let leastByteCount = 20

    /// Whether a run of name bytes is such a token.
    ///
    /// - Parameter isCut: Whether more of it may have followed; then its beginning is enough.
    static func matches(_ run: Range<Int>, of bytes: Span<UInt8>, isCut: Bool) -> Bool {
        guard isCut || run.count >= Self.leastByteCount else { return false }
        switch bytes[run.lowerBound] {
        case 0x41, 0x53, 0x64, 0x65, 0x67, 0x68, 0x6e, 0x72, 0x73, 0x78: break
        default: return false
        }
        return shapes.contains { fits($0, run, of: bytes, isCut: isCut) }
    }

    private static func fits(_ shape: Shape, _ run: Range<Int>, of bytes: Span<UInt8>, isCut: Bool) -> Bool {
        let prefix = shape.prefix.utf8Span.span
        let count = run.count - prefix.count
        guard isCut ? count > 0 : count >= shape.count else { return false }
        for offset in prefix.indices where bytes[run.lowerBound + offset] != prefix[offset] { return false }
        let rest = run.lowerBound + prefix.count..<run.upperBound
        // A web token has a head and a body, both of which begin with a brace.
        if shape.prefix == "eyJ" { return isCut || hasDot(rest, of: bytes) }
        guard shape.isKeyID else { return true }
        guard count <= shape.count else { return false }
        for position in rest where !bytes[position].isDigit && bytes[position] &- 0x41 >= 26 { return false }
        return true
    }

    private static func hasDot(_ range: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        bytes.firstIndex(of: 0x2e, in: range) != nil
    }
}
