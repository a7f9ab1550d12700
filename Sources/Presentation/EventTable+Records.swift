package import EventModel

extension EventTable {
    /// What is missing at this point of the stream; not cut, because every word counts.
    package func line(for gap: Gap) -> String {
        let (unit, cause) = Self.words(for: gap.cause)
        var line = Self.clockTime(gap.time) + " " + paint(Self.padded("GAP", to: 10), .alarm) + " "
        line += "\(gap.source): \(Self.count(of: gap)) \(unit), \(cause)"
        if let subscriber = gap.subscriber { line += " (\(TerminalText.escape(subscriber)))" }
        line += ", within \(Self.rounded(gap.from.duration(to: gap.until)))"
        if !gap.processors.isEmpty {
            line += "; " + gap.processors.map { "cpu\($0.processor) \($0.lost)" }.joined(separator: ", ")
        }
        return line
    }

    /// The account of a source: the law in one line, then what its terms consist of.
    package func lines(for account: SourceAccount) -> [String] {
        let lost = account.lost.map { "lost \($0)" } ?? "lost \(Self.range(account.lostBounds))"
        let law =
            "kernel \(account.kernel) = emitted \(account.emitted) + filtered \(account.filtered.total) + "
            + "coalesced \(account.coalesced) + dropped \(account.dropped.total) + \(lost)"
        var lines = [accountLine(of: account.source.description, law, isBalanced: account.isBalanced)]
        add(account.filtered, as: "filtered", to: &lines)
        add(account.dropped, as: "dropped", to: &lines)
        if account.overflows > 0 { add("overflows of the kernel's queue: \(account.overflows)", to: &lines) }
        if account.syntheticDropped > 0 {
            add("dropped events that stand for no message: \(account.syntheticDropped)", to: &lines)
        }
        let unfenced = account.processors.filter { !$0.isFenced }.map { "cpu\($0.processor)" }
        if !unfenced.isEmpty {
            add("exact up to the last message received only: \(unfenced.joined(separator: ", "))", to: &lines)
        }
        if let check = account.forkCheck {
            let verdict = check.agrees(withLost: account.lost ?? 0) ? "agrees" : "DISAGREES"
            add(
                "forks \(check.forks), /proc/stat says \(check.atLeast) to \(check.atMost): \(verdict)",
                to: &lines)
        }
        return lines
    }

    /// The account of a subscriber: both laws, then what their terms consist of.
    package func lines(for account: StreamAccount) -> [String] {
        let laws =
            "offered \(account.offered) = emitted \(account.emitted) + baseline \(account.baseline) + "
            + "resync \(account.resync) + derived \(account.derived) = delivered \(account.delivered) + "
            + "filtered \(account.filtered.total) + dropped \(account.dropped.total) + in flight \(account.inFlight)"
        var lines = [
            accountLine(of: TerminalText.escape(account.subscriber), laws, isBalanced: account.isBalanced)
        ]
        add(account.filtered, as: "filtered", to: &lines)
        add(account.dropped, as: "dropped", to: &lines)
        return lines
    }

    private func accountLine(of name: String, _ law: String, isBalanced: Bool) -> String {
        paint("account", .bold) + " \(name): \(law): "
            + (isBalanced ? paint("balanced", .green) : paint("NOT BALANCED", .alarm))
    }

    private func add(_ tally: Tally, as label: String, to lines: inout [String]) {
        guard !tally.entries.isEmpty else { return }
        let entries = tally.entries.map { "\($0.reason) \($0.count)" }
        add("\(label): \(entries.joined(separator: ", "))", to: &lines)
    }

    private func add(_ text: String, to lines: inout [String]) {
        lines.append("        " + text)
    }

    private static func words(for cause: GapCause) -> (unit: String, cause: String) {
        switch cause {
        case .kernelOverflow: ("messages", "lost in the kernel because the receive buffer was full")
        case .watchQueueOverflow: ("events", "lost in the kernel because the queue of the watches was full")
        case .watchLost: ("events", "missed where a folder was not watched")
        case .betweenPolls:
            ("processes or threads", "that may have begun and ended between two looks at /proc")
        case .notRunning: ("messages", "missed while the collector was not running")
        case .sourceBuffer: ("events", "dropped because the source's buffer was full")
        case .subscriberQueue: ("events", "dropped because the subscriber's queue was full")
        case .resume: ("events", "not kept until the subscriber came back")
        }
    }

    private static func count(of gap: Gap) -> String {
        // "At least 0" reads as if nothing were lost.
        let isUnbounded = gap.lostBounds == LostBounds(atLeast: 0, atMost: nil)
        if gap.lost == nil, isUnbounded { return "an unknown number of" }
        return gap.lost.map(String.init) ?? range(gap.lostBounds)
    }

    private static func range(_ bounds: LostBounds) -> String {
        guard let most = bounds.atMost else { return "at least \(bounds.atLeast)" }
        return most == bounds.atLeast ? "\(most)" : "\(bounds.atLeast) to \(most)"
    }

    /// A duration with three digits or so: `12.3s`, `45ms`, `under 1ms`.
    static func rounded(_ duration: Duration) -> String {
        let milliseconds = duration.wholeNanoseconds / 1_000_000
        if milliseconds >= 1_000 { return "\(milliseconds / 1_000).\(milliseconds / 100 % 10)s" }
        return milliseconds > 0 ? "\(milliseconds)ms" : "less than 1ms"
    }
}
