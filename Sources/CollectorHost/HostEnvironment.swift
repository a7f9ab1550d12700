import Configuration
import EventModel
import LinuxBackends

/// What an executable needs of its surroundings, without a system library of its own.
public enum HostEnvironment {
    /// Whether `NO_COLOR` is set and not empty (no-color.org).
    public static var isColourDisabled: Bool { HostProcess.hasEnvironment("NO_COLOR") }

    /// Columns of the terminal on standard output; 80 for anything else.
    public static var terminalWidth: Int { LinuxOutput.standardOutput().terminalSize?.columns ?? 80 }

    /// Writes one line to standard error, with control characters escaped.
    public static func complain(_ message: String) {
        // If standard error is gone, nobody can be told.
        try? LinuxOutput.standardError().write(TerminalText.escape(message) + "\n")
    }
}

extension HostOptions {
    /// Reads a duration such as `20s`, `100ms` or `1h`.
    public static func duration(_ text: String) -> Duration? { DurationText.parse(text) }
}
