import EventModel

/// Text of bounded width, put together from our own words and from foreign ones.
///
/// Foreign text is escaped, and its length is bounded in characters too: characters of no width cannot make an endless
/// line. What does not fit ends in an ellipsis.
struct BoundedText {
    private var scalars: [Unicode.Scalar] = []
    private var columns = 0
    private let columnLimit: Int
    private(set) var isFull = false

    /// Characters allowed per column: enough for accented letters spelled with combining marks.
    private static let scalarsPerColumn = 4

    init(columnLimit: Int) {
        precondition(columnLimit > 0, "text needs a column")
        self.columnLimit = columnLimit
    }

    var text: String {
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        return text
    }

    /// The text, filled up with blanks to the limit.
    var padded: String { text + String(repeating: " ", count: columnLimit - columns) }

    /// Appends text of our own.
    mutating func append(_ own: String) {
        for scalar in own.unicodeScalars where !isFull { append(scalar) }
    }

    /// Appends text that somebody else chose.
    mutating func append(foreign: String) {
        guard !isFull else { return }
        let room = columnLimit * Self.scalarsPerColumn - scalars.count
        let start = foreign.unicodeScalars.prefix(max(room, 0))
        append(TerminalText.escape(String(start)))
        if start.endIndex < foreign.unicodeScalars.endIndex { close() }
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        let width = scalar.terminalColumns
        if columns + width > columnLimit || scalars.count >= columnLimit * Self.scalarsPerColumn {
            close()
        } else {
            scalars.append(scalar)
            columns += width
        }
    }

    /// Ends the text with an ellipsis.
    private mutating func close() {
        guard !isFull else { return }
        isFull = true
        while columns > columnLimit - 1, let last = scalars.popLast() { columns -= last.terminalColumns }
        scalars.append("\u{2026}")
        columns += 1
    }
}

extension Unicode.Scalar {
    /// Columns that a terminal gives this character: 0 for combining marks, 2 for East Asian wide ones and emoji.
    ///
    /// Follows the wide and full-width blocks of UAX #11, not each single character: good enough for a table.
    var terminalColumns: Int {
        guard value >= 0x300 else { return 1 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: break
        }
        let isWide =
            switch value {
            case 0x1100...0x115f, 0x231a...0x231b, 0x23e9...0x23ec, 0x2e80...0x303e, 0x3041...0xa4cf,
                0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60,
                0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1faff, 0x20000...0x3fffd:
                true
            default: false
            }
        return isWide ? 2 : 1
    }
}
