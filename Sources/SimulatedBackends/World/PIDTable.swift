import EventModel

/// Values by pid: pages of an array for the pids of most hosts, of which a run touches few; larger ones are looked up.
struct PIDTable<Value> {
    /// Pids from here on have no page; a pid may be as large as 4 194 304 on a host with few processes.
    private static var denseLimit: Int { 65_536 }
    /// A power of two.
    private static var pageCount: Int { 256 }

    /// Empty where no pid has had a value.
    private var pages: [[Value?]] = []
    private var sparse: [ProcessID: Value] = [:]

    subscript(pid: ProcessID) -> Value? {
        get {
            let number = Int(pid.rawValue)
            guard number >= 0, number < Self.denseLimit else { return sparse.isEmpty ? nil : sparse[pid] }
            let page = number / Self.pageCount
            guard page < pages.count, !pages[page].isEmpty else { return nil }
            return pages[page][number % Self.pageCount]
        }
        set {
            let number = Int(pid.rawValue)
            guard number >= 0, number < Self.denseLimit else { return sparse[pid] = newValue }
            let page = number / Self.pageCount
            if page >= pages.count || pages[page].isEmpty {
                if newValue == nil { return }
                while pages.count <= page { pages.append([]) }
                pages[page] = Array(repeating: nil, count: Self.pageCount)
            }
            pages[page][number % Self.pageCount] = newValue
        }
    }
}

extension PIDTable: Sendable where Value: Sendable {}
