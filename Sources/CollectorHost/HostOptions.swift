public import CollectorCore

/// What `collectord run` was asked to do.
public struct HostOptions: Sendable {
    /// How events are shown on standard output.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        case table, json, ocsf, none

        /// Whether a program reads it: then reports are part of the stream.
        var isForPrograms: Bool { self == .json || self == .ocsf }
    }

    /// `nil`: a table on a terminal, none otherwise.
    public var format: Format?
    /// Stops by itself after this time; `nil` runs until a signal.
    public var duration: Duration?
    /// `KEY=VALUE`, in order; later ones win.
    public var assignments: [String]
    /// A file of settings that stands for all others; `nil` for the usual ones.
    public var configurationFile: String?
    /// Whether the environment asks for plain text (`NO_COLOR`).
    public var isColourDisabled: Bool
    /// Sources beside the collector's own.
    public var sources: [SourceDefinition]

    public init(
        format: Format?, duration: Duration?, assignments: [String], configurationFile: String? = nil,
        isColourDisabled: Bool, sources: [SourceDefinition] = []
    ) {
        self.sources = sources
        self.configurationFile = configurationFile
        self.format = format
        self.duration = duration
        self.assignments = assignments
        self.isColourDisabled = isColourDisabled
    }
}
