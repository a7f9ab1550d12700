/// A swarm profile: what random scenarios are made of.
///
/// Every seed draws its own part of the features, then how often each occurs, then everything else: a mix that leaves much
/// out finds more than one that always holds everything (Groce et al., "Swarm testing", 2012).
package struct SwarmProfile: Hashable, Sendable {
    /// The file's name as the caller gave it.
    package var path: String
    package var name: String
    /// The text as lines: what `fmt` prints.
    package var document: SceneDocument
    package var length = Length()
    package var omission = Omission()
    package var schedule = Schedule()
    package var faultRule = FaultRule()
    package var phase = Phase()
    /// Keys of `host`, `limit` and `config` lines, in their order.
    package var settings: [Setting] = []
    package var features: [Feature] = []
    package var faults: [Fault] = []
    /// Probes that a campaign must hit, and within how many seeds.
    package var required = Requirement()

    /// How much happens.
    package struct Length: Hashable, Sendable {
        /// Virtual time from the start of the collector to its stop, in nanoseconds.
        package var simulated = NumberDistribution(60_000_000_000)
        /// Things that happen, beside the load.
        package var steps = NumberDistribution(ranges: [.init(range: 100...300, shape: .uniform)])
        /// Processes that are there at the beginning.
        package var processes = NumberDistribution(20)
        /// Short lives in a million seconds, as a steady load below everything else.
        package var forks = NumberDistribution(0)
        /// Share of steps, in millionths, that happen with the one before or directly after it.
        package var clump = NumberDistribution(300_000)
    }

    /// How many features a seed leaves out.
    package struct Omission: Hashable, Sendable {
        /// The share, in millionths; drawn once for each seed.
        package var share = NumberDistribution(0)
        package var minimum = 1
    }

    /// How often each way of scheduling is taken.
    package struct Schedule: Hashable, Sendable {
        package var weights: [UInt64] = [0, 1, 0]
        /// Number of priority changes of `pct`.
        package var depth = NumberDistribution(ranges: [.init(range: 1...5, shape: .uniform)])
    }

    /// Which seeds have faults, and how many.
    package struct FaultRule: Hashable, Sendable {
        /// The share of seeds with faults, in millionths.
        package var run: Int64 = 0
        /// The share of the profile's fault lines that such a seed has; drawn once for each seed.
        package var activate = NumberDistribution(250_000)
    }

    /// How a seed ends.
    package struct Phase: Hashable, Sendable {
        /// Weights of the two ways: faults until the end; or faults stop, the world rests, and everything must come right.
        package var weights: [UInt64] = [1, 1]
        /// How long the world rests in the second one.
        package var rest = NumberDistribution(ranges: [
            .init(range: 3_000_000_000...10_000_000_000, shape: .uniform)
        ])
    }

    /// One key of a `host`, `limit` or `config` line and where its value comes from.
    package struct Setting: Hashable, Sendable {
        package var directive: String
        package var key: String
        /// The text `default` leaves the key out.
        package var value: Distribution
    }

    package struct Feature: Hashable, Sendable {
        package var feature: SwarmFeature
        /// One for each of ``SwarmFeature/Parameter``, in its order.
        package var parameters: [NumberDistribution]

        package subscript(parameter: SwarmFeature.Parameter) -> NumberDistribution {
            parameters[parameter.index]
        }
    }

    /// One kind of fault.
    package struct Fault: Hashable, Sendable {
        package var operation: String
        /// Keys of the fault line, such as `file` and `p`, in their order.
        package var keys: [Setting]
        /// What follows the arrow: a word, or one key such as `stall`.
        package var behaviour: Setting
    }

    package struct Requirement: Hashable, Sendable {
        package var probes: [String] = []
        package var seedCount = 2_000
    }

    /// Parses a profile.
    ///
    /// Total: any bytes give a profile or an error with its place.
    ///
    /// - Parameter path: The file's name for messages.
    package init(parsing bytes: [UInt8], path: String) throws(ScenarioError) {
        let document = try SceneDocument(parsing: bytes, path: path, grammar: .swarm)
        try self.init(document, path: path)
    }

    /// The canonical text.
    package var formatted: String { document.print() }
}

extension SceneGrammar {
    /// Swarm profiles: directives only.
    package static let swarm = SceneGrammar(kind: "swarm", version: 1, sections: [])
}

extension SwarmFeature.Parameter {
    /// Position among all parameters.
    var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
