import Configuration
import Hardening
import HostSources

/// What the daemon gives up once everything is open, and before its first thread starts.
///
/// Landlock is left out on purpose: a confined process may not read what `/proc` guards by ptrace access, executables and
/// namespaces of others among it, whatever its capabilities.
enum Posture {
    static func apply(_ values: SettingsValues) throws(HostError) {
        let names = values[HostSettings.capabilities]
        let kept = names.compactMap { Capability(name: $0) }.reduce(into: CapabilitySet()) {
            set, capability in
            set = set.union([capability])
        }
        let filter: SeccompFilter.Action? =
            switch values[HostSettings.seccomp] {
            case .off: nil
            case .log: .log
            case .enforce: .enforce
            }
        Hashing.prepare()
        do {
            try Sandbox(capabilities: kept, filter: filter).enter()
        } catch {
            throw HostError(.permission, "cannot give up privileges: \(error)")
        }
    }
}
