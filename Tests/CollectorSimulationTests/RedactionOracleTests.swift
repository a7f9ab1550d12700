import CollectorCore
import CollectorSimulation
import EventModel
import Testing

/// A run in which no secret comes out, spoilt: the oracle must notice.
@Suite struct `planted secrets` {
    private func evidence() throws -> Evidence {
        let text = """
            scenario secrets v1
            given
              proc 77 /usr/bin/bash ppid=1
            when
              @0s start
              @1s fork 77 -> 412
              @1.1s exec 412 /usr/bin/curl argv=["curl","--token=cAnArYcAnArY"]
              @2s exit 412 code=0
              @3s stop SIGTERM
            """
        let evidence = ScenarioRunner.simulate(try scenario(text), seed: 1)
        try #require(Oracles.check(evidence).isEmpty)
        return evidence
    }

    @Test func `part of one in an event is noticed`() throws {
        let spoilt = try evidence().changing { recording in
            let stream = recording.runs[0].stream
            for (index, item) in stream.enumerated() {
                guard case .event(var event) = item.content, event.kind == .processExit,
                    case .process(var process) = event.subject
                else { continue }
                process.name = "xcAnArY"
                event.subject = .process(process)
                recording.runs[0].stream[index].content = .event(event)
            }
        }
        #expect(Oracles.check(spoilt).contains { $0.oracle == .redaction })
    }

    @Test func `one in a record is noticed`() throws {
        let spoilt = try evidence().changing { $0.runs[0].leakedTexts = ["cAnArY"] }
        #expect(Oracles.check(spoilt).map(\.oracle) == [.redaction])
    }

    @Test func `the swarm plants some in many of its seeds`() throws {
        let profile = try SwarmProfile(
            parsing: Array("swarm x v1\nfeature process.life\nfeature process.title\n".utf8), path: "x.swarm")
        let generator = ScenarioGenerator(profile)
        let planted = try (1...UInt64(20)).count { seed in
            PlantedSecret.isIn(Array(try generator.scenario(seed: seed).document.print().utf8).span)
        }
        #expect(planted >= 15)
    }
}
