import CollectorCore
import CollectorSimulation
import EventModel
import Testing

/// A run that passes, spoilt in one way at a time: the oracle that is there for it must notice.
@Suite struct `oracles notice` {
    private static let text = """
        scenario oracles v1
        config rcvbuf=4KiB
        given
          proc 77 /usr/bin/bash ppid=1 uid=1000
        when
          @0s start
          @1s fork 77 -> 412
          @1.1s exec 412 /usr/bin/curl
          @1.2s fork 77 -> 413
          @1.3s exec 413 /usr/bin/wget
          @1.4s exec 413 /usr/bin/later
          @1.5s exit 412 code=3
          @1.5s reap 412
          @2s burst fork+exit 77 x200 over=100us
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

    /// The place of the first event of a kind about a pid.
    private func place(_ kind: EventKind, _ pid: Int32, in recording: Recording) throws -> Int {
        try #require(
            recording.runs[0].stream.firstIndex { item in
                guard case .event(let event) = item.content else { return false }
                return event.kind == kind && event.subject.pid == ProcessID(pid)
            })
    }

    private func change(
        _ kind: EventKind, _ pid: Int32, in recording: inout Recording, _ change: (inout ProcessEvent) -> Void
    ) throws {
        let index = try place(kind, pid, in: recording)
        guard case .event(var event) = recording.runs[0].stream[index].content,
            case .process(var process) = event.subject
        else { return }
        change(&process)
        event.subject = .process(process)
        recording.runs[0].stream[index].content = .event(event)
    }

    @Test func `an event that stands for no message`() throws {
        let found = try oracles { recording in
            let index = try place(.processExec, 412, in: recording)
            recording.runs[0].stream.insert(recording.runs[0].stream[index], at: index)
        }
        #expect(found.contains(.noInvention))
    }

    @Test func `a missing end`() throws {
        let found = try oracles { recording in
            recording.runs[0].stream.remove(at: try place(.processExit, 412, in: recording))
        }
        #expect(found.contains(.convergence))
        #expect(found.contains(.accounts))
    }

    @Test func `an end before the beginning`() throws {
        let found = try oracles { recording in
            let first = try place(.processExec, 412, in: recording)
            let last = try place(.processExit, 412, in: recording)
            recording.runs[0].stream.swapAt(first, last)
        }
        #expect(found.contains(.order))
    }

    @Test func `a name that belongs to another process`() throws {
        let found = try oracles { try change(.processExec, 412, in: &$0) { $0.name = "wget" } }
        #expect(found == [.identity])
    }

    @Test func `an executable that belongs to another process`() throws {
        let found = try oracles {
            try change(.processExec, 412, in: &$0) { $0.executablePath = "/usr/bin/wget" }
        }
        #expect(found == [.identity])
    }

    @Test func `a verified executable that was only run later`() throws {
        let found = try oracles { recording in
            try change(.processExec, 413, in: &recording) { $0.executablePath = "/usr/bin/later" }
        }
        #expect(found == [.identity])
    }

    @Test func `arguments that belong to another process`() throws {
        let found = try oracles {
            try change(.processExec, 412, in: &$0) { $0.commandLine = ["/usr/bin/wget"] }
        }
        #expect(found == [.identity])
    }

    @Test func `a user that the process never was`() throws {
        let found = try oracles { try change(.processBaseline, 77, in: &$0) { $0.uid = UserID(0) } }
        #expect(found == [.identity])
    }

    @Test func `the identity of another process`() throws {
        let found = try oracles { recording in
            var other: ProcessIdentity?
            try change(.processFork, 413, in: &recording) { other = $0.identity }
            let identity = try #require(other)
            try change(.processExec, 412, in: &recording) { $0.identity = identity }
        }
        #expect(found.contains(.identity))
    }

    @Test func `an identity that is the pid alone`() throws {
        let found = try oracles { recording in
            try change(.processFork, 412, in: &recording) {
                $0.identity.birth = .scan(startTicks: 0, pidFDInode: 0)
            }
        }
        #expect(found.contains(.identity))
    }

    @Test func `a wrong common process id`() throws {
        let found = try oracles { recording in
            try change(.processBaseline, 77, in: &recording) { process in
                guard let cpid = process.cpid else { return }
                process.cpid = CommonProcessID(high: cpid.high, low: cpid.low ^ 1)
            }
        }
        #expect(found == [.identity])
    }

    @Test func `a wrong exit code`() throws {
        let found = try oracles { try change(.processExit, 412, in: &$0) { $0.exit?.status = 4 } }
        #expect(found == [.identity])
    }

    private func changeAccounts(_ recording: inout Recording, _ change: (inout Accounts) -> Void) throws {
        var report = try #require(recording.runs[0].report)
        change(&report.accounts)
        recording.runs[0].report = report
    }

    @Test func `a kernel message that is not accounted for`() throws {
        let found = try oracles { try changeAccounts(&$0) { $0.sources[0].emitted -= 1 } }
        #expect(found.contains(.accounts))
    }

    @Test func `a loss that is one too small, although the account balances`() throws {
        let found = try oracles { recording in
            try changeAccounts(&recording) { accounts in
                guard let index = accounts.sources[0].processors.firstIndex(where: { $0.lost > 0 }) else {
                    return
                }
                accounts.sources[0].lost? -= 1
                accounts.sources[0].kernel -= 1
                accounts.sources[0].processors[index].lost -= 1
                accounts.sources[0].processors[index].kernel -= 1
            }
        }
        #expect(found.contains(.accounts))
        #expect(found.contains(.gaps))
    }

    @Test func `a stream that delivers more than it counts`() throws {
        let found = try oracles { try changeAccounts(&$0) { $0.streams[0].delivered -= 1 } }
        #expect(found.contains(.accounts))
    }

    @Test func `a stream that still holds events at the end`() throws {
        let found = try oracles { recording in
            try changeAccounts(&recording) {
                $0.streams[0].delivered -= 1
                $0.streams[0].inFlight = 1
            }
        }
        #expect(found.contains(.accounts))
    }

    @Test func `a loss without a gap record`() throws {
        let found = try oracles { recording in
            recording.runs[0].stream.removeAll { if case .gap = $0.content { true } else { false } }
        }
        #expect(found == [.gaps])
    }

    @Test func `a gap record without a loss`() throws {
        let found = try oracles { recording in
            let now = recording.runs[0].started
            let gap = Gap(
                source: .process, cause: .kernelOverflow, lost: 0, lostBounds: .exactly(0), from: now,
                until: now,
                time: WallTime(nanoseconds: 0), processors: [], subscriber: nil)
            recording.runs[0].stream.append(StreamItem(content: .gap(gap), delivered: now))
        }
        #expect(found == [.gaps])
    }

    @Test func `a queue that outgrew its limit`() throws {
        #expect(try oracles { $0.runs[0].peakQueueCount = 100_000 } == [.bounds])
    }

    @Test func `a stop that took too long`() throws {
        let found = try oracles { $0.runs[0].ended = $0.runs[0].stopRequested?.advanced(by: .seconds(31)) }
        #expect(found.contains(.shutdown))
    }

    @Test func `a collector that never ended`() throws {
        let found = try oracles { recording in
            recording.runs[0].report = nil
            recording.runs[0].ended = nil
        }
        #expect(found.contains(.shutdown))
    }

    @Test func `a collector that could not run`() throws {
        #expect(try oracles { $0.runs[0].failure = "no socket" }.contains(.progress))
    }
}

@Suite struct `the reference computation of common process ids` {
    @Test func `has the digests of FIPS 180-4's examples`() {
        func text(_ bytes: [UInt8]) -> String { bytes.map { hexadecimal($0) }.joined() }
        #expect(
            text(ReferenceCPID.sha256(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            text(ReferenceCPID.sha256(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)))
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    }
}
