package import CollectorCore
package import WireMessages

/// Knows the settings, for those who ask at the control socket.
package protocol SettingsKeeper: Sendable {
    /// As they are in force.
    var settings: WireSettings { get }

    /// Reads them anew and brings them into force, or with `isCheck` only says what that would do.
    ///
    /// - Throws: ``TaskError``: `exhausted` while another one is under way, `unsupported` where they never change.
    func reload(isCheck: Bool) async throws(TaskError) -> WireReloaded
}

/// Settings that never change.
package struct FixedSettings: SettingsKeeper {
    package let settings: WireSettings

    package init(_ settings: WireSettings) { self.settings = settings }

    package func reload(isCheck: Bool) async throws(TaskError) -> WireReloaded {
        throw TaskError(.unsupported, "the settings of this collector never change while it runs")
    }
}

extension WireReloaded {
    /// The message of a report.
    package init(_ report: ConfigurationReport) {
        self.init()
        generation = report.generation
        changed = report.changed
        pending = report.pending
        problems = report.problems
    }
}
