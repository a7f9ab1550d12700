/// The properties that every run is checked for, by the names that reports and `waive` use.
public enum OracleName: String, Hashable, Sendable, CaseIterable {
    /// Both accounts hold, and `kernel` and `lost` equal the truth exactly.
    case accounts
    /// No two incarnations share an identity, no attribute of one appears on another, and no CPID is wrong.
    case identity
    /// Per incarnation fork before exec before exit, per processor the kernel's order, and event ids that ascend.
    case order
    /// Each emitted event stands for one message that the kernel really made.
    case noInvention = "no-invention"
    /// Every loss lies within a gap record, and no gap record is without a loss.
    case gaps
    /// Once the world rests, what the events say about which processes live equals the truth.
    case convergence
    /// Once the world rests, what the events say about which files there are and how they are equals the truth.
    case fileIndex = "file-index"
    /// Per path created before modified before deleted, nothing outside the roots, and no digest of what never was.
    case fileOrder = "file-order"
    /// Nothing is read that is outside the roots, or not a regular file.
    case containment
    /// No secret that was planted in a command line is in anything that the collector puts out.
    case redaction
    /// Queues and open files stay within their bounds.
    case bounds
    /// The collector ends within its time-out, from whatever state it was in.
    case shutdown
    /// No deadlock and no livelock.
    case progress
    /// The scenario's own expectations.
    case expectations
    /// Two runs in separate processes are equal step by step.
    case determinism
}
