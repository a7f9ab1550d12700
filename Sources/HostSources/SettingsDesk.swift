import Synchronization

/// Where other threads leave new settings for a source's loop, which takes them over between two rounds.
final class SettingsDesk<Settings: Sendable>: Sendable {
    private struct State {
        var present: Settings
        var isNew = false
    }

    private let state: Mutex<State>

    init(_ settings: Settings) { state = Mutex(State(present: settings)) }

    /// The newest settings.
    var present: Settings { state.withLock { $0.present } }

    /// Leaves new settings, in place of those that were not taken over.
    func put(_ settings: Settings) {
        state.withLock { $0 = State(present: settings, isNew: true) }
    }

    /// The newest settings, if they were not taken over yet.
    func take() -> Settings? {
        state.withLock { state in
            defer { state.isNew = false }
            return state.isNew ? state.present : nil
        }
    }
}
