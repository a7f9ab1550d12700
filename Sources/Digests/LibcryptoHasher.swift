import CCrypto

/// A hash in the making by the system's libcrypto, which uses the processor's instructions for it.
///
/// Used from one thread at a time. libcrypto without the algorithm or without memory for a context of some hundred
/// bytes traps: nothing could be said about any file then.
@safe
struct LibcryptoHasher: ~Copyable {
    private let context: OpaquePointer
    private let algorithm: LibcryptoAlgorithm

    init(_ algorithm: LibcryptoAlgorithm) {
        guard let context = unsafe EVP_MD_CTX_new() else {
            preconditionFailure("libcrypto must give a context")
        }
        unsafe self.context = context
        self.algorithm = algorithm
        start()
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    mutating func update(_ bytes: Span<UInt8>) {
        let status = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe EVP_DigestUpdate(context, buffer.baseAddress, buffer.count)
        }
        precondition(status == 1, "libcrypto must hash bytes")
    }

    /// The digest of everything since the start or the last call; the hash then starts anew.
    mutating func finish() -> [UInt8] {
        let digest = unsafe [UInt8](unsafeUninitializedCapacity: algorithm.byteCount) { buffer, count in
            let status = unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
            precondition(status == 1, "libcrypto must finish a digest")
            count = algorithm.byteCount
        }
        start()
        return digest
    }

    private func start() {
        let status = unsafe EVP_DigestInit_ex2(context, algorithm.method, nil)
        precondition(status == 1, "libcrypto must start a digest")
    }
}

/// An algorithm of libcrypto, looked up once: the look-up costs more than a short digest.
///
/// Unchecked: the pointer is never written through, and libcrypto shares methods between threads
/// (`EVP_MD_fetch(3)`).
@safe
struct LibcryptoAlgorithm: @unchecked Sendable {
    static let sha256 = LibcryptoAlgorithm(name: "SHA256", byteCount: 32)
    static let md5 = LibcryptoAlgorithm(name: "MD5", byteCount: 16)

    let method: OpaquePointer
    /// The length of a digest in bytes.
    let byteCount: Int

    private init(name: String, byteCount: Int) {
        guard let method = unsafe EVP_MD_fetch(nil, name, nil) else {
            preconditionFailure("libcrypto must know \(name)")
        }
        unsafe self.method = method
        self.byteCount = byteCount
    }
}
