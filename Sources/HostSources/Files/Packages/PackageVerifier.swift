package import Backends
import Digests
package import EventModel

import struct SystemPackage.Errno

/// Checks what a package manager did against what its packages state, a small step at a time.
package final class PackageVerifier {
    /// What became of one transaction.
    package struct Verdict: Sendable {
        package var transaction: PackageTransaction
        /// Files that are not what their package states, in the order of their paths.
        package var mismatched: [[UInt8]]
        /// Changes that no package of the transaction owns up to, in the order of their paths.
        package var unlisted: [PackageTransactions.Change]
    }

    /// What the packages say of one path now.
    private struct Entry {
        let path: [UInt8]
        let held: PackageTransactions.Held
        var isListed = false
        var digest: [UInt8]?
    }

    private enum Finding {
        case verified, mismatched, unchecked
        case unlisted(FileOperation)
    }

    /// Bytes hashed in one step: well under a millisecond.
    private static let chunkByteCount = 128 << 10

    private let database: any RootedDirectory
    private let roots: [any RootedDirectory]
    private let prefix: [UInt8]
    private var packages: [DpkgDatabase.Package]
    private let wasInstalled: [DpkgDatabase.Package: Bool]
    private var entries: [Entry]
    private var places: [[UInt8]: Int]
    private var next = 0
    private var verdict: Verdict
    private var actions: [PackageTransaction.Package] = []
    // The file that is being hashed.
    private var offset: UInt64 = 0
    private var hashedInode: UInt64 = 0
    private var hasher = MD5()

    /// - Parameters:
    ///   - database: `/var/lib/dpkg`.
    ///   - roots: Where the changed files are.
    ///   - prefix: What comes before the paths of packages.
    package init(
        _ settlement: PackageTransactions.Settlement, database: any RootedDirectory,
        roots: [any RootedDirectory],
        prefix: [UInt8] = []
    ) {
        self.prefix = prefix
        self.database = database
        self.roots = roots
        wasInstalled = settlement.packages
        packages = settlement.packages.keys.sorted {
            ($0.name, $0.architecture ?? "") < ($1.name, $1.architecture ?? "")
        }
        let entries = settlement.held.map { Entry(path: $0.key, held: $0.value) }
            .sorted { $0.path.lexicographicallyPrecedes($1.path) }
        self.entries = entries
        places = Dictionary(uniqueKeysWithValues: entries.indices.map { (entries[$0].path, $0) })
        var transaction = PackageTransaction(
            manager: "dpkg", begun: settlement.begun, ended: settlement.ended)
        transaction.foldedCount = settlement.foldedCount
        verdict = Verdict(transaction: transaction, mismatched: [], unlisted: [])
        packages.reverse()
    }

    /// Reads one package's lists, or hashes a piece of one file.
    ///
    /// - Returns: The verdict after the last step.
    package func step() -> Verdict? {
        if let package = packages.popLast() {
            read(package)
            return nil
        }
        guard next < entries.count else { return finish() }
        if let finding = examineNext() {
            enter(finding, of: entries[next])
            next += 1
            offset = 0
            // Starts it anew.
            _ = hasher.finish()
        }
        return nil
    }

    /// Ends the check: what a package lists is unchecked then, and the rest gets its own events.
    package func abandon() -> Verdict {
        while let package = packages.popLast() { read(package) }
        for entry in entries[next...] {
            let isExplained = entry.isListed || entry.held.wasOwned && entry.held.operation == .deleted
            enter(isExplained ? .unchecked : .unlisted(entry.held.wasOwned ? .modified : .created), of: entry)
        }
        next = entries.count
        return finish()
    }

    // MARK: - Lists

    private func read(_ package: DpkgDatabase.Package) {
        let list = Self.read("list", of: package, in: database)
        let wasThere = wasInstalled[package] ?? false
        switch (wasThere, list != nil) {
        case (true, true): actions.append(PackageTransaction.Package(name: package.name, action: .changed))
        case (false, true): actions.append(PackageTransaction.Package(name: package.name, action: .installed))
        case (true, false): actions.append(PackageTransaction.Package(name: package.name, action: .removed))
        case (false, false): return
        }
        guard let list else { return }
        var listed: [Int] = []
        DpkgDatabase.forEachPath(inList: list) { path in
            if let place = places[Array(path)] { listed.append(place) }
        }
        // Files of merged folders are listed without /usr by most packages.
        if listed.count < entries.count {
            DpkgDatabase.forEachPath(inList: list) { path in
                if let place = places[Array("/usr".utf8) + path], isMerged(place) { listed.append(place) }
            }
        }
        for place in listed { entries[place].isListed = true }
        guard let checksums = Self.read("md5sums", of: package, in: database) else { return }
        var stated: [(Int, [UInt8])] = []
        DpkgDatabase.forEachChecksum(inChecksums: checksums) { path, digest in
            if let place = places[path] {
                stated.append((place, digest))
            } else if let place = places[Array("/usr".utf8) + path], isMerged(place) {
                stated.append((place, digest))
            }
        }
        for (place, digest) in stated { entries[place].digest = digest }
    }

    private func isMerged(_ place: Int) -> Bool {
        DpkgDatabase.spelling(withoutUsr: entries[place].path) != nil
    }

    /// A file of `info/` that speaks of a package; `nil` when there is none that can be read.
    package static func read(
        _ ending: String, of package: DpkgDatabase.Package, in database: any RootedDirectory
    ) -> [UInt8]? {
        for name in DpkgDatabase.listNames(of: package, ending: ending) {
            if let bytes = read(Array("info/".utf8) + name, in: database, limit: DpkgDatabase.listByteCount) {
                return bytes
            }
        }
        return nil
    }

    /// A whole regular file below `folder`, at most `limit` bytes; `nil` when it cannot be had.
    package static func read(_ path: [UInt8], in folder: any RootedDirectory, limit: Int) -> [UInt8]? {
        do throws(Errno) {
            let look = try folder.open(path, as: .path)
            guard try folder.status(of: look).type == .regular else { return nil }
            let file = try folder.reopen(look, as: .contents)
            var bytes: [UInt8] = []
            while bytes.count < limit {
                let count = min(256 << 10, limit - bytes.count)
                if try folder.read(file, at: UInt64(bytes.count), count: count, into: &bytes) == 0 { break }
            }
            return bytes
        } catch {
            return nil
        }
    }

    // MARK: - Files

    /// One step with the present file; `nil` when there is more to hash.
    private func examineNext() -> Finding? {
        let entry = entries[next]
        guard let (root, path) = place(of: entry.path) else { return .unchecked }
        do throws(Errno) {
            let look = try root.open(path, as: .path)
            let status = try root.status(of: look)
            guard entry.isListed else { return .unlisted(entry.held.wasOwned ? .modified : .created) }
            guard let digest = entry.digest else { return .unchecked }
            guard status.type == .regular else { return .mismatched }
            guard status.size <= DpkgDatabase.checkedByteCount else { return .unchecked }
            // Every piece must be of the file that the first was of, and of one that does not grow for ever.
            if offset == 0 { hashedInode = status.inode }
            guard status.inode == hashedInode, offset <= DpkgDatabase.checkedByteCount else {
                return .mismatched
            }
            let file = try root.reopen(look, as: .contents)
            var chunk: [UInt8] = []
            let count = try root.read(file, at: offset, count: Self.chunkByteCount, into: &chunk)
            hasher.update(chunk.span)
            offset += UInt64(count)
            if count > 0 { return nil }
            return hasher.finish() == digest ? .verified : .mismatched
        } catch {
            return finding(for: entry, error)
        }
    }

    private func finding(for entry: Entry, _ error: Errno) -> Finding {
        let isGone = error == .noSuchFileOrDirectory || error == .notDirectory
        guard entry.isListed else {
            // What came and went within the transaction, or was removed by its owner, needs no event.
            return isGone ? .unchecked : .unlisted(entry.held.wasOwned ? .modified : .created)
        }
        guard isGone else { return .unchecked }
        return entry.digest == nil ? .unlisted(.deleted) : .mismatched
    }

    private func place(of inner: [UInt8]) -> (any RootedDirectory, [UInt8])? {
        roots.place(of: prefix + inner).map { ($0.root, $0.path) }
    }

    private func enter(_ finding: Finding, of entry: Entry) {
        switch finding {
        case .verified: verdict.transaction.verifiedCount += 1
        case .unchecked: verdict.transaction.uncheckedCount += 1
        case .mismatched:
            verdict.transaction.mismatchedCount += 1
            verdict.mismatched.append(entry.path)
        case .unlisted(let operation):
            verdict.transaction.unlistedCount += 1
            verdict.unlisted.append(PackageTransactions.Change(path: entry.path, operation: operation))
        }
    }

    private func finish() -> Verdict {
        verdict.transaction.packageCount = UInt64(actions.count)
        verdict.transaction.packages = Array(actions.prefix(Limits.transactionPackageCount))
        return verdict
    }
}
