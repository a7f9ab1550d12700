import EventModel

/// Values by pid: the pids of most hosts index an array, larger ones are looked up.
struct PIDTable<Value> {
    /// Pids from here on have no place in the array; a pid may be as large as 4 194 304 on a host with few processes.
    private static var denseLimit: Int { 65_536 }

    private var dense: [Value?] = []
    private var sparse: [ProcessID: Value] = [:]

    subscript(pid: ProcessID) -> Value? {
        get {
            let index = Int(pid.rawValue)
            guard index >= 0, index < dense.count else { return sparse.isEmpty ? nil : sparse[pid] }
            return dense[index]
        }
        set {
            let index = Int(pid.rawValue)
            guard index >= 0, index < Self.denseLimit else { return sparse[pid] = newValue }
            if index >= dense.count {
                if newValue == nil { return }
                let count = min(Self.denseLimit, max(index + 1, 2 * dense.count))
                dense.append(contentsOf: repeatElement(nil, count: count - dense.count))
            }
            dense[index] = newValue
        }
    }
}

extension PIDTable: Sendable where Value: Sendable {}
