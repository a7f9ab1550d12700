/// A socket or connection as one event saw it.
public struct NetworkEvent: Hashable, Sendable {
    public var connectionID: String
    public var source: SocketAddress
    public var destination: SocketAddress
    public var protocolName: TransportProtocol
    public var state: ConnectionState
    public var pid: ProcessID?
    public var sentByteCount: UInt64
    public var receivedByteCount: UInt64

    public init(
        connectionID: String, source: SocketAddress, destination: SocketAddress,
        protocolName: TransportProtocol, state: ConnectionState, pid: ProcessID?,
        sentByteCount: UInt64, receivedByteCount: UInt64
    ) {
        self.connectionID = connectionID
        self.source = source
        self.destination = destination
        self.protocolName = protocolName
        self.state = state
        self.pid = pid
        self.sentByteCount = sentByteCount
        self.receivedByteCount = receivedByteCount
    }
}

/// An IP address in text form (RFC 5952) and a port.
public struct SocketAddress: Hashable, Sendable {
    public var address: String
    public var port: UInt16

    public init(address: String, port: UInt16) {
        self.address = address
        self.port = port
    }
}

public enum TransportProtocol: String, Hashable, Sendable, CaseIterable {
    case tcp, udp, unix
}

/// TCP states as `ss(8)` names them.
public enum ConnectionState: String, Hashable, Sendable, CaseIterable {
    case established = "ESTAB"
    case synSent = "SYN-SENT"
    case synReceived = "SYN-RECV"
    case finWait1 = "FIN-WAIT-1"
    case finWait2 = "FIN-WAIT-2"
    case timeWait = "TIME-WAIT"
    case closed = "UNCONN"
    case closeWait = "CLOSE-WAIT"
    case lastAck = "LAST-ACK"
    case listening = "LISTEN"
    case closing = "CLOSING"
}

/// A change to a file.
public struct FilesystemEvent: Hashable, Sendable {
    public var path: String
    /// The path before a rename.
    public var previousPath: String?
    public var operation: FileOperation
    public var pid: ProcessID?
    /// Size in bytes.
    public var size: UInt64?
    /// Permission bits, 0 ... 0o7777.
    public var permissions: UInt16?
    public var uid: UserID?
    public var fileHash: String?
    public var hashAlgorithm: HashAlgorithm?

    public init(path: String, operation: FileOperation) {
        self.path = path
        self.operation = operation
    }
}

public enum FileOperation: String, Hashable, Sendable, CaseIterable {
    case baseline, created, modified, attributes, renamed, deleted
}

/// One measurement.
public struct PerformanceEvent: Hashable, Sendable {
    /// OpenTelemetry name, such as `process.cpu.time`.
    public var metricName: String
    public var value: Double
    /// UCUM unit, such as `By`, `s` or `1`.
    public var unit: String
    public var pid: ProcessID?
    public var component: String

    public init(metricName: String, value: Double, unit: String, pid: ProcessID?, component: String) {
        self.metricName = metricName
        self.value = value
        self.unit = unit
        self.pid = pid
        self.component = component
    }
}

/// A request that an analysis be made of a process or a file.
public struct TriggerRequest: Hashable, Sendable {
    public var triggerID: String
    public var targetCollector: String
    public var analysisType: AnalysisType
    public var priority: TriggerPriority
    public var targetPID: ProcessID?
    public var targetPath: String?
    public var correlationID: String
    /// At most ``Limits/triggerMetadataCount`` entries, sorted by key.
    public var metadata: [(key: String, value: String)] {
        get { metadataKeys.indices.map { (metadataKeys[$0], metadataValues[$0]) } }
        set {
            let sorted = newValue.sorted { $0.key < $1.key }
            metadataKeys = sorted.map(\.key)
            metadataValues = sorted.map(\.value)
        }
    }
    private var metadataKeys: [String] = []
    private var metadataValues: [String] = []

    /// - Throws: ``InvalidTriggerRequest`` when an id is empty or neither a pid nor a path is given.
    public init(
        triggerID: String, targetCollector: String, analysisType: AnalysisType, priority: TriggerPriority,
        targetPID: ProcessID?, targetPath: String?, correlationID: String, metadata: [(key: String, value: String)]
    ) throws(InvalidTriggerRequest) {
        guard !triggerID.isEmpty else { throw InvalidTriggerRequest(field: "trigger_id", expected: "a name") }
        guard !targetCollector.isEmpty else {
            throw InvalidTriggerRequest(field: "target_collector", expected: "a name")
        }
        guard !correlationID.isEmpty else { throw InvalidTriggerRequest(field: "correlation_id", expected: "an id") }
        guard targetPID != nil || targetPath != nil else {
            throw InvalidTriggerRequest(field: "target_pid", expected: "a pid or a path")
        }
        guard metadata.count <= Limits.triggerMetadataCount else {
            throw InvalidTriggerRequest(
                field: "metadata", expected: "at most \(Limits.triggerMetadataCount) entries, not \(metadata.count)")
        }
        self.triggerID = triggerID
        self.targetCollector = targetCollector
        self.analysisType = analysisType
        self.priority = priority
        self.targetPID = targetPID
        self.targetPath = targetPath
        self.correlationID = correlationID
        self.metadata = metadata
    }
}

/// A trigger request that breaks one of its rules.
public struct InvalidTriggerRequest: Error, Hashable, Sendable {
    public var field: String
    public var expected: String
}

public enum AnalysisType: Hashable, Sendable {
    case binaryHash, memoryAnalysis, yaraScan, networkAnalysis, behavioralAnalysis
    case custom(String)

    public var label: String {
        switch self {
        case .binaryHash: "binary_hash"
        case .memoryAnalysis: "memory_analysis"
        case .yaraScan: "yara_scan"
        case .networkAnalysis: "network_analysis"
        case .behavioralAnalysis: "behavioral_analysis"
        case .custom(let name): name
        }
    }
}

public enum TriggerPriority: String, Hashable, Comparable, Sendable, CaseIterable {
    case low, normal, high, critical

    public static func < (a: Self, b: Self) -> Bool {
        guard let left = allCases.firstIndex(of: a), let right = allCases.firstIndex(of: b) else { return false }
        return left < right
    }
}
