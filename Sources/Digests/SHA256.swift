import CCrypto

/// SHA-256 (FIPS 180-4).
///
/// A hasher is used from one thread at a time; ``digest(_:)-(Span<UInt8>)`` from any.
@safe
package struct SHA256: ~Copyable {
    /// The length of a digest in bytes.
    package static let byteCount = 32

    private var hasher = LibcryptoHasher(.sha256)

    /// Starts a hash of nothing.
    package init() {}

    /// Appends bytes to what is hashed.
    package mutating func update(_ bytes: Span<UInt8>) { hasher.update(bytes) }

    /// The digest of everything since the start or the last call; the hasher then starts anew.
    package mutating func finish() -> [UInt8] { hasher.finish() }

    /// The digest of some bytes.
    package static func digest(_ bytes: Span<UInt8>) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            let status = unsafe bytes.withUnsafeBufferPointer { input in
                unsafe EVP_Digest(
                    input.baseAddress, input.count, buffer.baseAddress, nil, LibcryptoAlgorithm.sha256.method,
                    nil)
            }
            precondition(status == 1, "libcrypto must make a digest")
            count = byteCount
        }
    }

    /// The digest of an array of bytes.
    package static func digest(_ bytes: [UInt8]) -> [UInt8] { digest(bytes.span) }
}
