/// What a seed is made of, before anything happens in it.
struct SwarmPlan: Sendable {
    struct ChosenSetting: Sendable {
        var directive: String
        var key: String
        var text: String
    }

    struct ChosenFeature: Sendable {
        var feature: SwarmProfile.Feature
        /// How often it occurs, beside the others.
        var weight: UInt64
        /// How often it may still occur.
        var remaining: Int64
    }

    private(set) var features: [ChosenFeature] = []
    private(set) var settings: [ChosenSetting] = []
    private(set) var schedule = "random"
    /// Indices of the profile's fault lines.
    private(set) var faults: [Int] = []
    /// Whether faults stop and the world rests before the end.
    private(set) var heals = false
    /// From the last thing that happens to the stop.
    private(set) var rest: Int64 = 0
    private(set) var simulated: Int64

    /// The order of the draws is the order in which a tape is best made simpler: what is left out first.
    init(_ profile: SwarmProfile, from tape: inout ChoiceTape) {
        simulated = profile.length.simulated.draw("length", for: .plan, from: &tape) / 1_000 * 1_000
        chooseFeatures(profile, from: &tape)
        choosePhase(profile.phase, from: &tape)
        chooseFaults(profile, from: &tape)
        for setting in profile.settings {
            let purpose: ChoiceTape.Purpose = setting.directive == "config" ? .knob : .world
            let text = setting.value.drawText("setting", for: purpose, from: &tape)
            guard text != SwarmProfile.standard else { continue }
            settings.append(ChosenSetting(directive: setting.directive, key: setting.key, text: text))
        }
        switch tape.weighted("schedule", profile.schedule.weights, for: .sched) {
        case 0: schedule = "fifo"
        case 1: schedule = "random"
        default: schedule = "pct:\(profile.schedule.depth.draw("depth", for: .sched, from: &tape))"
        }
    }

    private mutating func chooseFeatures(_ profile: SwarmProfile, from tape: inout ChoiceTape) {
        let share = profile.omission.share.draw("omitted share", for: .plan, from: &tape)
        var kept = profile.features.map { _ in !tape.happens("omit", millionths: share, for: .plan) }
        let minimum = min(profile.omission.minimum, kept.count)
        while kept.count(where: { $0 }) < minimum {
            let start = tape.index("keep", of: kept.count, for: .plan)
            let order = (0..<kept.count).map { (start + $0) % kept.count }
            if let index = order.first(where: { !kept[$0] }) { kept[index] = true }
        }
        for (feature, isKept) in zip(profile.features, kept) {
            // Drawn for all, so that leaving one out moves no other.
            let weight = feature[.weight].draw("weight", for: .plan, from: &tape)
            let most = feature[.most].draw("most", for: .plan, from: &tape)
            guard isKept else { continue }
            features.append(
                ChosenFeature(feature: feature, weight: UInt64(clamping: weight), remaining: most))
        }
    }

    private mutating func choosePhase(_ phase: SwarmProfile.Phase, from tape: inout ChoiceTape) {
        heals = tape.weighted("phase", phase.weights, for: .plan) == 1
        let healing = phase.rest.draw("rest", for: .plan, from: &tape)
        let moment = tape.uniform("moment", in: 0...1_900_000_000, for: .plan)
        // In whole microseconds, so that the file can be read; and most of the time something has to happen.
        rest = min(heals ? healing : moment, simulated / 4 * 3) / 1_000 * 1_000
    }

    private mutating func chooseFaults(_ profile: SwarmProfile, from tape: inout ChoiceTape) {
        guard tape.happens("faults", millionths: profile.faultRule.run, for: .fault) else { return }
        let share = profile.faultRule.activate.draw("activate", for: .fault, from: &tape)
        faults = profile.faults.indices.filter { _ in
            tape.happens("fault", millionths: share, for: .fault)
        }
    }

    mutating func use(_ index: Int) { features[index].remaining -= 1 }

    /// The number that a setting has, if the profile sets it.
    func number(_ directive: String, _ key: String) -> Int64? {
        settings.first { $0.directive == directive && $0.key == key }
            .flatMap { Quantity.integer($0.text) }.flatMap { Int64(exactly: $0) }
    }
}
