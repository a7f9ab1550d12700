import HostSources

extension ProcessTracker {
    /// Handles a round whose readings are given by the index of their message.
    mutating func process(_ round: Round, readings: [Int: ProcessReading]) {
        let inOrder = readings.sorted { $0.key < $1.key }
        process(round, readings: inOrder.map { ExecReading(index: $0.key, reading: $0.value) })
    }
}
