import EventModel

/// What dpkg writes beside the files that it installs (`dpkg(1)`, section FILES; `/var/lib/dpkg`).
///
/// Written by root's package manager from what packages contain: hostile all the same, so every reader is total and
/// bounded.
package enum DpkgDatabase {
    /// Where dpkg keeps its state.
    package static let folder = "/var/lib/dpkg"
    /// Held by a front end, or by dpkg itself, from the first package to the last (`fcntl(2)` locks).
    package static let lockFile = Array("lock-frontend".utf8)
    /// Most bytes read of one list; that of a kernel's headers has about 2 MiB.
    package static let listByteCount = 32 << 20
    /// Most bytes read of one status update.
    package static let updateByteCount = 1 << 20
    /// Longest file that is checked.
    static let checkedByteCount: UInt64 = 4 << 30
    /// Longest name of a package that is believed (Debian's longest is under 100).
    static let nameByteCount = 200

    /// How dpkg names a file while it is not yet, or no longer, what it should be.
    static let workingSuffixes = [".dpkg-new", ".dpkg-tmp"].map { Array($0.utf8) }

    /// Whether dpkg names a file like this only while it works.
    static func isWorkingName(_ path: [UInt8]) -> Bool {
        workingSuffixes.contains { path.count > $0.count && path.suffix($0.count).elementsEqual($0) }
    }

    /// The files of `info/` that speak of a package: with and without its architecture, as `Multi-Arch: same` asks.
    static func listNames(of package: Package, ending: String) -> [[UInt8]] {
        let plain = Array("\(package.name).\(ending)".utf8)
        guard let architecture = package.architecture else { return [plain] }
        return [Array("\(package.name):\(architecture).\(ending)".utf8), plain]
    }

    /// A package by name and architecture.
    package struct Package: Hashable, Sendable {
        package var name: String
        package var architecture: String?

        package init(name: String, architecture: String?) {
            self.name = name
            self.architecture = architecture
        }
    }

    // MARK: - Readers

    /// The packages that a file of `updates/` speaks of: stanzas of `Package:` and `Architecture:` lines.
    ///
    /// A name that no package may have (Debian Policy 5.6.7) is skipped: it would become a path.
    package static func packages(inUpdate bytes: [UInt8]) -> [Package] {
        var packages: [Package] = []
        var name: String?
        var architecture: String?
        func finish() {
            if let name { packages.append(Package(name: name, architecture: architecture)) }
            name = nil
            architecture = nil
        }
        for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
            if line.isEmpty {
                finish()
            } else if let value = value(of: "Package: ", in: line) {
                name = value
            } else if let value = value(of: "Architecture: ", in: line) {
                architecture = value
            }
        }
        finish()
        return packages
    }

    private static func value(of key: String, in line: ArraySlice<UInt8>) -> String? {
        guard line.starts(with: key.utf8) else { return nil }
        let value = line.dropFirst(key.utf8.count)
        let isName = value.allSatisfy {
            switch $0 {
            case 0x30...0x39, 0x61...0x7a, 0x41...0x5a, 0x2b, 0x2d, 0x2e: true
            default: false
            }
        }
        guard isName, !value.isEmpty, value.count <= nameByteCount, value.first != 0x2e else { return nil }
        return String(decoding: value, as: UTF8.self)
    }

    /// Calls `body` with each absolute path of `PACKAGE.list`.
    package static func forEachPath(inList bytes: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
        for line in bytes.split(separator: 0x0a) where line.first == 0x2f { body(line) }
    }

    /// Calls `body` with each absolute path of `PACKAGE.md5sums` and its digest; a line that is not one is skipped.
    package static func forEachChecksum(
        inChecksums bytes: [UInt8], _ body: (_ path: [UInt8], _ digest: [UInt8]) -> Void
    ) {
        for line in bytes.split(separator: 0x0a) {
            guard line.count > 34, line[line.startIndex + 32] == 0x20, line[line.startIndex + 33] == 0x20,
                let digest = digest(from: line.prefix(32))
            else { continue }
            let path = line.dropFirst(34)
            body(path.first == 0x2f ? Array(path) : [0x2f] + path, digest)
        }
    }

    private static func digest(from text: ArraySlice<UInt8>) -> [UInt8]? {
        var digest: [UInt8] = []
        digest.reserveCapacity(16)
        var high: UInt8?
        for byte in text {
            let value: UInt8
            switch byte {
            case 0x30...0x39: value = byte - 0x30
            case 0x61...0x66: value = byte - 0x57
            default: return nil
            }
            if let first = high {
                digest.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return digest
    }

    /// The path as packages may spell it: Debian's files moved below `/usr`, and many lists still say `/bin`.
    static func spelling(withoutUsr path: [UInt8]) -> [UInt8]? {
        let usr = Array("/usr".utf8)
        guard path.starts(with: usr) else { return nil }
        let rest = Array(path.dropFirst(usr.count))
        let isMerged = ["/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/"].contains {
            rest.starts(with: $0.utf8)
        }
        return isMerged ? rest : nil
    }
}
