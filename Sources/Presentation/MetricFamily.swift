import EventModel

/// One metric in the text exposition format of Prometheus: its name, its meaning, and a line for each set of labels.
struct MetricFamily {
    /// What the numbers mean.
    enum Kind: String { case counter, gauge, summary }

    private let name: String
    private let help: String
    private let kind: Kind
    private var lines: [(labels: String, text: String)] = []

    init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = "collector_" + name
        self.kind = kind
        self.help = help
    }

    /// One of the metrics that every program has, without a prefix.
    init(process name: String, _ kind: Kind, _ help: String) {
        self.name = "process_" + name
        self.kind = kind
        self.help = help
    }

    /// Adds a line; the format allows one only for each set of labels, so a second one is left out.
    mutating func add(_ value: UInt64, _ labels: KeyValuePairs<String, String> = [:]) {
        add(value.description, Self.text(of: labels), suffix: "")
    }

    /// Adds a line with a number that need not be whole.
    mutating func add(real value: Double, _ labels: KeyValuePairs<String, String> = [:]) {
        add(Self.text(of: value), Self.text(of: labels), suffix: "")
    }

    /// Adds the lines of a summary.
    ///
    /// - Parameters:
    ///   - quantiles: Each share of all values, and the value that so many do not exceed.
    ///   - labels: Without `quantile`.
    mutating func add(
        _ quantiles: [(share: String, value: Double)], count: UInt64, _ labels: KeyValuePairs<String, String>
    ) {
        let own = Self.text(of: labels)
        for quantile in quantiles {
            let separator = own.isEmpty ? "" : ","
            add(
                Self.text(of: quantile.value), own + separator + "quantile=\"\(quantile.share)\"", suffix: "")
        }
        add(count.description, own, suffix: "_count")
    }

    private mutating func add(_ value: String, _ labels: String, suffix: String) {
        let key = suffix + labels
        guard !lines.contains(where: { $0.labels == key }) else { return }
        lines.append((key, name + suffix + (labels.isEmpty ? "" : "{\(labels)}") + " " + value))
    }

    /// Appends the metric; nothing when it has no line.
    func append(to text: inout String) {
        guard !lines.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for line in lines { text += line.text + "\n" }
    }

    private static func text(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        guard value.isFinite else { return value < 0 ? "-Inf" : "+Inf" }
        return value.description
    }

    private static func text(of labels: KeyValuePairs<String, String>) -> String {
        labels.map { "\($0.key)=\"\(escape($0.value))\"" }.joined(separator: ",")
    }

    /// Foreign text: first harmless on a terminal, where people read metrics too, then as the format wants it.
    private static func escape(_ value: String) -> String {
        var escaped = ""
        for scalar in TerminalText.escape(value).unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
