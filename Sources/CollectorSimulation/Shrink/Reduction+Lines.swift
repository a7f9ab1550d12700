// Fewer lines.

extension Reduction {
    /// Removes what describes the scenario, and what it expects beside the failure, in one step if that works.
    func removeOrnaments() throws(WorkerError) {
        let ornaments = ["about", "seed", "schedules"]
        var document = best
        document.directives.removeAll { !$0.isMeaningful || ornaments.contains($0.verb ?? "") }
        for index in document.sections.indices {
            document.sections[index].lines.removeAll { !$0.isMeaningful }
        }
        document.sections.removeAll { $0.lines.isEmpty }
        try accept(document)
        let removable = best.units.filter { best.sectionName(of: $0) == "expect" && isRemovable($0) }
        try accept(best.removing(removable))
        for name in ["fault", "given"] {
            try accept(best.removing(best.units.filter { best.sectionName(of: $0) == name }))
        }
        try accept(
            best.removing(
                best.units.filter { if case .directive(_, let key) = $0 { key != nil } else { false } }))
    }

    /// Cuts what happens after the failure, then what happens before it matters; both by halves.
    func cutTime() throws(WorkerError) {
        try bisect { count, document in
            let when = document.whenUnits
            return document.removing(Array(when.suffix(count)))
        }
        try bisect { count, document in
            let when = document.whenUnits
            return document.removing(Array(when.prefix(count)))
        }
    }

    /// Removes as many lines of `when` from one end as possible.
    private func bisect(_ removing: (Int, SceneDocument) -> SceneDocument) throws(WorkerError) {
        let original = best
        var low = 0
        var high = original.whenUnits.count
        while low < high, !isOver {
            let middle = (low + high + 1) / 2
            if try accept(removing(middle, original)) { low = middle } else { high = middle - 1 }
        }
    }

    /// Removes all lines about a process at once.
    func removeProcesses() throws(WorkerError) {
        let document = best
        let groups = document.groups.map { $0.filter { isRemovable($0) } }.filter { !$0.isEmpty }
        let rest = Set(groups.flatMap { $0 })
        let fixed = document.units.filter { !rest.contains($0) }
        try reduce(count: groups.count) { kept in document.keeping(fixed + kept.flatMap { groups[$0] }) }
        try measure()
    }

    /// Removes single lines and keys.
    func removeLines() throws(WorkerError) {
        let document = best
        let units = document.units.filter { isRemovable($0) }
        let fixed = document.units.filter { !isRemovable($0) }
        try reduce(count: units.count) { kept in document.keeping(fixed + kept.map { units[$0] }) }
    }

    /// The line that fails stays, and so does what the scenario is allowed to break.
    private func isRemovable(_ unit: SceneUnit) -> Bool {
        guard case .line(let section, let index) = unit else { return true }
        let line = best.sections[section].lines[index]
        return line != trial.target.expectation && line.verb != "waive"
    }
}

/// Something that can be taken out of a document: a line with the output lines below it, or a key of a directive.
enum SceneUnit: Hashable {
    /// `key`: the index of the token; `nil` for a directive without keys.
    case directive(Int, key: Int?)
    case line(section: Int, index: Int)
}

extension SceneDocument {
    /// Everything that can be taken out, in the order of the file.
    var units: [SceneUnit] {
        var units: [SceneUnit] = []
        for (index, line) in directives.enumerated() {
            let keys = line.tokens.indices.filter { line.tokens[$0].isKeyed }
            units += keys.map { .directive(index, key: $0) }
            if keys.isEmpty, line.verb != "schedule" { units.append(.directive(index, key: nil)) }
        }
        for (section, content) in sections.enumerated() {
            for (index, line) in content.lines.enumerated() {
                if case .output = line.content { continue }
                units.append(.line(section: section, index: index))
            }
        }
        return units
    }

    func sectionName(of unit: SceneUnit) -> String? {
        if case .line(let section, _) = unit { sections[section].name } else { nil }
    }

    /// The lines of `when` about the world, ordered by time.
    var whenUnits: [SceneUnit] {
        var found: [(time: Int64, unit: SceneUnit)] = []
        for unit in units {
            guard case .line(let section, let index) = unit, sections[section].name == "when" else {
                continue
            }
            let line = sections[section].lines[index]
            guard let time = line.time, !["start", "stop"].contains(line.action ?? "") else { continue }
            found.append((time, unit))
        }
        return found.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element.unit)
    }

    /// Units that are about the same pid, in the order in which pids first appear; what is about none is alone.
    var groups: [[SceneUnit]] {
        var groups: [[SceneUnit]] = []
        var places: [Int32: Int] = [:]
        for unit in units {
            guard case .line(let section, let index) = unit,
                let pid = sections[section].lines[index].pid(inSection: sections[section].name)
            else {
                groups.append([unit])
                continue
            }
            if let place = places[pid] {
                groups[place].append(unit)
            } else {
                places[pid] = groups.count
                groups.append([unit])
            }
        }
        return groups
    }

    func removing(_ removed: [SceneUnit]) -> SceneDocument {
        let removed = Set(removed)
        return keeping(units.filter { !removed.contains($0) })
    }

    /// Only these units of it; sections that become empty go as well.
    func keeping(_ kept: [SceneUnit]) -> SceneDocument {
        let kept = Set(kept)
        var document = self
        document.directives = []
        for (index, line) in directives.enumerated() {
            var line = line
            let keys = line.tokens.indices.filter { line.tokens[$0].isKeyed }
            guard !keys.isEmpty else {
                let isKept = line.verb == "schedule" || kept.contains(.directive(index, key: nil))
                if isKept { document.directives.append(line) }
                continue
            }
            let remaining = keys.filter { kept.contains(.directive(index, key: $0)) }
            guard !remaining.isEmpty else { continue }
            line.content = .tokens(
                line.tokens.enumerated().filter { !$0.element.isKeyed || remaining.contains($0.offset) }
                    .map(\.element))
            document.directives.append(line)
        }
        for (section, content) in sections.enumerated() {
            var isKept = false
            document.sections[section].lines = content.lines.enumerated().filter { index, line in
                if case .output = line.content { return isKept }
                isKept = kept.contains(.line(section: section, index: index))
                return isKept
            }.map(\.element)
        }
        document.sections.removeAll { $0.lines.isEmpty }
        return document
    }
}

extension SceneToken {
    var isKeyed: Bool { if case .keyed = kind { true } else { false } }

    /// The pid of `412` or `412#2`.
    var pid: Int32? {
        guard case .value(.bare(let word)) = kind else { return nil }
        return Int32(word.prefix { $0 != "#" })
    }
}

extension SceneLine {
    var time: Int64? {
        if case .time(let nanoseconds)? = tokens.first?.kind { nanoseconds } else { nil }
    }

    /// The verb of a line with a time.
    var action: String? {
        guard tokens.count > 1, case .value(.bare(let word)) = tokens[1].kind else { return nil }
        return word
    }

    /// Whom the line is about: of a fork the child.
    func pid(inSection name: String) -> Int32? {
        switch name {
        case "given": return tokens.count > 1 ? tokens[1].pid : nil
        case "when":
            if ["burst", "ptrace", "forge"].contains(action ?? "") { return nil }
            if action == "fork" {
                let arrow = tokens.firstIndex { $0.kind == .arrow }
                return arrow.flatMap { $0 + 1 < tokens.count ? tokens[$0 + 1].pid : nil }
            }
            return tokens.dropFirst(2).lazy.compactMap(\.pid).first
        default: return nil
        }
    }
}
