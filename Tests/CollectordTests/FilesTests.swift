import Foundation
import Testing

/// The filesystem source as its users meet it: a real daemon, a real kernel, a real dpkg.
@Suite(
    .serialized, .timeLimit(.minutes(10)),
    .enabled(if: Daemon.isAvailable, "needs root and the collectord executable beside the tests")
)
struct FilesTests {
    private static let ready = #""state":"ready""#

    /// A folder of its own, removed at the end.
    private final class Folder {
        let url: URL
        var path: String { url.path }

        init() throws {
            url = URL(fileURLWithPath: "/var/tmp/collectord-files-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(at: url) }

        func shell(_ script: String) throws { try runToEnd("/bin/sh", ["-ec", "cd '\(path)'; \(script)"]) }
    }

    private func watch(_ folder: Folder, state: Folder, _ more: [String] = []) throws -> Daemon {
        let settings = [
            "sources.process.enabled=false", "sources.filesystem.roots=\(folder.path)",
            "state.directory=\(state.path)",
        ]
        let daemon = try Daemon(
            ["run", "--events", "json"] + (settings + more).flatMap { ["--set", $0] })
        #expect(daemon.waitForLine(holding: Self.ready))
        return daemon
    }

    private func files(_ result: Daemon.Result, _ kind: String) -> [[String: Any]] {
        result.lines.filter { $0["kind"] as? String == kind }.compactMap { $0["file"] as? [String: Any] }
    }

    private func paths(_ result: Daemon.Result, _ kind: String, in folder: Folder) -> Set<String> {
        Set(
            files(result, kind).compactMap { ($0["path"] as? String)?.dropFirst(folder.path.count + 1) }.map(
                String.init))
    }

    private func expectBalance(_ result: Daemon.Result) throws {
        #expect(result.exitCode == 0, Comment(rawValue: result.errors))
        let source = try #require(result.accounts("source").last { $0["source"] as? String == "filesystem" })
        #expect(source["balanced"] as? Bool == true)
        let stream = try #require(result.accounts("stream").last)
        #expect(stream["balanced"] as? Bool == true)
        #expect(stream["in_flight"] as? Int == 0)
    }

    @Test func `a file's life arrives in order, with size, owner, mode and the hash of what was written`()
        throws
    {
        let (folder, state) = (try Folder(), try Folder())
        let daemon = try watch(folder, state: state)
        // Each is told before the next happens: of a file that is gone before it was looked at, less can be told.
        for (command, kind) in [
            ("printf hello > a", "modified"), ("mv a b", "renamed"), ("chmod 600 b", "attributes"),
            ("rm b", "deleted"),
        ] {
            try folder.shell(command)
            #expect(daemon.waitForLine(holding: #""kind":"file.\#(kind)""#))
        }
        daemon.terminate()
        let result = try daemon.finish()
        try expectBalance(result)
        let kinds = result.lines.compactMap { $0["kind"] as? String }.filter { $0.hasPrefix("file.") }
        #expect(
            kinds == ["file.created", "file.modified", "file.renamed", "file.attributes", "file.deleted"])
        let modified = try #require(files(result, "file.modified").last)
        #expect(modified["size_bytes"] as? Int == 5)
        #expect(modified["uid"] as? Int == 0)
        #expect(
            modified["hash"] as? String == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
        #expect(modified["hash_algorithm"] as? String == "sha256")
        let renamed = try #require(files(result, "file.renamed").last)
        #expect(renamed["path"] as? String == "\(folder.path)/b")
        #expect(renamed["previous_path"] as? String == "\(folder.path)/a")
        #expect(files(result, "file.attributes").last?["permissions"] as? String == "0600")
    }

