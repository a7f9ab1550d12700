import CollectorCore
import CollectorSimulation
import EventModel
import Testing

/// Runs without the connector, spoilt in one way at a time: the oracle that is there for it must notice.
@Suite struct `oracles of polling notice` {
    private static let text = """
        scenario polling v1
        host connector=silent
        given
          proc 77 /usr/bin/bash ppid=1 uid=1000
        when
          @0s start
          @2.4s burst fork+exit 77 x30 over=100ms
          @3.4s fork 77 -> 412
          @5.4s exit 412 code=3
          @5.5s reap 412
          @9s stop SIGTERM
        """

    private func failures(_ change: (inout CollectorRun) -> Void) throws -> Set<OracleName> {
        let evidence = ScenarioRunner.simulate(try scenario(Self.text), seed: 1)
        try #require(Oracles.check(evidence).isEmpty)
        let spoilt = evidence.changing { change(&$0.runs[0]) }
        return Set(Oracles.check(spoilt).map(\.oracle))
    }

    private func setBound(_ most: UInt64?, in run: inout CollectorRun) {
        guard var report = run.report,
            let index = report.accounts.sources.firstIndex(where: { $0.source == .process })
        else { return }
        report.accounts.sources[index].lostBounds.atMost = most
        run.report = report
    }

    @Test func `a bound that is too low`() throws {
        #expect(try failures { setBound(29, in: &$0) }.contains(.accounts))
    }

    @Test func `a bound that the kernel's count excludes`() throws {
        #expect(try failures { setBound(1_000, in: &$0) }.contains(.accounts))
    }

    @Test func `a gap record that is missing`() throws {
        let found = try failures { run in
            run.stream.removeAll { item in
                if case .gap(let gap) = item.content { gap.cause == .betweenPolls } else { false }
            }
        }
        #expect(found == [.gaps])
    }

    @Test func `messages that nobody can have read`() throws {
        let found = try failures { run in
            guard var report = run.report else { return }
            report.accounts.sources[0].kernel = 1
            report.accounts.sources[0].filtered.add(1, to: "thread")
            run.report = report
        }
        #expect(found.contains(.accounts))
    }

    @Test func `an end that is not told`() throws {
        let found = try failures { run in
            run.stream.removeAll { item in
                guard case .event(let event) = item.content else { return false }
                return event.kind == .processExit && event.subject.pid == ProcessID(412)
            }
        }
        #expect(found.contains(.convergence))
    }
}
