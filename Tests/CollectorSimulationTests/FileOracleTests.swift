import CollectorCore
import CollectorSimulation
import EventModel
import Testing

/// A run about files that passes, spoilt in one way at a time: the oracle that is there for it must notice.
@Suite struct `oracles of files notice` {
    private static let text = """
        scenario files v1
        config filesystem.roots=/srv
        given
          file /srv/a size=100
          folder /srv/d
          file /srv/d/b size=10
          file /secret text="secret"
        when
          @0s start
          @1s file.create /srv/c size=5
          @1.1s file.write /srv/a size=7
          @1.2s file.chmod /srv/d/b mode=0600
          @1.3s file.rename /srv/d -> /srv/e
          @1.4s file.unlink /srv/c
          @5s stop SIGTERM
        """

    private func evidence() throws -> Evidence {
        let evidence = ScenarioRunner.simulate(try scenario(Self.text), seed: 1)
        try #require(Oracles.check(evidence).isEmpty)
        return evidence
    }

    private func oracles(_ change: (inout Recording) throws -> Void) throws -> Set<OracleName> {
        let spoilt = try evidence().changing { recording in
            do { try change(&recording) } catch { Issue.record(error) }
        }
        return Set(Oracles.check(spoilt).map(\.oracle))
    }

    private func place(_ kind: EventKind, _ path: String, in recording: Recording) throws -> Int {
        try #require(
            recording.runs[0].stream.firstIndex { item in
                guard case .event(let event) = item.content, case .filesystem(let file) = event.subject else {
                    return false
                }
                return event.kind == kind && file.path == path
            })
    }

    private func change(
        _ kind: EventKind, _ path: String, in recording: inout Recording,
        _ change: (inout FilesystemEvent) -> Void
    ) throws {
        let index = try place(kind, path, in: recording)
        guard case .event(var event) = recording.runs[0].stream[index].content,
            case .filesystem(var file) = event.subject
        else { return }
        change(&file)
        event.subject = .filesystem(file)
        recording.runs[0].stream[index].content = .event(event)
    }

    @Test func `a file whose end nobody told`() throws {
        let oracles = try oracles {
            $0.runs[0].stream.remove(at: try place(.fileDeleted, "/srv/c", in: $0))
        }
        #expect(oracles.contains(.fileIndex))
    }

    @Test func `a file that nobody told of`() throws {
        let oracles = try oracles { recording in
            recording.runs[0].stream.removeAll { item in
                guard case .event(let event) = item.content, case .filesystem(let file) = event.subject else {
                    return false
                }
                return file.path == "/srv/a"
            }
        }
        #expect(oracles.contains(.fileIndex))
    }

    @Test func `a change that nobody told`() throws {
        let oracles = try oracles {
            $0.runs[0].stream.remove(at: try place(.fileModified, "/srv/a", in: $0))
        }
        #expect(oracles.contains(.fileIndex))
    }

    @Test func `a wrong mode`() throws {
        let oracles = try oracles {
            try change(.fileAttributes, "/srv/d/b", in: &$0) { $0.permissions = 0o777 }
        }
        #expect(oracles.contains(.fileIndex))
    }

    @Test func `a renamed folder that took nothing along`() throws {
        let oracles = try oracles {
            try change(.fileRenamed, "/srv/e", in: &$0) { $0.previousPath = "/srv/f" }
        }
        #expect(oracles.contains(.fileIndex))
    }

    @Test func `the digest of what the file never contained`() throws {
        let oracles = try oracles {
            try change(.fileModified, "/srv/a", in: &$0) {
                $0.fileHash = String(repeating: "0", count: 64)
                $0.hashAlgorithm = .sha256
            }
        }
        #expect(oracles.contains(.fileOrder))
    }

    @Test func `an event about what is not watched`() throws {
        let oracles = try oracles {
            try change(.fileModified, "/srv/a", in: &$0) { $0.path = "/secret" }
        }
        #expect(oracles.contains(.fileOrder))
    }

    @Test func `a file that was made twice`() throws {
        let oracles = try oracles { recording in
            let index = try place(.fileCreated, "/srv/c", in: recording)
            recording.runs[0].stream.insert(recording.runs[0].stream[index], at: index)
        }
        #expect(oracles.contains(.fileOrder))
    }

    @Test func `records that were not accounted for`() throws {
        let oracles = try oracles { recording in
            recording.runs[0].watch?.readCount += 1
        }
        #expect(oracles == [.accounts])
    }

    @Test func `an overflow that no gap tells`() throws {
        let oracles = try oracles { recording in
            recording.runs[0].watch?.readOverflowCount += 1
        }
        #expect(oracles == [.accounts])
    }
}

