package import CollectorCore
package import EventModel

extension EventTable {
    /// One line for each source, under a header: how it is, and what has passed through it.
    ///
    /// - Parameter telemetry: Where the counts come from; without it they are left out.
    package func sourceLines(for report: HealthReport, _ telemetry: Telemetry?) -> [String] {
        var rows = [["SOURCE", "STATE", "SINCE", "RESTARTS", "EMITTED", "DROPPED", "QUEUED", "HEALTH"]]
        for source in report.sources {
            let counts = telemetry?.sources.first { $0.source == source.source }
            rows.append([
                source.source.rawValue, source.state.rawValue,
                Self.span(source.since.duration(to: report.monotonic)), "\(source.restartCount)",
                counts.map { "\($0.emittedCount)" } ?? "-", counts.map { "\($0.droppedCount)" } ?? "-",
                counts.map { "\($0.queuedCount)" } ?? "-", Self.words(for: source.health),
            ])
        }
        return aligned(rows, numbers: 2...6)
    }

    /// One line for each subscriber, under a header.
    package func streamLines(for accounts: [StreamAccount]) -> [String] {
        var rows = [["SUBSCRIBER", "OFFERED", "DELIVERED", "FILTERED", "DROPPED", "IN FLIGHT", "ACCOUNT"]]
        for account in accounts {
            rows.append([
                TerminalText.escape(account.subscriber), "\(account.offered)", "\(account.delivered)",
                "\(account.filtered.total)", "\(account.dropped.total)", "\(account.inFlight)",
                account.isBalanced ? "balanced" : "NOT BALANCED",
            ])
        }
        return aligned(rows, numbers: 1...5)
    }

    /// One line for each socket that clients connect to, under a header; then why connections ended.
    package func lines(for listeners: [ListenerReport]) -> [String] {
        var rows = [["SOCKET", "CLIENTS", "ACCEPTED", "REQUESTS", "RECEIVED", "SENT"]]
        for listener in listeners {
            rows.append([
                TerminalText.escape(listener.path), "\(listener.connectionCount)",
                "\(listener.acceptedCount)",
                "\(listener.requestCount)", Self.size(listener.receivedByteCount),
                Self.size(listener.sentByteCount),
            ])
        }
        var lines = aligned(rows, numbers: 1...5)
        for listener in listeners where !listener.ended.entries.isEmpty {
            let entries = listener.ended.entries.map { "\(TerminalText.escape($0.reason)) \($0.count)" }
            lines.append(
                "ended at \(TerminalText.escape(listener.path)): \(entries.joined(separator: ", "))")
        }
        return lines
    }

    /// What the collector is able to do.
    ///
    /// - Parameter tasks: The names of the tasks that are carried out at present.
    package func lines(for report: CapabilityReport, tasks: [String]) -> [String] {
        func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }
        return aligned([
            ["component", TerminalText.escape(report.component)],
            ["observes", list(report.capabilities.labels)],
            ["sources", list(report.sources.map(\.rawValue))],
            ["tasks", list(tasks.map { TerminalText.escape($0) })],
            ["since", "\(report.time)"],
        ])
    }

    /// The whole in a few lines: health, resources, sources and sockets.
    ///
    /// - Parameter name: What the collector calls itself; its version, for example.
    package func statusLines(
        for report: HealthReport, _ telemetry: Telemetry, _ listeners: [ListenerReport], name: String
    ) -> [String] {
        var rows = [
            ["collector", TerminalText.escape(name)],
            ["health", Self.words(for: report.health)],
            ["up", Self.span(telemetry.uptime)],
        ]
        if let resources = telemetry.resources {
            let now = telemetry.cpuPercent.map { ", now \(($0 * 10).rounded() / 10) %" } ?? ""
            rows.append(["CPU", Self.span(resources.cpuTime) + now])
            rows.append(["memory", Self.size(UInt64(clamping: resources.residentByteCount)) + " resident"])
            rows.append(["threads", "\(resources.threadCount)"])
            rows.append(["descriptors", "\(resources.descriptorCount)"])
        }
        var lines = aligned(rows)
        lines += [""] + sourceLines(for: report, telemetry)
        if !listeners.isEmpty { lines += [""] + self.lines(for: listeners) }
        return lines
    }

    // MARK: - Text

    /// Rows as lines whose columns stand below each other; the last column is not filled up.
    ///
    /// - Parameter numbers: Columns that are aligned to the right.
    private func aligned(_ rows: [[String]], numbers: ClosedRange<Int>? = nil) -> [String] {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], Self.columns(of: cell))
            }
        }
        return rows.enumerated().map { number, row in
            let cells = row.enumerated().map { column, cell in
                let blanks = String(repeating: " ", count: widths[column] - Self.columns(of: cell))
                if numbers?.contains(column) == true { return blanks + cell }
                return column == row.count - 1 ? cell : cell + blanks
            }
            let line = cells.joined(separator: "  ")
            return number == 0 && numbers != nil ? paint(line, .bold) : line
        }
    }

    private static func columns(of text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + $1.terminalColumns }
    }

    private static func words(for health: Health) -> String {
        switch health {
        case .healthy: "healthy"
        case .degraded(let reason): "degraded: \(TerminalText.escape(reason))"
        case .failed(let reason): "failed: \(TerminalText.escape(reason))"
        }
    }

    /// A duration in the two largest units that it has: `3d 4h`, `2m 5s`, `1.2s`.
    static func span(_ duration: Duration) -> String {
        let seconds = duration.wholeNanoseconds / 1_000_000_000
        switch seconds {
        case 86_400...: return "\(seconds / 86_400)d \(seconds / 3_600 % 24)h"
        case 3_600...: return "\(seconds / 3_600)h \(seconds / 60 % 60)m"
        case 60...: return "\(seconds / 60)m \(seconds % 60)s"
        default: return rounded(duration)
        }
    }

    /// Bytes in the largest unit of which there are at least ten.
    static func size(_ byteCount: UInt64) -> String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] as [(String, UInt64)]
        where byteCount >> shift >= 10 {
            return "\(byteCount >> shift) \(unit)"
        }
        return "\(byteCount) B"
    }
}
