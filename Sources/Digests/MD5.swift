/// MD5 (RFC 1321): what Debian's packages state of their files, and for nothing else.
///
/// It tells a file that was changed by somebody who did not mean to hide it. Whoever can choose both contents can make two
/// files with one MD5; no event carries one.
package struct MD5: ~Copyable {
    /// The length of a digest in bytes.
    package static let byteCount = 16

    private var hasher = LibcryptoHasher(.md5)

    /// Starts a hash of nothing.
    package init() {}

    /// Appends bytes to what is hashed.
    package mutating func update(_ bytes: Span<UInt8>) { hasher.update(bytes) }

    /// The digest of everything since the start or the last call; the hasher then starts anew.
    package mutating func finish() -> [UInt8] { hasher.finish() }
}
