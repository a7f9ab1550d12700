package import EventModel

/// Lines of the live table that `collectord run --events table` shows: pure formatting, no output.
///
/// A line is never wider than the terminal. Whatever other people chose (names, paths, arguments) is escaped, so it can
/// neither break the table nor command the terminal.
package struct EventTable: Sendable {
    /// Whether lines carry colours (ECMA-48 SGR); `none` for `NO_COLOR` and for anything that is not a terminal.
    package enum Colours: Hashable, Sendable {
        case none, ansi
    }

    let width: Int
    let colours: Colours
    /// Narrow terminals show neither parent nor user.
    private let isNarrow: Bool

    private static let kindColumns = 10
    private static let pidColumns = 7
    private static let uidColumns = 5
    /// `10:00:00.000`.
    private static let timeColumns = 12

    /// - Parameter width: Columns of the terminal; fewer than 40 are taken as 40, more than 1 000 as 1 000.
    package init(width: Int, colours: Colours) {
        self.width = min(max(width, 40), 1_000)
        self.colours = colours
        isNarrow = self.width < 72
    }

    /// The names of the columns; times are UTC.
    package var header: String {
        line(
            time: "TIME (UTC)", kind: "KIND", colour: .bold, pid: "PID", ppid: "PPID", uid: "UID",
            detail: "PROGRAM, ARGUMENTS")
    }

    /// One event.
    package func line(for event: Event) -> String {
        var detail = BoundedText(columnLimit: detailColumns)
        EventDetail.append(event, to: &detail)
        let kind = event.kind.rawValue
        let process: ProcessEvent? = if case .process(let process) = event.subject { process } else { nil }
        return line(
            time: Self.clockTime(event.time),
            kind: kind[kind.index(after: kind.lastIndex(of: ".") ?? kind.startIndex)...],
            colour: Self.colour(of: event, process),
            pid: event.subject.pid.map(\.description) ?? "-",
            ppid: process?.ppid.map(\.description) ?? "-",
            uid: process?.uid.map(\.description) ?? Self.fileOwner(event)?.description ?? "-",
            detail: detail.text)
    }

    private var detailColumns: Int {
        let fixed = Self.timeColumns + 1 + Self.kindColumns + 1 + Self.pidColumns + 2
        return width - fixed - (isNarrow ? 0 : Self.pidColumns + 1 + Self.uidColumns + 1)
    }

    private func line(
        time: String, kind: some StringProtocol, colour: Colour, pid: String, ppid: String, uid: String,
        detail: String
    ) -> String {
        var line = Self.padded(time, to: Self.timeColumns) + " "
        line += paint(Self.padded(kind, to: Self.kindColumns), colour) + " "
        line += Self.aligned(pid, to: Self.pidColumns)
        if !isNarrow {
            line +=
                " " + Self.aligned(ppid, to: Self.pidColumns) + " " + Self.aligned(uid, to: Self.uidColumns)
        }
        var rest = BoundedText(columnLimit: detailColumns)
        // A number wider than its column (user ids can have ten digits) moves the rest to the right: cut that.
        let overhang = max(0, line.unicodeScalars.count - paintCount(colour) - (width - detailColumns - 2))
        if overhang > 0 { rest = BoundedText(columnLimit: max(1, detailColumns - overhang)) }
        rest.append(detail)
        return line + "  " + rest.text
    }

    /// `10:00:00.123` of an RFC 3339 time.
    static func clockTime(_ time: WallTime) -> String {
        String(decoding: time.description.utf8.dropFirst(11).prefix(timeColumns), as: UTF8.self)
    }

    static func padded(_ text: some StringProtocol, to columns: Int) -> String {
        text + String(repeating: " ", count: max(0, columns - text.utf8.count))
    }

    private static func aligned(_ text: String, to columns: Int) -> String {
        String(repeating: " ", count: max(0, columns - text.utf8.count)) + text
    }

    private static func fileOwner(_ event: Event) -> UserID? {
        if case .filesystem(let file) = event.subject { file.uid } else { nil }
    }
}

// MARK: - Colours

extension EventTable {
    /// Parameters of SGR (ECMA-48, 8.3.117).
    enum Colour: String {
        case plain = ""
        case bold = "1"
        case grey = "90"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
        case alarm = "1;31"
    }

    func paint(_ text: String, _ colour: Colour) -> String {
        guard colours == .ansi, colour != .plain else { return text }
        return "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m"
    }

    /// Characters that ``paint(_:_:)`` adds.
    private func paintCount(_ colour: Colour) -> Int { paint("", colour).unicodeScalars.count }

    private static func colour(of event: Event, _ process: ProcessEvent?) -> Colour {
        switch event.kind {
        case .processExec, .fileCreated, .networkOpen, .networkListen: .green
        case .processExit, .processBaseline, .fileBaseline, .networkBaseline, .fileDeleted, .networkClose:
            .grey
        case .processSetID, .processPtrace, .processCoredump, .performanceThreshold: .yellow
        case .processSession, .processComm, .processModified, .fileModified, .fileAttributes, .fileRenamed:
            .cyan
        case .processSuspicious: (process?.suspicion?.severity ?? .low) >= .high ? .alarm : .yellow
        case .fileSuspicious: .alarm
        case .processFork, .fileTransaction, .networkState, .performanceSample, .triggerRequest,
            .triggerResult:
            .plain
        }
    }
}
