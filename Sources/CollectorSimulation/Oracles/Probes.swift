import CollectorCore
import EventModel
import SimulatedBackends

/// Which rare situations a run has met.
package enum Probes {
    /// Names from ``names``, in their order.
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
        return worldNames.filter(hit.contains) + ProbeHits.all.map(\.rawValue)
    }

    /// What shows in the evidence of any build.
    static let worldNames = [
        "pid-reuse", "same-tick-reuse", "netlink-overflow", "resync", "vanished-before-read",
        "reused-while-reading",
        "exec-by-thread", "zombie-leader", "forged-sender", "clock-stepped", "suspended", "hidden-process",
        "escaped-text", "subscriber-dropped", "buffer-dropped", "not-running-gap",
    ]

    /// All names, in the order of reports: first what happens to the world, then what the product's code meets.
    package static let names = worldNames + Probe.allCases.map(\.rawValue)

    /// Whether this build can tell whether a probe was hit.
    static func isWatched(_ name: String) -> Bool { Probe.isWatched || worldNames.contains(name) }

    static var isWatchingProduct: Bool { Probe.isWatched }

    /// Why a probe need not be hit; `nil` for one that must.
    package static func rarity(of name: String) -> String? {
        // The same situation, seen from outside.
        let probe = name == "buffer-dropped" ? .bufferDroppedOldest : Probe(rawValue: name)
        return probe.flatMap(\.rarity)
    }

    /// A scan after the baseline.
    private static func hasResync(_ run: CollectorRun, _ evidence: Evidence) -> Bool {
        evidence.recording.scans.contains { scan in
            run.ready.map { scan > $0 } ?? false && run.ended.map { scan < $0 } ?? true
        }
    }

    private static func hasSameTickReuse(_ truth: TruthLog) -> Bool {
        // A pid that nobody had before cannot tie.
        guard truth.incarnations.contains(where: { $0.ordinal > 1 }) else { return false }
        var seen: Set<Birth> = []
        return truth.incarnations.contains { incarnation in
            !seen.insert(Birth(pid: incarnation.pid, startTicks: incarnation.startTicks)).inserted
        }
    }

    private struct Birth: Hashable {
        var pid: ProcessID
        var startTicks: UInt64
    }
}
