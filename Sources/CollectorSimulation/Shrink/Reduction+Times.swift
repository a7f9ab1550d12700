// Rounder times, closer together.

extension Reduction {
    /// Steps between one time and the next, the most readable first.
    private static let steps: [Int64] = [
        1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000,
    ]

    /// Puts the lines of `when` at even steps if that works; otherwise makes one distance after the other rounder.
    func simplifyTimes() throws(WorkerError) {
        try sortWhen()
        let times = best.whenTimes
        guard !times.isEmpty else { return }
        for step in Self.steps {
            let map = Dictionary(
                uniqueKeysWithValues: times.enumerated().map { ($0.element, Int64($0.offset) * step) })
            let isEven = times.allSatisfy { map[$0] == $0 }
            if isEven { return }
            if try accept(best.mappingTimes { map[$0] ?? $0 }) { return }
        }
        for place in times.indices {
            guard !isOver else { return }
            try simplifyDistance(before: place)
        }
    }

    /// In a file lines stand in the order in which they happen.
    private func sortWhen() throws(WorkerError) {
        guard let section = best.sections.firstIndex(where: { $0.name == "when" }) else { return }
        var document = best
        document.sections[section].lines = best.sections[section].lines.enumerated().sorted {
            ($0.element.time ?? 0, $0.offset) < ($1.element.time ?? 0, $1.offset)
        }.map(\.element)
        try accept(document)
    }

    /// Moves everything from one time on closer to the time before it.
    private func simplifyDistance(before place: Int) throws(WorkerError) {
        let times = best.whenTimes
        guard times.indices.contains(place) else { return }
        let time = times[place]
        let previous = place == 0 ? 0 : times[place - 1]
        let distance = time - previous
        guard distance > 0, !(place > 0 && Self.steps.contains(distance)) else { return }
        let rounder = ([0] + Self.steps + [distance.leadingDigit]).filter { $0 < distance }
        try acceptFirst(
            of: rounder.map { shorter in
                best.mappingTimes { $0 >= time ? $0 - (distance - shorter) : $0 }
            })
    }
}

extension SceneDocument {
    /// The times of `when`, each once, ascending.
    fileprivate var whenTimes: [Int64] {
        let lines = sections.first { $0.name == "when" }?.lines ?? []
        return Set(lines.compactMap(\.time)).sorted()
    }

    fileprivate func mappingTimes(_ map: (Int64) -> Int64) -> SceneDocument {
        var document = self
        for section in sections.indices where sections[section].name == "when" {
            for index in sections[section].lines.indices {
                var tokens = sections[section].lines[index].tokens
                guard case .time(let time)? = tokens.first?.kind else { continue }
                tokens[0].kind = .time(map(time))
                document.sections[section].lines[index].content = .tokens(tokens)
            }
        }
        return document
    }
}

extension Int64 {
    /// The number with all digits but the first replaced by 0.
    var leadingDigit: Int64 {
        var power: Int64 = 1
        while self / power >= 10 { power *= 10 }
        return self / power * power
    }
}
