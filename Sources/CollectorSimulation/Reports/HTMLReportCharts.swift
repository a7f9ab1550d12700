import EventModel
import SimulatedBackends

/// One small chart: a value over time.
struct HTMLReportChart {
    enum Shape: String {
        /// The value holds until the next point.
        case step
        /// Separate points.
        case points
    }

    var name: String
    var unit: String
    var shape: Shape
    /// The bound that the value must not cross, where there is one.
    var limit: Int64?
    var times: [Int64] = []
    var values: [Int64] = []
    /// Stretches in which the kernel drops everything.
    var alarms: [(from: Int64, until: Int64)] = []

    func append(to json: inout JSONWriter) {
        let kept = thinned
        json.beginObject()
        json.member("name", name)
        json.member("unit", unit)
        json.member("shape", shape.rawValue)
        if let limit { json.member("limit", limit) }
        json.beginArray("time")
        for index in kept { json.value(times[index]) }
        json.endArray()
        json.beginArray("value")
        for index in kept { json.value(values[index]) }
        json.endArray()
        json.beginArray("alarms")
        for alarm in alarms.prefix(HTMLReportLimits.markCount) {
            json.value(alarm.from)
            json.value(alarm.until)
        }
        json.endArray()
        json.endObject()
    }

    /// Indices of the points to show: of each stretch the first, the lowest, the highest and the last.
    private var thinned: [Int] {
        guard times.count > HTMLReportLimits.pointCount else { return Array(times.indices) }
        let stretch = (times.count * 4 + HTMLReportLimits.pointCount - 1) / HTMLReportLimits.pointCount
        var kept: [Int] = []
        var start = 0
        while start < times.count {
            let end = min(start + stretch, times.count)
            var (low, high) = (start, start)
            for index in start..<end {
                if values[index] < values[low] { low = index }
                if values[index] > values[high] { high = index }
            }
            for index in [start, min(low, high), max(low, high), end - 1] where kept.last != index {
                kept.append(index)
            }
            start = end
        }
        return kept
    }
}

/// The charts below the time line.
struct HTMLReportCharts {
    private let evidence: Evidence
    private let samples: [DepthSample]

    init(_ evidence: Evidence, samples: [DepthSample]) {
        self.evidence = evidence
        self.samples = samples
    }

    var all: [HTMLReportChart] { [kernel, buffer, queue, latency] }

    private func time(_ instant: Instant) -> Int64 { max(0, evidence.index.scenarioTime(instant)) }

    /// Between two looks nothing leaves the receive buffer, and what enters it is in the truth log.
    private var kernel: HTMLReportChart {
        var chart = HTMLReportChart(
            name: "kernel receive buffer", unit: "B", shape: .step,
            limit: samples.map(\.kernelByteLimit).max().map { Int64($0) })
        let arrivals = evidence.truth.messages.lazy.filter { $0.fate == .delivered || $0.fate == .lost }
        var arriving = arrivals.makeIterator()
        var next = arriving.next()
        var level = 0
        var alarmStart: Int64?
        func note(_ at: Instant) {
            chart.times.append(time(at))
            chart.values.append(Int64(level))
        }
        for sample in samples {
            while let message = next, message.time <= sample.time {
                defer { next = arriving.next() }
                if message.fate == .lost {
                    alarmStart = alarmStart ?? time(message.time)
                    continue
                }
                guard level + Self.messageByteCount <= sample.kernelByteLimit else { continue }
                level += Self.messageByteCount
                note(message.time)
            }
            level = sample.kernelByteCount
            note(sample.time)
            if sample.isCongested {
                alarmStart = alarmStart ?? time(sample.time)
            } else if let start = alarmStart {
                chart.alarms.append((start, time(sample.time)))
                alarmStart = nil
            }
        }
        if let start = alarmStart { chart.alarms.append((start, time(evidence.report.end))) }
        return chart
    }

    /// What one message takes of the buffer.
    private static let messageByteCount = SimulatedConnectorSocket.messageByteCount

    private var buffer: HTMLReportChart {
        // The bound of the product unless the scenario sets one.
        let limit = evidence.scenario.settings.bufferCapacity ?? 1_000
        return depths("source buffer", limit: limit) { $0.bufferedCount }
    }

    private var queue: HTMLReportChart {
        depths("subscriber queue", limit: evidence.recording.runs.map(\.queueLimit).max()) { $0.queuedCount }
    }

    private func depths(
        _ name: String, limit: Int?, _ value: (DepthSample) -> Int
    ) -> HTMLReportChart {
        var chart = HTMLReportChart(
            name: name, unit: "events", shape: .step, limit: limit.map { Int64($0) })
        for sample in samples where chart.values.last != Int64(value(sample)) {
            chart.times.append(time(sample.time))
            chart.values.append(Int64(value(sample)))
        }
        return chart
    }

    /// From the kernel's stamp to the subscriber's hand.
    private var latency: HTMLReportChart {
        var chart = HTMLReportChart(name: "delivery latency", unit: "ns", shape: .points)
        for entry in evidence.attributions.flatMap(\.entries) where entry.event.origin == .emitted {
            chart.times.append(time(entry.delivered))
            chart.values.append(
                max(0, entry.delivered.nanoseconds.subtractingClamped(entry.event.monotonic.nanoseconds)))
        }
        return chart
    }
}
