package import SimulatedBackends

package import struct SystemPackage.Errno

/// One way in which one kind of call goes wrong, to be tried on its first, second, third ... call.
package struct SweepCase: Hashable, Sendable {
    package var call: BackendOperation
    /// As a scenario's line of `fault` has it after the arrow, such as `EIO` or `short=1`.
    package var behaviour: String

    package init(_ call: BackendOperation, _ behaviour: String) {
        self.call = call
        self.behaviour = behaviour
    }

    /// The line of `fault` that strikes the n-th call.
    package func line(nth: Int) -> String { "\(call.rawValue) nth=\(nth) -> \(behaviour)" }

    /// Everything that can go wrong with the calls that are named, all calls when none is; in a fixed order.
    ///
    /// - Parameter errors: Only these errors, and no other behaviour; all when empty.
    package static func all(of calls: [BackendOperation] = [], errors: [Errno] = []) -> [SweepCase] {
        BackendOperation.allCases.flatMap { call -> [SweepCase] in
            guard calls.isEmpty || calls.contains(call) else { return [] }
            let wanted = call.errors.filter { errors.isEmpty || errors.contains($0) }
            let others = errors.isEmpty ? call.faultKinds.compactMap(\.sweepText) : []
            return (wanted.map(\.symbol) + others).map { SweepCase(call, $0) }
        }
    }
}

extension FaultKind {
    /// A quantity that hurts; `nil` for what is tried errno by errno, or has no life after it.
    fileprivate var sweepText: String? {
        switch self {
        // After a loss of power there is nobody left to check.
        case .errno, .crash: nil
        case .short: "short=1"
        case .stall: "stall=70ms"
        default: rawValue
        }
    }
}

extension Scenario {
    /// The scenario with one more line of `fault`, before all others, so that it decides.
    package func adding(fault line: String) throws(ScenarioError) -> Scenario {
        try adding(to: "fault", line)
    }

    /// The scenario with one more line at the beginning of a section.
    package func adding(to section: String, _ line: String) throws(ScenarioError) -> Scenario {
        let tokens: [SceneToken]
        do { tokens = try SceneLexer.tokens(of: Array(line.utf8)[...]) } catch {
            throw ScenarioError(path: path, position: nil, message: error.message)
        }
        var document = document
        let new = SceneLine(.tokens(tokens))
        if let index = document.sections.firstIndex(where: { $0.name == section }) {
            document.sections[index].lines.insert(new, at: 0)
        } else {
            let place = document.sections.firstIndex { $0.name == "expect" } ?? document.sections.endIndex
            document.sections.insert(SceneSection(name: section, lines: [new]), at: place)
        }
        return try Scenario(document, path: path)
    }
}
