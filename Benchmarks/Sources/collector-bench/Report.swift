import EventModel

/// How much time to spend.
enum Effort: String {
    case short, full
}

/// A number with what it counts.
struct Quantity {
    enum Unit: String {
        case nanoseconds = "ns"
        case milliseconds = "ms"
        case seconds = "s"
        case percent = "%"
        case mebibytes = "MiB"
        case count = ""
        case times = "x"
    }

    var value: Double
    var unit: Unit

    init(_ value: Double, _ unit: Unit) {
        self.value = value
        self.unit = unit
    }

    /// Three significant digits, thousands apart.
    var text: String {
        let number: String
        if value.magnitude >= 100 || value == value.rounded() {
            number = Self.grouped(value)
        } else {
            number = Self.decimal(value, places: value.magnitude >= 10 ? 1 : 2)
        }
        return unit == .count ? number : "\(number) \(unit.rawValue)"
    }

    private static func grouped(_ value: Double) -> String {
        var digits = String(Int64(value.rounded().magnitude))
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = String(digits.dropLast(3))
        }
        return (value < 0 ? "-" : "") + ([digits[...]] + groups).joined(separator: " ")
    }

    private static func decimal(_ value: Double, places: Int) -> String {
        let scale = places == 1 ? 10.0 : 100.0
        let scaled = Int64((value.magnitude * scale).rounded())
        let fraction = String(scaled % Int64(scale))
        let padding = String(repeating: "0", count: places - fraction.count)
        return "\(value < 0 ? "-" : "")\(scaled / Int64(scale)).\(padding)\(fraction)"
    }
}

/// What a judged number must not exceed, or must reach.
enum Bound {
    case atMost(Double)
    case atLeast(Double)

    func admits(_ value: Double) -> Bool {
        switch self {
        case .atMost(let bound): value <= bound
        case .atLeast(let bound): value >= bound
        }
    }

    /// What a short run on an unknown host is held to: the bound missed so many times over.
    func relaxed(_ times: Double) -> Bound {
        switch self {
        case .atMost(let bound): .atMost(bound * times)
        case .atLeast(let bound): .atLeast(bound / times)
        }
    }

    func text(_ unit: Quantity.Unit) -> String {
        switch self {
        case .atMost(let bound): "<= \(Quantity(bound, unit).text)"
        case .atLeast(let bound): ">= \(Quantity(bound, unit).text)"
        }
    }
}

/// The price of the system calls alone, measured in the same run as what is judged.
struct KernelPrice {
    /// In the unit of what is judged.
    var quantity: Quantity
    /// The floor and the target of the ratio to it.
    static let ratioFloor = 1.5
    static let ratioTarget = 1.2
    /// What was measured, as a multiple of it.
    var ratio: Double

    /// Whether the floor cannot be asked for: even at the target ratio the kernel would not leave room for it, and the
    /// ratio that can be asked for is kept.
    func excuses(_ floor: Bound) -> Bool {
        guard case .atMost(let most) = floor else { return false }
        return quantity.value > most / Self.ratioTarget && ratio <= Self.ratioFloor
    }
}

/// One line of the report.
struct Row {
    /// What a busy or a slower host makes of a number.
    enum Kind {
        /// Nothing: counts and bytes.
        case exact
        /// Little: two times of one run, one divided by the other.
        case ratio
        /// Much: a time or a rate by itself.
        case time
        /// Everything: a share of a core of which the kernel takes most, the slowest of many turns on a processor that others
        /// want. A short run only reports it; what it gates by stands in a row beside it.
        case report
    }

    /// What is compared with floor and target: the measured value, or its ratio to the peer.
    struct Bar {
        var judged: Quantity
        var floor: Bound
        var target: Bound
        var kind: Kind
        /// What no software can take off the number on this host.
        var kernelPrice: KernelPrice?
    }

    enum Verdict: String {
        case target = "target met"
        case floor = "floor met"
        /// Missed, because the kernel leaves no room on this host; what comes on top of its price is within its own floor.
        case kernelBound = "kernel-bound"
        case tolerated = "missed, noisy"
        case missed = "MISSED"
        case reported = "-"
        case skipped
    }

