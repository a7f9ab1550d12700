import CollectorCore
import EventModel

/// One line for each measurement, as scenario files show them.
struct MeasurementText {
    let index: TruthIndex

    /// `1.004 performance.sample spool.files=3 component=/var/spool/mail`.
    func line(_ event: Event, _ measurement: PerformanceEvent) -> String {
        let unit = measurement.unit == "1" ? "" : " \(measurement.unit)"
        var words = [
            index.secondsText(event.monotonic), event.kind.rawValue,
            "\(measurement.metricName)=\(NumberText.shortest(measurement.value))\(unit)",
            "component=\(Printer.word(measurement.component))",
        ]
        if let pid = measurement.pid { words.append("pid=\(pid)") }
        if event.origin != .emitted { words.append("origin=\(event.origin.rawValue)") }
        return words.joined(separator: " ")
    }
}

private enum NumberText {
    /// Without a fraction where there is none.
    static func shortest(_ value: Double) -> String {
        Int64(exactly: value).map { String($0) } ?? "\(value)"
    }
}
