/// What a source, or a whole collector, is able to observe.
///
/// Bit values and labels are those of the specification's `SourceCaps`; unknown bits survive a round trip.
public struct SourceCapabilities: OptionSet, Hashable, Sendable {
    /// The bits.
    public var rawValue: UInt32

    /// Takes bits as they are, unknown ones included.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Processes.
    public static let process = SourceCapabilities(rawValue: 1)
    /// Sockets and connections.
    public static let network = SourceCapabilities(rawValue: 2)
    /// Files.
    public static let filesystem = SourceCapabilities(rawValue: 4)
    /// Measurements.
    public static let performance = SourceCapabilities(rawValue: 8)
    /// Delivery within milliseconds of the fact.
    public static let realtime = SourceCapabilities(rawValue: 16)
    /// Facts come from the kernel itself, not from polling.
    public static let kernelLevel = SourceCapabilities(rawValue: 32)
    /// The whole machine is seen, not a container or a user.
    public static let systemWide = SourceCapabilities(rawValue: 64)

    /// Labels of the set bits, in the order of their values; unknown bits as `bit<n>`.
    public var labels: [String] {
        let names = ["process", "network", "filesystem", "performance", "realtime", "kernel", "system-wide"]
        return (0..<32).filter { rawValue & (1 << UInt32($0)) != 0 }.map {
            $0 < names.count ? names[$0] : "bit\($0)"
        }
    }
}