    var benchmark: Benchmark
    var what: String
    var measured: Quantity?
    var peer: (name: String, quantity: Quantity?)?
    /// How many times better than the peer, or which share of it: as the bar is worded.
    var ratio: Double?
    var bar: Bar?
    var remark: String?

    init(
        _ benchmark: Benchmark, _ what: String, _ measured: Quantity,
        peer: (name: String, quantity: Quantity?)? = nil,
        ratio: Double? = nil, bar: Bar? = nil, remark: String? = nil
    ) {
        self.benchmark = benchmark
        self.what = what
        self.measured = measured
        self.peer = peer
        self.ratio = ratio
        self.bar = bar
        self.remark = remark
    }

    init(_ benchmark: Benchmark, skipped reason: String) {
        self.benchmark = benchmark
        what = "skipped: \(reason)"
    }

    func verdict(_ effort: Effort) -> Verdict {
        guard measured != nil else { return .skipped }
        guard let bar else { return .reported }
        if bar.target.admits(bar.judged.value) { return .target }
        if bar.floor.admits(bar.judged.value) { return .floor }
        if let price = bar.kernelPrice, price.excuses(bar.floor) { return .kernelBound }
        guard effort == .short else { return .missed }
        let isTolerable =
            switch bar.kind {
            case .exact: false
            case .ratio: bar.floor.relaxed(1.5).admits(bar.judged.value)
            case .time: bar.floor.relaxed(3).admits(bar.judged.value)
            case .report: true
            }
        return isTolerable ? .tolerated : .missed
    }
}

/// All rows, as a table for people or as lines of JSON.
struct Report {
    var rows: [Row]
    var effort: Effort

    var isFloorMissed: Bool { rows.contains { $0.verdict(effort) == .missed } }

    var table: String {
        let header = ["benchmark", "what", "measured", "peer", "ratio", "floor", "target", "verdict"]
        let lines = [header] + rows.map(cells)
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        var text = ""
        for line in lines {
            let padded = zip(line, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            text += padded.joined(separator: "  ") + "\n"
        }
        for row in rows { if let remark = row.remark { text += "\(row.benchmark.rawValue): \(remark)\n" } }
        return text
    }

    private func cells(_ row: Row) -> [String] {
        let peer = row.peer.map { peer in peer.quantity.map { "\(peer.name) \($0.text)" } ?? peer.name }
        return [
            row.benchmark.rawValue, row.what, row.measured?.text ?? "", peer ?? "",
            row.ratio.map { Quantity($0, .count).text } ?? "",
            row.bar.map(Self.floorText) ?? "",
            row.bar.map { $0.target.text($0.judged.unit) } ?? "",
            row.verdict(effort).rawValue,
        ]
    }

    private static func floorText(_ bar: Row.Bar) -> String {
        let text = bar.floor.text(bar.judged.unit)
        guard let price = bar.kernelPrice else { return text }
        return "\(text) (this kernel alone: \(price.quantity.text))"
    }

    var json: String {
        var bytes: [UInt8] = []
        for row in rows {
            JSONWriter.append(to: &bytes) { append(row, to: &$0) }
            bytes.append(0x0a)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func append(_ row: Row, to json: inout JSONWriter) {
        json.beginObject()
        json.member("record", "benchmark")
        json.member("benchmark", row.benchmark.rawValue)
        json.member("effort", effort.rawValue)
        json.member("what", row.what)
        if let measured = row.measured {
            json.member("measured", measured.value)
            json.member("unit", measured.unit.rawValue)
        }
        if let peer = row.peer {
            json.member("peer", peer.name)
            if let quantity = peer.quantity { json.member("peer_measured", quantity.value) }
        }
        if let ratio = row.ratio { json.member("ratio", ratio) }
        if let bar = row.bar {
            json.member("judged", bar.judged.value)
            json.member("floor", bar.floor.text(bar.judged.unit))
            json.member("target", bar.target.text(bar.judged.unit))
            json.member("noisy", bar.kind != .exact)
            if let price = bar.kernelPrice { json.member("kernel_alone", price.quantity.value) }
        }
        json.member("verdict", row.verdict(effort).rawValue)
        if let remark = row.remark { json.member("remark", remark) }
        json.endObject()
    }
}