    @Test func `a tree that is made faster than it can be watched is told to the last file`() throws {
        let (folder, state) = (try Folder(), try Folder())
        let daemon = try watch(folder, state: state)
        try folder.shell(
            "for i in 1 2 3 4 5 6 7 8 9; do mkdir -p t$i/a/b/c/d; echo x > t$i/a/b/c/d/leaf; done")
        var leaves = 0
        let areThere = daemon.waitForLine("nine leaves") {
            if $0.contains(#""kind":"file.created""#) && $0.contains("/leaf\"") { leaves += 1 }
            return leaves == 9
        }
        #expect(areThere)
        try folder.shell("touch end")
        #expect(daemon.waitForLine(holding: "/end\""))
        daemon.terminate()
        let result = try daemon.finish()
        try expectBalance(result)
        let created = files(result, "file.created").compactMap { $0["path"] as? String }
        #expect(created.count == Set(created).count)
        let expected = (1...9).flatMap { tree in
            [
                "t\(tree)", "t\(tree)/a", "t\(tree)/a/b", "t\(tree)/a/b/c", "t\(tree)/a/b/c/d",
                "t\(tree)/a/b/c/d/leaf",
            ]
        }
        #expect(paths(result, "file.created", in: folder) == Set(expected + ["end"]))
    }

    @Test func `20 000 files made while nobody reads are one gap, and all told`() throws {
        let (folder, state) = (try Folder(), try Folder())
        let daemon = try watch(folder, state: state)
        daemon.signal(SIGSTOP)
        try folder.shell("i=0; while [ $i -lt 20000 ]; do : > $i; i=$((i+1)); done")
        daemon.signal(SIGCONT)
        var count = 0
        let isComplete = daemon.waitForLine("20 000 files") {
            if $0.contains(#""kind":"file.created""#) { count += 1 }
            return count == 20_000
        }
        #expect(isComplete)
        daemon.terminate()
        let result = try daemon.finish()
        try expectBalance(result)
        let gaps = result.lines.filter { $0["record"] as? String == "gap" }
        #expect(gaps.map { $0["cause"] as? String } == ["watch_queue_overflow"])
        let created = paths(result, "file.created", in: folder)
        let missing = Set((0..<20_000).map(String.init)).subtracting(created)
        #expect(missing.isEmpty && created.count == 20_000, "missing: \(missing.sorted().prefix(3))")
        let source = try #require(result.accounts("source").last)
        #expect(source["overflows"] as? Int == 1)
        #expect(source["lost"] is NSNull)
    }

    @Test func `what changed while the collector was down is told by the next run`() throws {
        let (folder, state) = (try Folder(), try Folder())
        try folder.shell("mkdir d; echo 1 > d/stays; echo 1 > d/changes; echo 1 > d/goes; echo 1 > d/mode")
        let first = try watch(folder, state: state)
        first.terminate()
        try expectBalance(first.finish())
        try folder.shell("echo 22 > d/changes; rm d/goes; chmod 777 d/mode; echo new > d/comes")
        let second = try watch(folder, state: state)
        second.terminate()
        let result = try second.finish()
        try expectBalance(result)
        #expect(result.lines.contains { $0["cause"] as? String == "not_running" })
        #expect(paths(result, "file.created", in: folder) == ["d/comes"])
        #expect(paths(result, "file.modified", in: folder) == ["d/changes"])
        #expect(paths(result, "file.deleted", in: folder) == ["d/goes"])
        #expect(paths(result, "file.attributes", in: folder).contains("d/mode"))
        #expect(paths(result, "file.baseline", in: folder).isEmpty)
        let resync = result.lines.filter { ($0["kind"] as? String)?.hasPrefix("file.") == true }
        #expect(resync.allSatisfy { $0["origin"] as? String == "resync" })
    }

    @Test func `hostile names and links cost nothing, and nothing outside is opened`() throws {
        let (folder, state) = (try Folder(), try Folder())
        let daemon = try watch(folder, state: state)
        try folder.shell(
            #"""
            ln -s /etc/passwd link; ln -s / root; mkfifo fifo; (echo x > fifo &) ; cat fifo > /dev/null
            printf x > "$(printf 'bad\377name')"; printf x > "$(printf 'line\nbreak')"
            n=$(head -c 255 /dev/zero | tr '\0' '\376'); printf x > "$n"; ln -s . loop
            """#)
        var count = 0
        let areThere = daemon.waitForLine("seven files") {
            if $0.contains(#""kind":"file.created""#) { count += 1 }
            return count == 7
        }
        #expect(areThere)
        try folder.shell("touch end")
        #expect(daemon.waitForLine(holding: "/end\""))
        daemon.terminate()
        let result = try daemon.finish()
        try expectBalance(result)
        let created = paths(result, "file.created", in: folder)
        #expect(
            created.isSuperset(of: ["link", "root", "fifo", #"bad\xffname"#, "line\nbreak", "loop", "end"]))
        #expect(created.count == 8)
        let hashed = (files(result, "file.created") + files(result, "file.modified")).filter {
            $0["hash"] != nil
        }
        #expect(hashed.allSatisfy { $0["type"] as? String == "regular" })
    }

    // MARK: - Packages

    /// A package with `count` files, of which the script may change one behind dpkg's back.
    private func makePackage(in folder: Folder, version: Int, count: Int, script: String = "") throws {
        try folder.shell(
            """
            rm -rf pkg; mkdir -p pkg/DEBIAN pkg/usr/share/sample pkg/usr/bin
            printf 'Package: sample\\nVersion: \(version)\\nArchitecture: all\\nMaintainer: x <x@example.org>\\nDescription: x\\n' \
                > pkg/DEBIAN/control
            i=0; while [ $i -lt \(count) ]; do echo "\(version) $i" > pkg/usr/share/sample/f$i; i=$((i+1)); done
            echo '#!/bin/sh' > pkg/usr/bin/sample; chmod 755 pkg/usr/bin/sample
            (cd pkg; find usr -type f -exec md5sum {} + > DEBIAN/md5sums)
            printf '#!/bin/sh\\n\(script)\\n' > pkg/DEBIAN/postinst; chmod 755 pkg/DEBIAN/postinst
            dpkg-deb --build pkg sample.deb > /dev/null
            """)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/dpkg-deb"), "needs dpkg"))
    func `a package's files fold into one summary, and one that was tampered with is raised`() throws {
        let (root, work, state) = (try Folder(), try Folder(), try Folder())
        try root.shell(
            "mkdir -p var/lib/dpkg/info var/lib/dpkg/updates usr/share usr/bin; : > var/lib/dpkg/status")
        // Without chroot(2): the sample's script is given the folder.
        try makePackage(
            in: work, version: 1, count: 300, script: "echo evil >> $DPKG_ROOT/usr/share/sample/f7")
        let daemon = try Daemon(
            ["run", "--events", "json"]
                + [
                    "sources.process.enabled=false", "sources.filesystem.roots=\(root.path)/usr",
                    "sources.filesystem.package_database=\(root.path)/var/lib/dpkg",
                    "state.directory=\(state.path)",
                ].flatMap { ["--set", $0] })
        #expect(daemon.waitForLine(holding: Self.ready))
        try work.shell("dpkg --force-script-chrootless --root='\(root.path)' -i sample.deb")
        #expect(daemon.waitForLine(holding: #""kind":"file.transaction""#))
        daemon.terminate()
        let result = try daemon.finish()
        try expectBalance(result)
        let summary = try #require(files(result, "file.transaction").last?["transaction"] as? [String: Any])
        #expect(summary["verified"] as? Int == 300)
        #expect(summary["mismatched"] as? Int == 1)
        #expect(summary["unlisted"] as? Int == 0)
        let package = try #require((summary["packages"] as? [[String: Any]])?.first)
        #expect(package["name"] as? String == "sample")
        #expect(package["action"] as? String == "installed")
        let suspicious = files(result, "file.suspicious")
        #expect(suspicious.map { $0["path"] as? String } == ["\(root.path)/usr/share/sample/f7"])
        #expect(suspicious.first?["suspicion"] as? String == "package_mismatch")
        let fileEvents = result.lines.filter { ($0["kind"] as? String)?.hasPrefix("file.") == true }
        #expect(fileEvents.count <= 6)
    }
}
