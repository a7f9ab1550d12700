package import EventModel
package import WireMessages

extension WireNetworkEvent {
    /// The message of a socket or connection.
    package init(_ network: NetworkEvent) {
        self.init()
        connectionID = network.connectionID
        source = SocketAddress(network.source)
        destination = SocketAddress(network.destination)
        `protocol` = network.protocolName.rawValue
        state = network.state.rawValue
        if let pid = network.pid { self.pid = pid.wireValue }
        bytesSent = network.sentByteCount
        bytesReceived = network.receivedByteCount
    }
}

extension WireNetworkEvent.SocketAddress {
    fileprivate init(_ value: EventModel.SocketAddress) {
        self.init()
        address = value.address
        port = UInt32(value.port)
    }
}

extension NetworkEvent {
    /// Reads a socket or connection.
    package init(_ message: WireNetworkEvent) throws(MessageError) {
        guard message.hasSource else { throw MessageError(field: "source", expected: "a value") }
        guard message.hasDestination else { throw MessageError(field: "destination", expected: "a value") }
        self.init(
            connectionID: message.connectionID,
            source: SocketAddress(
                address: message.source.address, port: try number(message.source.port, "source.port")),
            destination: SocketAddress(
                address: message.destination.address,
                port: try number(message.destination.port, "destination.port")),
            protocolName: try named(message.protocol, "protocol"), state: try named(message.state, "state"),
            pid: message.hasPid ? try ProcessID(message.pid, "pid") : nil,
            sentByteCount: message.bytesSent, receivedByteCount: message.bytesReceived)
    }
}

extension WirePerformanceEvent {
    /// The message of a measurement.
    package init(_ sample: PerformanceEvent) {
        self.init()
        metric = sample.metricName
        value = sample.value
        unit = sample.unit
        if let pid = sample.pid { self.pid = pid.wireValue }
        component = sample.component
    }
}

extension PerformanceEvent {
    /// Reads a measurement.
    package init(_ message: WirePerformanceEvent) throws(MessageError) {
        self.init(
            metricName: message.metric, value: message.value, unit: message.unit,
            pid: message.hasPid ? try ProcessID(message.pid, "pid") : nil, component: message.component)
    }
}

extension WireTriggerRequest {
    /// The message of a trigger request.
    package init(_ request: TriggerRequest) {
        self.init()
        triggerID = request.triggerID
        targetCollector = request.targetCollector
        analysisType = request.analysisType.label
        priority = request.priority.rawValue
        if let pid = request.targetPID { targetPid = pid.wireValue }
        if let path = request.targetPath { targetPath = path }
        correlationID = request.correlationID
        metadata = request.metadata.map { entry in
            var message = Entry()
            message.key = entry.key
            message.value = entry.value
            return message
        }
    }
}

extension TriggerRequest {
    /// Reads a trigger request, which keeps all of its rules.
    package init(_ message: WireTriggerRequest) throws(MessageError) {
        let analysisType = try AnalysisType(label: message.analysisType)
        let priority: TriggerPriority = try named(message.priority, "priority")
        let pid = message.hasTargetPid ? try ProcessID(message.targetPid, "target_pid") : nil
        do throws(InvalidTriggerRequest) {
            try self.init(
                triggerID: message.triggerID, targetCollector: message.targetCollector,
                analysisType: analysisType, priority: priority, targetPID: pid,
                targetPath: message.hasTargetPath ? message.targetPath : nil,
                correlationID: message.correlationID, metadata: message.metadata.map { ($0.key, $0.value) })
        } catch {
            throw MessageError(field: error.field, expected: error.expected)
        }
    }
}

extension AnalysisType {
    /// Reads the name that ``label`` gives.
    fileprivate init(label: String) throws(MessageError) {
        let known: [AnalysisType] = [
            .binaryHash, .memoryAnalysis, .yaraScan, .networkAnalysis, .behavioralAnalysis,
        ]
        if let type = known.first(where: { $0.label == label }) {
            self = type
        } else if label.utf8.starts(with: "custom:".utf8) {
            self = .custom(String(decoding: label.utf8.dropFirst(7), as: UTF8.self))
        } else {
            let names = known.map { "\"\($0.label)\"" }.joined(separator: ", ")
            throw MessageError(field: "analysis_type", expected: "one of \(names), \"custom:...\"")
        }
    }
}
