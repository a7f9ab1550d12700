import CollectorCore
import EventModel
import SimulatedBackends

/// Which rare situations a run has met.
enum Probes {
    /// Names from ``ExpectLine/probes``, in their order.
    static func hit(in evidence: Evidence) -> [String] {
        let truth = evidence.index.truth
        var hit = evidence.recording.probes
        if truth.incarnations.contains(where: { $0.ordinal > 1 }) { hit.insert("pid-reuse") }
        if hasSameTickReuse(truth) { hit.insert("same-tick-reuse") }
        if truth.count(of: .lost) > 0 { hit.insert("netlink-overflow") }
        if evidence.configuration.hidepid != .off { hit.insert("hidden-process") }
        for (run, attribution) in evidence.runs {
            if run.gaps.contains(where: { $0.cause == .kernelOverflow }), hasResync(run, evidence) {
                hit.insert("resync")
            }
            if run.gaps.contains(where: { $0.cause == .notRunning }) { hit.insert("not-running-gap") }
            if run.report?.accounts.streams.contains(where: { $0.dropped.total > 0 }) == true {
                hit.insert("subscriber-dropped")
            }
            if run.report?.accounts.sources.contains(where: { $0.dropped.total > 0 }) == true {
                hit.insert("buffer-dropped")
            }
            for entry in attribution.entries {
                if !entry.event.escaped.isEmpty { hit.insert("escaped-text") }
                guard case .unknown(let reason) = entry.process.provenance.exe else { continue }
                if reason == .vanished { hit.insert("vanished-before-read") }
                if reason == .reused { hit.insert("reused-while-reading") }
            }
        }
        return ExpectLine.probes.filter(hit.contains)
    }

    /// A scan after the baseline.
    private static func hasResync(_ run: CollectorRun, _ evidence: Evidence) -> Bool {
        evidence.recording.scans.contains { scan in
            run.ready.map { scan > $0 } ?? false && run.ended.map { scan < $0 } ?? true
        }
    }

    private static func hasSameTickReuse(_ truth: TruthLog) -> Bool {
        var seen: Set<[UInt64]> = []
        return truth.incarnations.contains { incarnation in
            !seen.insert([UInt64(bitPattern: Int64(incarnation.pid.rawValue)), incarnation.startTicks])
                .inserted
        }
    }
}
