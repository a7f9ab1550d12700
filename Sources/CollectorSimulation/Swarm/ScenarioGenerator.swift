/// Makes scenarios of a profile: the same profile and seed give the same scenario.
package struct ScenarioGenerator: Sendable {
    package let profile: SwarmProfile

    package init(_ profile: SwarmProfile) { self.profile = profile }

    /// The scenario of a seed.
    ///
    /// - Throws: Only for a profile whose values cannot stand together in a scenario.
    package func scenario(seed: UInt64) throws(ScenarioError) -> Scenario {
        var tape = ChoiceTape(seed: seed, recording: false)
        return try Scenario(document(seed: seed, from: &tape), path: "\(profile.name)-\(seed).scn")
    }

    /// The lines of the scenario that the choices of the tape lead to.
    ///
    /// - Parameter seed: The one that the scenario names as its own.
    package func document(seed: UInt64, from tape: inout ChoiceTape) -> SceneDocument {
        let plan = SwarmPlan(profile, from: &tape)
        var world = WorldWriter(plan: plan, tape: tape)
        world.write(profile.length)
        tape = world.tape
        let faults = faultLines(plan, world: world, from: &tape)
        var sections = [
            SceneSection(name: "given", lines: world.given), SceneSection(name: "when", lines: world.when),
        ]
        if !faults.isEmpty { sections.append(SceneSection(name: "fault", lines: faults)) }
        let head = [SceneToken.word("scenario"), .word("\(profile.name)-\(seed)"), .word("v1")]
        return SceneDocument(
            head: SceneLine(.tokens(head)), directives: directives(plan, seed: seed), sections: sections)
    }

    private func directives(_ plan: SwarmPlan, seed: UInt64) -> [SceneLine] {
        let about = "seed \(seed) of the swarm \(profile.name), \(plan.heals ? "healed" : "not healed")"
        var lines = [
            [SceneToken.word("about"), .text(Array(about.utf8))],
            [.word("seed"), .number(seed)],
            [.word("schedule"), .word(plan.schedule)],
        ]
        for directive in ["host", "limit", "config"] {
            let chosen = plan.settings.filter { $0.directive == directive }
            guard !chosen.isEmpty else { continue }
            lines.append([.word(directive)] + chosen.map { .key($0.key, $0.text) })
        }
        return lines.map { SceneLine(.tokens($0)) }
    }

    /// The faults that the plan has chosen, from when the collector has started until the world heals.
    private func faultLines(_ plan: SwarmPlan, world: WorldWriter, from tape: inout ChoiceTape) -> [SceneLine]
    {
        plan.faults.map { index in
            let fault = profile.faults[index]
            var tokens = fault.tokens { $0.drawText("fault value", for: .fault, from: &tape) }
            let canPreventStart = Self.startOperations.contains { fault.operation.hasPrefix($0) }
            let end = canPreventStart ? min(world.faultEnd, world.firstRestart ?? .max) : world.faultEnd
            if !fault.keys.contains(where: { $0.key == "during" }) {
                let range =
                    "@\(Quantity.seconds(nanoseconds: min(Self.faultBegin, end)))..@"
                    + Quantity.seconds(nanoseconds: end)
                tokens.insert(.key("during", range), at: 1)
            }
            return SceneLine(.tokens(tokens))
        }
    }

    /// When faults begin: until then the collector has started.
    static let faultBegin: Int64 = 1_000_000_000
    /// Calls without which no collector can start: their faults end before it is started again.
    private static let startOperations = [
        "file.", "netlink.open", "netlink.rcvbuf", "netlink.send", "root.open", "watch.open",
    ]
}
