import Backends
import Digests
import EventModel
import HostSources
import SimulatedBackends
import Testing

/// What was folded, checked on a simulated disk.
@Suite struct PackageVerifierTests {
    private static let sample = DpkgDatabase.Package(name: "sample", architecture: "amd64")
    private let wall = WallTime(nanoseconds: 5)

    /// A host on which `sample` states the given contents, and has others where `onDisk` says so.
    private func host(stated: [String: String], onDisk: [String: String], list: [String]? = nil) throws
        -> SimulatedHost
    {
        let host = SimulatedHost()
        let folders = ["/var/lib/dpkg/info", "/usr/bin", "/usr/share/sample", "/etc"]
        var actions: [FileAction] = folders.map { .makeFolders(path: bytes($0), permissions: 0o755) }
        for (name, text) in onDisk.sorted(by: { $0.key < $1.key }) { actions.append(file(name, text)) }
        let lines = (list ?? stated.keys.sorted()).map { $0 + "\n" }.joined()
        actions.append(file("/var/lib/dpkg/info/sample.list", "/.\n" + lines))
        let sums = stated.sorted { $0.key < $1.key }.map { "\(md5($0.value))  \($0.key.dropFirst())\n" }
            .joined()
        actions.append(file("/var/lib/dpkg/info/sample.md5sums", sums))
        try host.kernel.addFiles(actions)
        return host
    }

    private func file(_ name: String, _ text: String) -> FileAction {
        var attributes = FileAttributes()
        attributes.bytes = .given(bytes(text))
        return .create(path: bytes(name), attributes, over: .zero)
    }

    private func md5(_ text: String) -> String {
        var hasher = MD5()
        hasher.update(Array(text.utf8).span)
        return hasher.finish().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func check(
        _ host: SimulatedHost, _ held: [String: PackageTransactions.Held], wasInstalled: Bool = false
    ) throws -> PackageVerifier.Verdict {
        let settlement = PackageTransactions.Settlement(
            begun: wall, ended: wall, foldedCount: 9, packages: [Self.sample: wasInstalled],
            held: Dictionary(uniqueKeysWithValues: held.map { (bytes($0.key), $0.value) }))
        let verifier = PackageVerifier(
            settlement, database: try host.rootedDirectory(path: bytes("/var/lib/dpkg")),
            roots: [
                try host.rootedDirectory(path: bytes("/usr")), try host.rootedDirectory(path: bytes("/etc")),
            ])
        while true { if let verdict = verifier.step() { return verdict } }
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private let installed = PackageTransactions.Held(operation: .renamed, wasOwned: false)

    @Test func `contents that are as stated are verified, /usr or not`() throws {
        let big = String(repeating: "0123456789", count: 40_000)
        let host = try host(
            stated: ["/bin/a": "one", "/usr/share/sample/b": big],
            onDisk: ["/usr/bin/a": "one", "/usr/share/sample/b": big])
        let verdict = try check(host, ["/usr/bin/a": installed, "/usr/share/sample/b": installed])
        #expect(verdict.transaction.verifiedCount == 2)
        #expect(verdict.mismatched.isEmpty && verdict.unlisted.isEmpty)
        #expect(
            verdict.transaction.packages == [PackageTransaction.Package(name: "sample", action: .installed)])
        #expect(verdict.transaction.foldedCount == 9)
    }

    @Test func `contents that are not as stated are raised, and so is a file that is gone`() throws {
        let host = try host(
            stated: ["/usr/bin/a": "one", "/usr/bin/b": "two", "/usr/bin/c": "three"],
            onDisk: ["/usr/bin/a": "evil", "/usr/bin/b": "two"])
        let verdict = try check(
            host, ["/usr/bin/a": installed, "/usr/bin/b": installed, "/usr/bin/c": installed])
        #expect(verdict.mismatched == [bytes("/usr/bin/a"), bytes("/usr/bin/c")])
        #expect(verdict.transaction.verifiedCount == 1)
        #expect(verdict.transaction.mismatchedCount == 2)
    }

    @Test func `a link in the place of a stated file is raised and not followed`() throws {
        let host = try host(stated: ["/usr/bin/a": "one"], onDisk: ["/etc/real": "one"])
        try host.kernel.addFiles([.symlink(path: bytes("/usr/bin/a"), target: bytes("/etc/real"))])
        #expect(try check(host, ["/usr/bin/a": installed]).mismatched == [bytes("/usr/bin/a")])
    }

    @Test func `what no package of the transaction lists gets its own event`() throws {
        let host = try host(
            stated: [:], onDisk: ["/usr/bin/odd": "x", "/usr/bin/own.dpkg-new": "x", "/etc/c": "x"],
            list: ["/etc/c"])
        let verdict = try check(
            host,
            [
                "/usr/bin/odd": PackageTransactions.Held(operation: .renamed, wasOwned: true),
                "/usr/bin/own.dpkg-new": PackageTransactions.Held(operation: .created, wasOwned: false),
                "/etc/c": installed,
            ])
        #expect(
            verdict.unlisted == [
                PackageTransactions.Change(path: bytes("/usr/bin/odd"), operation: .modified),
                PackageTransactions.Change(path: bytes("/usr/bin/own.dpkg-new"), operation: .created),
            ])
        #expect(verdict.transaction.uncheckedCount == 1)
    }

    @Test func `a removed package's files are gone as they should be`() throws {
        let host = try host(stated: [:], onDisk: [:], list: [])
        try host.kernel.addFiles([
            .unlink(path: bytes("/var/lib/dpkg/info/sample.list")),
            .unlink(path: bytes("/var/lib/dpkg/info/sample.md5sums")),
        ])
        let removed = PackageTransactions.Held(operation: .deleted, wasOwned: true)
        let verdict = try check(host, ["/usr/bin/a": removed], wasInstalled: true)
        #expect(verdict.unlisted.isEmpty && verdict.mismatched.isEmpty)
        #expect(
            verdict.transaction.packages == [PackageTransaction.Package(name: "sample", action: .removed)])
    }
}
