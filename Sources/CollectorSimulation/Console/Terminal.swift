import CSimulation

/// What a command line tool shows, and on which stream.
package struct Terminal: Sendable {
    private let descriptor: Int32

    package static let standardOutput = Terminal(descriptor: 1)
    package static let standardError = Terminal(descriptor: 2)

    package func writeLine(_ text: String) {
        ByteWriter(descriptor: descriptor).writeLine(text)
        if descriptor == 2 { flush() }
    }

    package func flush() { ByteWriter(descriptor: descriptor).flush() }

    /// Whether colours are wanted: a terminal, and neither `NO_COLOR` nor `TERM=dumb` is set.
    package var hasColour: Bool { csim_has_colour(descriptor) == 1 }

    /// Whether somebody is looking.
    package var isTerminal: Bool { csim_is_terminal(descriptor) == 1 }

    /// Replaces the progress line on standard error, if that is a terminal; an empty text removes it.
    package static func progress(_ text: String) {
        guard csim_is_terminal(2) == 1 else { return }
        let writer = ByteWriter(descriptor: 2)
        writer.write("\r\u{1b}[K".utf8)
        writer.write(text.utf8)
        writer.flush()
    }

    /// `CLOCK_MONOTONIC` of the real host, for telling how long something took.
    package static var realNanoseconds: Int64 { csim_real_nanoseconds() }

    /// Ends the process at once; flush before.
    package static func exit(_ code: Int32) -> Never { csim_child_exit(code) }
}
