import Backends
import Digests

/// The library that hashes, in readiness.
package enum Hashing {
    /// Has the library read its configuration and load its modules now, while the process may still map code.
    package static func prepare() {
        var sha256 = SHA256()
        var md5 = MD5()
        _ = (sha256.finish(), md5.finish())
    }
}

/// The digest of a file in the making, a piece at a time; believed only if the file is the same at the end.
struct FileDigest: ~Copyable {
    /// Bytes of one read.
    static let sliceByteCount = 65_536

    /// As the file was before the first byte was read.
    let before: FileStatus
    /// Where the next piece begins.
    private(set) var offset: UInt64 = 0
    private var hasher = SHA256()

    init(of before: FileStatus) { self.before = before }

    /// Takes what a read at ``offset`` gave.
    ///
    /// - Returns: Whether there is more to read.
    mutating func take(_ bytes: [UInt8]) -> Bool {
        hasher.update(bytes.span)
        offset += UInt64(bytes.count)
        // A file that grows while it is read must not be read for ever.
        return !bytes.isEmpty && offset <= before.size
    }

    /// The digest of everything that was taken, in hexadecimal; `nil` when the file has changed meanwhile.
    mutating func finish(as after: FileStatus) -> String? {
        let digest = hasher.finish()
        guard after.hasSameContents(as: before), offset == after.size else { return nil }
        return Self.hexadecimal(digest)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            for nibble in [byte >> 4, byte & 0xf] { text.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension FileStatus {
    func hasSameContents(as other: FileStatus) -> Bool {
        size == other.size && modified == other.modified && changed == other.changed
    }
}
