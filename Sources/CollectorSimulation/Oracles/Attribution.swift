import EventModel
import SimulatedBackends

/// Which message each emitted event stands for, and which incarnation each process event is about.
///
/// Made once per run of the collector; oracles read it.
struct Attribution {
    /// One process event of the stream.
    struct Entry {
        var event: Event
        var process: ProcessEvent
        var delivered: Instant
        /// Index of the message in the truth log; `nil` for events that stand for none, and for inventions.
        var message: Int?
        /// By the message if there is one, else by the identity's own evidence.
        var incarnation: IncarnationID?
        var claim: TruthIndex.Claim
    }

    private(set) var entries: [Entry] = []

    init(_ run: CollectorRun, index: TruthIndex) {
        var used: Set<Int> = []
        for (event, delivered) in run.events {
            guard case .process(let process) = event.subject else { continue }
            var entry = Entry(
                event: event, process: process, delivered: delivered, message: nil, incarnation: nil,
                claim: index.claim(of: process.identity))
            if event.origin == .emitted {
                entry.message = index.candidates(for: event, pid: process.pid).first { !used.contains($0) }
                if let message = entry.message { used.insert(message) }
                entry.incarnation = entry.message.map { index.truth.messages[$0].subject }
            }
            if entry.incarnation == nil {
                switch entry.claim {
                case .incarnation(let id): entry.incarnation = id
                // Start times tie, and there is no inode: what was read was read of whoever lived then.
                case .ambiguous: entry.incarnation = index.incarnation(of: process.pid, at: event.monotonic)
                case .none: break
                }
            }
            entries.append(entry)
        }
    }
}
