import Digests
import EventModel
import HostSources
import SimulatedBackends
import Testing

/// dpkg at work on a simulated host, step by step as its own inotify records show it.
@Suite struct PackageSourceTests {
    private func text(_ name: String, _ contents: String) -> FileAction {
        var attributes = FileAttributes()
        attributes.bytes = .given(path(contents))
        return .create(path: path(name), attributes, over: .zero)
    }

    private func renamed(_ old: String, _ new: String) -> FileAction {
        .rename(from: path(old), to: path(new), .replace)
    }

    private func md5(_ text: String) -> String {
        var hasher = MD5()
        hasher.update(Array(text.utf8).span)
        return hasher.finish().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// A host that keeps its packages at the usual place, and `/d` for what they install.
    private var given: [FileAction] {
        ["info", "updates"].map { newFolder("/var/lib/dpkg/\($0)") } + [
            text("/var/lib/dpkg/lock-frontend", "")
        ]
    }

    /// Installs `sample` with one file of the given contents, from 1 s to 1.5 s, the lock held until `unlocked`.
    private func install(unlocked: Duration = .milliseconds(1_500), _ between: FileAction...) -> [Step] {
        [
            Step(
                .seconds(1), .lock(path: path("/var/lib/dpkg/lock-frontend"), true),
                text("/var/lib/dpkg/updates/tmp.i", "Package: sample\nArchitecture: all\n"),
                renamed("/var/lib/dpkg/updates/tmp.i", "/var/lib/dpkg/updates/0000")),
            Step(.milliseconds(1_200), text("/d/tool.dpkg-new", "good")),
            Step(.milliseconds(1_300), renamed("/d/tool.dpkg-new", "/d/tool")),
            Step(
                .milliseconds(1_400), text("/var/lib/dpkg/info/sample.list", "/.\n/d\n/d/tool\n"),
                text("/var/lib/dpkg/info/sample.md5sums", "\(md5("good"))  d/tool\n")),
            Step(.milliseconds(1_450), all: between),
            Step(unlocked, .lock(path: path("/var/lib/dpkg/lock-frontend"), false)),
        ]
    }

    private func run(for duration: Duration = .seconds(8), _ steps: [Step]) throws -> FileOutcome {
        try watchFiles(for: duration, given: given, steps, packageDatabase: "/var/lib/dpkg") {
            $0.hashes = false
        }
    }

    private func transaction(_ outcome: FileOutcome) throws -> PackageTransaction {
        let found = outcome.events.compactMap { event in event.file?.transaction }
        return try #require(found.first)
    }

    @Test func `what dpkg does is one event, and every record of it is accounted for`() throws {
        let outcome = try run(install())
        #expect(outcome.lines == ["transaction /var/lib/dpkg (derived)"])
        let transaction = try self.transaction(outcome)
        #expect(transaction.verifiedCount == 1 && transaction.mismatchedCount == 0)
        #expect(transaction.packages == [PackageTransaction.Package(name: "sample", action: .installed)])
        #expect(try #require(outcome.account).isBalanced)
        #expect(try #require(outcome.account).emitted == 0)
    }

    @Test func `what somebody does to a file meanwhile is told at once and raised at the end`() throws {
        let outcome = try run(
            install(
                .overwrite(path: path("/d/tool"), .given(path("evil")), over: .zero), newFile("/d/other")))
        #expect(
            outcome.lines.map { String($0.prefix { $0 != "+" }) } == [
                "modified /d/tool ", "created /d/other", "suspicious /d/tool (derived)",
                "transaction /var/lib/dpkg (derived)",
            ])
    }

    @Test func `while somebody holds the lock the transaction goes on`() throws {
        let outcome = try run(for: .seconds(20), install(unlocked: .seconds(11)))
        let event = try #require(outcome.events.first)
        #expect(event.kind == .fileTransaction)
        #expect(event.monotonic > outcome.begun.advanced(by: .seconds(11)))
    }

    @Test func `a transaction that is open when the source stops is told before it ends`() throws {
        let outcome = try run(for: .seconds(2), install(unlocked: .seconds(60)))
        #expect(outcome.lines == ["transaction /var/lib/dpkg (derived)"])
        #expect(try transaction(outcome).verifiedCount == 1)
    }
}
