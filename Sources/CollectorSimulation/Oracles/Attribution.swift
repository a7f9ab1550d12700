import EventModel
import SimulatedBackends

/// Which message each emitted event stands for, and which incarnation each process event is about.
///
/// Made once per run of the collector; oracles read it.
struct Attribution {
    /// One process event of the stream; a class, because oracles pass many of them around.
    final class Entry {
        let event: Event
        let process: ProcessEvent
        let delivered: Instant
        /// Index of the message in the truth log; `nil` for events that stand for none, and for inventions.
        let message: Int?
        /// By the message if there is one, else by the identity's own evidence.
        let incarnation: IncarnationID?
        let claim: TruthIndex.Claim

        init(
            event: Event, process: ProcessEvent, delivered: Instant, message: Int?, isPolling: Bool,
            formerBearer: IncarnationID?, index: TruthIndex
        ) {
            self.event = event
            self.process = process
            self.delivered = delivered
            self.message = message
            claim = index.claim(of: process.identity)
            incarnation =
                if let message {
                    index.truth.messages[message].subject
                } else {
                    switch claim {
                    case .incarnation(let id): id
                    // Start times tie, and there is no inode: what was read was read of whoever lived then. An end that a
                    // look has found is that of whom the identity was taken for, though another has the pid by now.
                    case .ambiguous where isPolling:
                        (event.kind == .processExit ? formerBearer : nil)
                            ?? index.bearer(of: process.identity, at: event.monotonic)
                    case .ambiguous: index.incarnation(of: process.pid, at: event.monotonic)
                    case .none: nil
                    }
                }
        }
    }

    private(set) var entries: [Entry] = []

    init(_ run: CollectorRun, index: TruthIndex) {
        var isUsed = Array(repeating: false, count: index.truth.messages.count)
        entries.reserveCapacity(run.stream.count)
        var bearers: [ProcessIdentity: IncarnationID] = [:]
        for item in run.stream {
            guard case .event(let event) = item.content, case .process(let process) = event.subject else {
                continue
            }
            var message: Int?
            if event.origin == .emitted {
                message = index.candidate(for: event, pid: process.pid) { !isUsed[$0] }
                if let message { isUsed[message] = true }
            }
            let entry = Entry(
                event: event, process: process, delivered: item.delivered, message: message,
                isPolling: run.isPolling, formerBearer: bearers[process.identity], index: index)
            if run.isPolling { bearers[process.identity] = entry.incarnation }
            entries.append(entry)
        }
    }
}
