import EventModel

/// An account as a bar whose parts add up to the whole.
struct HTMLReportAccount {
    struct Part {
        var name: String
        var count: UInt64
        /// Picks the colour.
        var style: String
    }

    private let title: String
    private let whole: String
    private let total: UInt64
    private let isBalanced: Bool
    private let parts: [Part]
    private var remark = ""

    init(_ account: SourceAccount) {
        title = "source \(account.source)"
        whole = "kernel messages"
        total = account.kernel
        isBalanced = account.isBalanced
        var parts = [Part(name: "emitted", count: account.emitted, style: "good")]
        parts += Self.parts("filtered", account.filtered, style: "mute")
        parts.append(Part(name: "coalesced", count: account.coalesced, style: "mute"))
        parts += Self.parts("dropped", account.dropped, style: "warn")
        parts.append(Part(name: "lost", count: account.lost ?? 0, style: "bad"))
        self.parts = parts
        remark = account.overflows == 1 ? "1 overflow" : "\(HTMLText.count(account.overflows)) overflows"
        let unfenced = account.processors.filter { !$0.isFenced }.map { String($0.processor) }
        if !unfenced.isEmpty { remark += ", CPU \(unfenced.joined(separator: ", ")) not fenced" }
    }

    init(_ account: StreamAccount) {
        title = "subscriber \(account.subscriber)"
        whole = "events offered"
        total = account.offered
        isBalanced = account.isBalanced
        var parts = [Part(name: "delivered", count: account.delivered, style: "good")]
        parts += Self.parts("filtered", account.filtered, style: "mute")
        parts += Self.parts("dropped", account.dropped, style: "warn")
        parts.append(Part(name: "in flight", count: account.inFlight, style: "bad"))
        self.parts = parts
        remark =
            "\(HTMLText.count(account.emitted)) emitted, \(HTMLText.count(account.baseline)) baseline, "
            + "\(HTMLText.count(account.resync)) resync, \(HTMLText.count(account.derived)) derived"
    }

    private static func parts(_ name: String, _ tally: Tally, style: String) -> [Part] {
        tally.entries.prefix(32).map { Part(name: "\(name) (\($0.reason))", count: $0.count, style: style) }
    }

    func markup(label: String) -> String {
        let shown = parts.filter { $0.count > 0 }
        var text = "<figure>\n<figcaption><b>\(HTMLText.escape(label + title))</b> "
        text += "<span>\(HTMLText.count(total)) \(whole)</span>"
        text +=
            isBalanced ? " <em class=\"pass\">✓ balanced</em>" : " <em class=\"fail\">✗ does not balance</em>"
        text += "</figcaption>\n<div class=\"stack\" aria-hidden=\"true\">"
        for part in shown {
            text +=
                "<i class=\"\(part.style)\" style=\"flex-grow:\(part.count)\" title=\"\(name(part))\"></i>"
        }
        text += "</div>\n<ul>\n"
        for part in shown {
            text +=
                "<li><i class=\"\(part.style)\"></i>\(name(part)) <b>\(HTMLText.count(part.count))</b></li>\n"
        }
        return text + "<li class=\"remark\">\(HTMLText.escape(remark))</li>\n</ul>\n</figure>\n"
    }

    private func name(_ part: Part) -> String { HTMLText.escape(part.name) }
}
