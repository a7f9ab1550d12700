import Hardening

extension CollectorHost {
    /// Every system call that the daemon makes, why, and when, and what becomes of others, as tables in Markdown.
    public static var systemCalls: String { SyscallPolicy.collector.markdown }
}
