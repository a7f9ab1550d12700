import CCrypto

/// SHA-256 (FIPS 180-4) by the system's libcrypto, which uses the processor's instructions for it.
///
/// A hasher is used from one thread at a time; ``digest(_:)-(Span<UInt8>)`` from any. libcrypto without
/// SHA-256 or without memory for a context of some hundred bytes traps: nothing could be said about any file
/// then.
@safe
package struct SHA256: ~Copyable {
    /// The length of a digest in bytes.
    package static let byteCount = 32

    private let context: OpaquePointer

    /// Starts a hash of nothing.
    package init() {
        guard let context = unsafe EVP_MD_CTX_new() else {
            preconditionFailure("libcrypto must give a context")
        }
        unsafe self.context = context
        start()
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Appends bytes to what is hashed.
    package mutating func update(_ bytes: Span<UInt8>) {
        let status = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe EVP_DigestUpdate(context, buffer.baseAddress, buffer.count)
        }
        precondition(status == 1, "libcrypto must hash bytes")
    }

    /// The digest of everything since the start or the last call; the hasher then starts anew.
    package mutating func finish() -> [UInt8] {
        let digest = unsafe [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
            let status = unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
            precondition(status == 1, "libcrypto must finish a digest")
            count = Self.byteCount
        }
        start()
        return digest
    }

    /// The digest of some bytes.
    package static func digest(_ bytes: Span<UInt8>) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            let status = unsafe bytes.withUnsafeBufferPointer { input in
                unsafe EVP_Digest(
                    input.baseAddress, input.count, buffer.baseAddress, nil, Algorithm.sha256.method, nil)
            }
            precondition(status == 1, "libcrypto must make a digest")
            count = byteCount
        }
    }

    /// The digest of an array of bytes.
    package static func digest(_ bytes: [UInt8]) -> [UInt8] { digest(bytes.span) }

    private func start() {
        let status = unsafe EVP_DigestInit_ex2(context, Algorithm.sha256.method, nil)
        precondition(status == 1, "libcrypto must start a digest")
    }
}

/// An algorithm of libcrypto, looked up once: the look-up costs more than a short digest.
///
/// Unchecked: the pointer is never written through, and libcrypto shares methods between threads
/// (`EVP_MD_fetch(3)`).
@safe
private struct Algorithm: @unchecked Sendable {
    static let sha256 = Algorithm(name: "SHA256")

    let method: OpaquePointer

    private init(name: String) {
        guard let method = unsafe EVP_MD_fetch(nil, name, nil) else {
            preconditionFailure("libcrypto must know \(name)")
        }
        unsafe self.method = method
    }
}
