import CSimulation

/// What a command line tool shows, and on which stream.
public struct Terminal: Sendable {
    private let descriptor: Int32

    public static let standardOutput = Terminal(descriptor: 1)
    public static let standardError = Terminal(descriptor: 2)

    public func writeLine(_ text: String) {
        ByteWriter(descriptor: descriptor).writeLine(text)
        if descriptor == 2 { flush() }
    }

    public func flush() { ByteWriter(descriptor: descriptor).flush() }

    /// Whether colours are wanted: a terminal, and neither `NO_COLOR` nor `TERM=dumb` is set.
    public var hasColour: Bool { csim_has_colour(descriptor) == 1 }

    /// Whether somebody is looking.
    public var isTerminal: Bool { csim_is_terminal(descriptor) == 1 }

    /// Replaces the progress line on standard error, if that is a terminal; an empty text removes it.
    public static func progress(_ text: String) {
        guard csim_is_terminal(2) == 1 else { return }
        let writer = ByteWriter(descriptor: 2)
        writer.write("\r\u{1b}[K".utf8)
        writer.write(text.utf8)
        writer.flush()
    }

    /// `CLOCK_MONOTONIC` of the real host, for telling how long something took.
    public static var realNanoseconds: Int64 { csim_real_nanoseconds() }

    /// Ends the process at once; flush before.
    public static func exit(_ code: Int32) -> Never { csim_child_exit(code) }
}
