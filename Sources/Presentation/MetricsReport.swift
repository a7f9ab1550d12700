package import CollectorCore
package import EventModel

/// What ``PrometheusText`` is made of; each part may be missing.
package struct MetricsReport: Sendable {
    /// The collector's version.
    package var version: String?
    /// How the collector and each of its sources are.
    package var health: HealthReport?
    /// What the collector measures of itself.
    package var telemetry: Telemetry?
    /// The accounts of the sources.
    package var sources: [SourceAccount] = []
    /// The accounts of all subscribers, clients of the control socket among them.
    package var streams: [StreamAccount] = []
    /// The sockets that clients connect to.
    package var listeners: [ListenerReport] = []

    /// A report of nothing.
    package init() {}
}

/// One socket that clients connect to, since it was opened.
package struct ListenerReport: Hashable, Sendable {
    /// The socket's path.
    package var path: String
    /// Clients that are connected now.
    package var connectionCount: UInt64
    /// Clients that were ever accepted.
    package var acceptedCount: UInt64
    /// Requests of all clients.
    package var requestCount: UInt64
    /// Connections that were refused or ended, by reason.
    package var ended: Tally
    /// Bytes that clients sent.
    package var receivedByteCount: UInt64
    /// Bytes that were sent to clients.
    package var sentByteCount: UInt64

    /// A socket that nobody has connected to yet.
    package init(path: String) {
        self.path = path
        connectionCount = 0
        acceptedCount = 0
        requestCount = 0
        ended = Tally()
        receivedByteCount = 0
        sentByteCount = 0
    }
}