/// What scenario files say about files.
@Suite struct FileLineTests {
    private func message(of line: String, in section: String = "when") throws -> String {
        let text = "scenario x v1\n\(section)\n  \(line)\n"
        let error = #expect(throws: ScenarioError.self) {
            try Scenario(parsing: Array(text.utf8), path: "x.scn")
        }
        let found = try #require(error)
        return found.description
    }

    @Test(arguments: [
        ("@1s file.create relative", "x.scn:3:19: expected an absolute path"),
        ("@1s file.chmod /a", "expected mode= with permissions such as 0644"),
        ("@1s file.chmod /a mode=999", "expected mode=permissions such as 0644, not 999"),
        ("@1s file.rename /a /b", "expected \"->\""),
        ("@1s file.open /a", "expected as= with the number of the open file"),
        ("@1s file.fail /a ENOTHING", "expected an error such as ESTALE or EIO, not \"ENOTHING\""),
        ("@1s file.burst /a over=1s", "expected count= with a number"),
        ("@1s file.unlink /a size=3", "unknown key \"size\""),
        ("file.unlink /a", "expected a time such as @1.5s"),
    ])
    func `a line that cannot be meant so is refused with its place`(line: String, expected: String) throws {
        let message = try message(of: line)
        #expect(message.contains(expected), "\(message)")
    }

    @Test func `a tree has a limit`() throws {
        let message = try message(of: "tree /srv depth=64 folders=100 files=100", in: "given")
        #expect(message.contains("at most 200000 files and folders"))
    }

    @Test func `every line about files prints as it was read`() throws {
        let text = """
            scenario x v1
            limit watch.queue=64 watch.count=100 watch.instances=2
            config filesystem.roots=/etc,/srv filesystem.exclude=*.swp,/srv/tmp filesystem.poll=1s

            given
              file /etc/passwd size=2KiB mode=0644 uid=0
              file "/etc/\\xff" text="x"
              folder /srv/a mode=0700 uid=33
              tree /srv depth=2 folders=2 files=3 size=10
              symlink /srv/l target=/etc
              link /etc/passwd -> /etc/other
              node /srv/p type=fifo
              mount /srv/m size=1MiB untyped

            when
              @0s start
              @1s file.create /srv/x size=10 mode=0600 uid=1 gid=2 over=5ms
              @1s file.write /srv/x text="abc" at=4
              @1s file.overwrite /srv/x hole=1GiB
              @1s file.truncate /srv/x size=3
              @1s file.read /srv/x
              @1s file.chmod /srv/x mode=0755
              @1s file.chown /srv/x uid=1 gid=2
              @1s file.utime /srv/x mtime=2026-01-01T00:00:00Z
              @1s file.rename /srv/x -> /srv/y no-replace
              @1s file.link /srv/y -> /srv/z
              @1s file.symlink /srv/s target=z
              @1s file.unlink /srv/z
              @1s file.mkdir /srv/1/2/3 parents
              @1s file.rmdir /srv/1/2/3
              @1s file.rm /srv/1
              @1s file.mkfifo /srv/f
              @1s file.mknod /srv/d type=block_device
              @1s file.open /srv/y as=1
              @1s file.append as=1 size=5
              @1s file.close as=1
              @1s file.mount /srv/a
              @1s file.umount /srv/a lazy
              @1s file.fail /srv/m ESTALE
              @1s file.repair /srv/m
              @1s file.burst /srv count=5 kind=churn size=1 over=1ms
              @9s stop SIGTERM

            fault
              watch.add nth=2 -> ENOSPC
              root.read file=x -> short=3

            expect
              count file.created path=/srv/y >= 1
              gap watch-queue lost=any
              never file.*

            """
        let scenario = try Scenario(parsing: Array(text.utf8), path: "x.scn")
        #expect(scenario.formatted == text)
    }

    @Test func `every line about files does what it says`() throws {
        let text = """
            scenario x v1
            config filesystem.roots=/srv
            given
              folder /srv
            when
              @0s start
              @1s file.create /srv/x size=10
              @1.1s file.write /srv/x text="abc"
              @1.2s file.rename /srv/x -> /srv/y
              @1.3s file.mkdir /srv/1/2 parents
              @1.4s file.burst /srv/1/2 count=20 over=1ms
              @1.5s file.rm /srv/1
              @5s stop SIGTERM
            expect
              count file.created == 23
              count file.renamed path=/srv/y == 1
              count file.deleted == 22
            """
        let record = ScenarioRunner.run(try scenario(text), seed: 3)
        #expect(record.failures.map(\.message) == [])
        #expect(record.skippedLineCount == 0)
    }
}
