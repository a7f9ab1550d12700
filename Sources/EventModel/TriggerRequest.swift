/// A request that an analysis be made of a process or a file.
///
/// Once made, it keeps its rules: names are not empty, there is a target, texts and metadata are bounded.
public struct TriggerRequest: Hashable, Sendable {
    /// The name of the trigger that asks.
    public let triggerID: String
    /// The name of the collector that is to do the analysis.
    public let targetCollector: String
    /// What is to be done.
    public let analysisType: AnalysisType
    /// How urgent it is.
    public let priority: TriggerPriority
    /// The process to analyse; a pid alone is no identity, the correlation leads to the event that has one.
    public let targetPID: ProcessID?
    /// The file to analyse.
    public let targetPath: String?
    /// Joins the request, its cause and its result.
    public let correlationID: String
    /// At most ``Limits/triggerMetadataCount`` entries, sorted by key; no key comes twice.
    public var metadata: [(key: String, value: String)] {
        metadataKeys.indices.map { (metadataKeys[$0], metadataValues[$0]) }
    }

    private let metadataKeys: [String]
    private let metadataValues: [String]

    /// Makes a request that keeps all rules.
    ///
    /// - Throws: ``InvalidTriggerRequest`` when a name is empty, neither a pid nor a path is given, a text is
    ///   longer than ``Limits/triggerTextByteCount``, metadata are too many, or a key comes twice.
    public init(
        triggerID: String, targetCollector: String, analysisType: AnalysisType, priority: TriggerPriority,
        targetPID: ProcessID?, targetPath: String?, correlationID: String,
        metadata: [(key: String, value: String)]
    ) throws(InvalidTriggerRequest) {
        guard !triggerID.isEmpty else { throw InvalidTriggerRequest(field: "trigger_id", expected: "a name") }
        guard !targetCollector.isEmpty else {
            throw InvalidTriggerRequest(field: "target_collector", expected: "a name")
        }
        guard !correlationID.isEmpty else {
            throw InvalidTriggerRequest(field: "correlation_id", expected: "an id")
        }
        guard targetPID != nil || targetPath != nil else {
            throw InvalidTriggerRequest(field: "target_pid", expected: "a pid or a path")
        }
        try Self.checkLengths([
            ("trigger_id", triggerID), ("target_collector", targetCollector),
            ("analysis_type", analysisType.label),
            ("target_path", targetPath ?? ""), ("correlation_id", correlationID),
        ])
        self.triggerID = triggerID
        self.targetCollector = targetCollector
        self.analysisType = analysisType
        self.priority = priority
        self.targetPID = targetPID
        self.targetPath = targetPath
        self.correlationID = correlationID
        let sorted = try Self.checked(metadata)
        metadataKeys = sorted.map(\.key)
        metadataValues = sorted.map(\.value)
    }

    private static func checked(
        _ metadata: [(key: String, value: String)]
    ) throws(InvalidTriggerRequest) -> [(key: String, value: String)] {
        guard metadata.count <= Limits.triggerMetadataCount else {
            throw InvalidTriggerRequest(
                field: "metadata",
                expected: "at most \(Limits.triggerMetadataCount) entries, not \(metadata.count)")
        }
        let sorted = metadata.sorted { $0.key < $1.key }
        for (entry, next) in zip(sorted, sorted.dropFirst()) where entry.key == next.key {
            throw InvalidTriggerRequest(field: "metadata", expected: "each key once")
        }
        try checkLengths(sorted.flatMap { [("metadata", $0.key), ("metadata", $0.value)] })
        return sorted
    }

    private static func checkLengths(_ texts: [(field: String, text: String)]) throws(InvalidTriggerRequest) {
        for (field, text) in texts where text.utf8.count > Limits.triggerTextByteCount {
            throw InvalidTriggerRequest(
                field: field, expected: "at most \(Limits.triggerTextByteCount) bytes, not \(text.utf8.count)"
            )
        }
    }
}

/// A trigger request that breaks one of its rules.
public struct InvalidTriggerRequest: Error, Hashable, Sendable {
    /// The name of the field, as in JSON.
    public var field: String
    /// What would have been right.
    public var expected: String
}

/// What an analysis does.
public enum AnalysisType: Hashable, Sendable {
    /// Digests of the executable.
    case binaryHash
    /// A look into the process's memory.
    case memoryAnalysis
    /// A scan with YARA rules.
    case yaraScan
    /// A look at the process's connections.
    case networkAnalysis
    /// A look at what the process does.
    case behavioralAnalysis
    /// An analysis that only its collector knows.
    case custom(String)

    /// The name in JSON; custom ones are `custom:<name>`, so that they never look like another case.
    public var label: String {
        switch self {
        case .binaryHash: "binary_hash"
        case .memoryAnalysis: "memory_analysis"
        case .yaraScan: "yara_scan"
        case .networkAnalysis: "network_analysis"
        case .behavioralAnalysis: "behavioral_analysis"
        case .custom(let name): "custom:" + name
        }
    }
}

/// How urgent a trigger request is, least first.
public enum TriggerPriority: String, Hashable, Comparable, Sendable, CaseIterable {
    /// In the order of ascending urgency.
    case low, normal, high, critical

    /// Whether `a` is less urgent than `b`.
    public static func < (a: Self, b: Self) -> Bool {
        guard let left = allCases.firstIndex(of: a), let right = allCases.firstIndex(of: b) else {
            return false
        }
        return left < right
    }
}
