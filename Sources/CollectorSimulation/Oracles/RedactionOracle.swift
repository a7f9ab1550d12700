import CollectorCore
import EventModel
import SimulatedBackends

/// No planted secret, and no part of one, is in anything that the collector has put out.
enum RedactionOracle {
    static func check(_ run: CollectorRun, _ evidence: Evidence) -> [Failure] {
        let index = evidence.index
        guard index.truth.incarnations.contains(where: isPlanted) else { return [] }
        var failures: [Failure] = []
        var bytes: [UInt8] = []
        for (event, delivered) in run.events {
            bytes.removeAll(keepingCapacity: true)
            let batch = EventBatch(run: run.context, source: event.source, events: [event])
            batch.appendJSON(ofEventAt: 0, to: &bytes)
            guard PlantedSecret.isIn(bytes.span) else { continue }
            failures.append(
                Failure(
                    .redaction, .safety, at: index.scenarioTime(delivered),
                    "\(event.kind.rawValue) tells a secret: \(String(decoding: bytes, as: UTF8.self))"))
            if failures.count >= Oracles.failureLimit { break }
        }
        for text in run.leakedTexts {
            failures.append(Failure(.redaction, .safety, "a record tells a secret: \(text)"))
        }
        return failures
    }

    private static func isPlanted(_ incarnation: TruthIncarnation) -> Bool {
        incarnation.changes.contains { change in
            if case .commandLine(let bytes) = change.attribute {
                PlantedSecret.isIn(bytes.span)
            } else {
                false
            }
        }
    }
}
