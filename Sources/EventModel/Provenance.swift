/// How a field of an event was learnt.
///
/// Ordered by strength of evidence, strongest first; consumers that need proof take `kernelMessage` and
/// `verified`.
@frozen
public enum Provenance: Hashable, Sendable {
    /// The field was not looked for in this event.
    case absent
    /// Carried by the kernel's own message.
    case kernelMessage
    /// Read from the kernel, and proven to belong to this very incarnation.
    case verified
    /// Taken from the parent at fork; correct unless the process changed it without a message.
    case inherited
    /// Read after the fact: the process may have changed the value between the event and the read.
    case lateRead
    /// Not known, and why.
    case unknown(UnknownReason)

    /// The name in JSON: `kernel`, `verified`, `inherited`, `late`, `unknown:<reason>`; `nil` when absent.
    public var label: String? {
        switch self {
        case .absent: nil
        case .kernelMessage: "kernel"
        case .verified: "verified"
        case .inherited: "inherited"
        case .lateRead: "late"
        case .unknown(let reason): "unknown:\(reason.rawValue)"
        }
    }
}

/// Why a field is unknown.
public enum UnknownReason: String, Hashable, Sendable, CaseIterable {
    /// The process was gone before it could be read: the normal end of a short life.
    case vanished
    /// The pid already belonged to another incarnation.
    case reused
    /// It is read once the process has lived for a while, because it is dear.
    case notReadYet = "not_read_yet"
    /// The process had already executed something else, so what was read is of that.
    case superseded
    /// Access was refused (hidepid, another user namespace, a missing capability).
    case denied
    /// The kernel has no such file or field.
    case unsupported
    /// The kernel's text did not match its documentation.
    case malformed
    /// The read failed with another error.
    case failed
    /// Kernel messages were lost, so the value may be out of date.
    case gap
}
