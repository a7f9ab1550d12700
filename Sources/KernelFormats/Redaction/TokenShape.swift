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
        Shape(prefix: "sk_test_", count: 16), Shape(prefix: "rk_test_", count: 16),
        Shape(prefix: "sk-proj-", count: 20), Shape(prefix: "sk-svcacct-", count: 20),
        Shape(prefix: "whsec_", count: 20), Shape(prefix: "xapp-", count: 16),
        Shape(prefix: "xoxe-", count: 16),
        Shape(prefix: "gldt-", count: 16), Shape(prefix: "glrt-", count: 16),
        Shape(prefix: "glptt-", count: 16), Shape(prefix: "pypi-AgE", count: 30),
        Shape(prefix: "hf_", count: 30), Shape(prefix: "tskey-", count: 16), Shape(prefix: "hvb.", count: 20),
        Shape(prefix: "dckr_pat_", count: 20), Shape(prefix: "shpat_", count: 30),
        Shape(prefix: "GOCSPX-", count: 20), Shape(prefix: "ya29.", count: 30),
        Shape(prefix: "lin_api_", count: 30),
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
        // A G S d e g h l n p r s t w x y
        case 0x41, 0x47, 0x53, 0x64, 0x65, 0x67, 0x68, 0x6c, 0x6e, 0x70, 0x72, 0x73, 0x74, 0x77, 0x78, 0x79:
            break
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
