import EventModel

/// Taking over new settings between two rounds: every event is decided by one set of them.
extension ProcessLoop {
    func adoptSettings() {
        guard let next = settingsDesk.take() else { return }
        settings.adopt(next)
        tracker.adopt(settings)
        let due = now.advanced(by: settings.sampleInterval)
        sampleDue = sampleDue.map { min($0, due) }
        polling.pace.adopt(interval: settings.pollInterval, rate: settings.pollRate, at: now)
    }
}

extension ProcessTracker {
    /// Decides anew by the rules of `settings` about every process.
    mutating func adopt(_ settings: ProcessSourceSettings) {
        self.settings = settings
        filtered.adopt(settings.rules)
        for process in table.values { process.decision = nil }
    }
}

extension ProcessSourceSettings {
    /// Takes of `next` what may change while the source runs; what was opened or sized with the rest stays.
    mutating func adopt(_ next: ProcessSourceSettings) {
        sampleInterval = next.sampleInterval
        lateReadDelay = next.lateReadDelay
        pollInterval = next.pollInterval
        pollRate = next.pollRate
        rules = next.rules
        worldWritableFolders = next.worldWritableFolders
    }
}
