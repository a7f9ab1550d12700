import EventModel

/// Taking over new settings between two turns.
extension FilesystemLoop {
    func adoptSettings() {
        guard let next = settingsDesk.take() else { return }
        if next.hashByteRate != settings.hashByteRate { budget = HashBudget(byteRate: next.hashByteRate) }
        settings.adopt(next)
        tracker.settings.adopt(next)
        let due = now.advanced(by: settings.saveInterval)
        saveDue = saveDue.map { min($0, due) }
    }
}

extension FilesystemSourceSettings {
    /// Takes of `next` what may change while the source runs: what is watched stays, and so does the index.
    mutating func adopt(_ next: FilesystemSourceSettings) {
        hashes = next.hashes
        hashSizeLimit = next.hashSizeLimit
        hashByteRate = next.hashByteRate
        settleDelay = next.settleDelay
        pollInterval = next.pollInterval
        saveInterval = next.saveInterval
    }
}
