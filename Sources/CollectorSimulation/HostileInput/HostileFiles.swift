import EventModel
import HostSources
import LinuxBackends

/// What must hold of small files that the kernel, dpkg or the collector's last run have left.
enum FileRoundTrip {
    /// A list of processors ascends and stays within its bound.
    static func processorsViolation(of bytes: [UInt8]) -> String? {
        guard let processors = ProcessorList.parse(bytes) else { return nil }
        let isAscending = zip(processors, processors.dropFirst()).allSatisfy { $0 < $1 }
        guard isAscending, processors.allSatisfy({ $0 < Limits.processorCount }) else {
            return "a list of processors that does not ascend, or goes too far"
        }
        return nil
    }

    /// The packages of an update have names that lead nowhere when they become part of a path.
    static func updateViolation(of bytes: [UInt8]) -> String? {
        for package in DpkgDatabase.packages(inUpdate: bytes) {
            for name in [package.name, package.architecture ?? "all"] {
                let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x2f }
                guard isPlain, let first = name.utf8.first, first != 0x2e else { return "a package \(name)" }
            }
        }
        return nil
    }

    /// Paths of packages are absolute, and digests whole.
    static func listViolation(of bytes: [UInt8]) -> String? {
        var violation: String?
        DpkgDatabase.forEachPath(inList: bytes) { path in
            if path.first != 0x2f || path.contains(0x0a) { violation = "a path that is not absolute" }
        }
        DpkgDatabase.forEachChecksum(inChecksums: bytes) { path, digest in
            if path.first != 0x2f || path.contains(0x0a) { violation = "a path that is not absolute" }
            if digest.count != 16 { violation = "a digest of \(digest.count) bytes" }
        }
        return violation
    }

    /// A cursor is refused, or is what it prints; a damaged one is refused.
    static func cursorViolation(of bytes: [UInt8]) -> String? {
        let sealed = bytes + Array("check \(String(fnv(bytes), radix: 16))\n".utf8)
        for file in [bytes, sealed] {
            guard let cursor = ConnectorCursor(parsing: file) else { continue }
            if cursor.bytes != file { return "a cursor prints something else" }
            var damaged = file
            damaged[file.count / 2] ^= 1
            if ConnectorCursor(parsing: damaged) != nil { return "a damaged cursor is taken" }
        }
        return nil
    }

    /// FNV-1a with 64 bits (RFC 9923).
    private static func fnv(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }

    /// Most nodes of an index that is read here: enough for every shape, and quick.
    private static let nodeLimit = 1_000

    /// The contents of an index file without its digest: refused, or an index that is the same when it is written and read.
    static func indexViolation(of bytes: [UInt8]) -> String? {
        let file = Array("ccfiles1".utf8) + bytes
        guard let index = IndexFile.index(from: file + digest(file), limit: nodeLimit) else { return nil }
        if index.count > nodeLimit { return "an index of \(index.count) files" }
        let written = IndexFile.bytes(of: index)
        // The newest name of a folder comes first, so that each reading turns the order round.
        guard let again = IndexFile.index(from: written, limit: nodeLimit),
            let third = IndexFile.index(from: IndexFile.bytes(of: again), limit: nodeLimit)
        else { return "a written index is refused" }
        if again.count != index.count { return "an index of \(index.count) files has \(again.count)" }
        return IndexFile.bytes(of: third) == written ? nil : "an index reads back as something else"
    }

    /// As the index file seals what it holds, little-endian.
    private static func digest(_ bytes: [UInt8]) -> [UInt8] {
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
        for offset in stride(from: 0, to: bytes.count, by: 8) {
            let word = bytes[offset..<min(offset + 8, bytes.count)].reduce(0) { $0 << 8 | UInt64($1) }
            digest = (digest ^ word) &* 0x0000_0100_0000_01b3
            digest ^= digest >> 32
        }
        digest ^= UInt64(bytes.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: digest >> UInt64(8 * $0)) }
    }
}
