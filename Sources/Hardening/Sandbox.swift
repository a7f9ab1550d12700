/// What a process leaves itself once everything is open.
package struct Sandbox: Hashable, Sendable {
    /// The capabilities that are kept, as far as there are any.
    package var capabilities: CapabilitySet
    /// What happens to calls outside of ``SyscallPolicy/collector``; `nil` installs no filter.
    package var filter: SeccompFilter.Action?

    package init(capabilities: CapabilitySet, filter: SeccompFilter.Action?) {
        self.capabilities = capabilities
        self.filter = filter
    }

    /// Enters it with the only thread of the process, for good.
    ///
    /// - Throws: `EBUSY` when other threads exist, which would keep everything; or the step that failed, after which the
    ///   process must not go on.
    package func enter() throws(HardeningError) {
        try PrivilegeReduction.requireSingleThread()
        try enterThread()
    }

    /// Enters it with the calling thread; all threads get the filter, and none can be looked into any more.
    package func enterThread() throws(HardeningError) {
        try PrivilegeReduction.reduceThread(keeping: capabilities, account: nil)
        try PrivilegeReduction.setNonDumpable()
        if let filter { _ = try SeccompFilter.install(.collector, action: filter) }
    }
}
