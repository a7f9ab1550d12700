import EventModel
import Presentation

/// Events and tables for the tests of the table.
enum TableFixture {
    static let time = WallTime(nanoseconds: 1_772_359_200_123_456_789)  // 2026-03-01T10:00:00.123456789Z

    static func table(width: Int = 100) -> EventTable { EventTable(width: width, colours: .none) }

    static func process(
        name: String?, exe: String?, arguments: [String], adjust: (inout ProcessEvent) -> Void = { _ in }
    ) -> ProcessEvent {
        var process = ProcessEvent(
            identity: ProcessIdentity(pid: ProcessID(4_711), birth: .scan(startTicks: 1, pidFDInode: 2)))
        process.ppid = ProcessID(42)
        process.uid = UserID(1_000)
        process.name = name
        process.executablePath = exe
        process.commandLine = arguments
        adjust(&process)
        return process
    }

    static func event(_ kind: EventKind, _ subject: CollectionEvent) -> Event {
        Event(
            source: .process, kind: kind, origin: .emitted, time: time, monotonic: Instant(nanoseconds: 1),
            subject: subject, escaped: [])
    }

    /// The line of an event of the usual process `ls`.
    static func line(_ kind: EventKind, width: Int = 100, _ adjust: (inout ProcessEvent) -> Void = { _ in })
        -> String
    {
        let subject = process(
            name: "ls", exe: "/usr/bin/ls", arguments: ["ls", "-l", "/tmp"], adjust: adjust)
        return table(width: width).line(for: event(kind, .process(subject)))
    }

    /// The last column of that line.
    static func detail(_ kind: EventKind, _ adjust: (inout ProcessEvent) -> Void = { _ in }) -> String {
        String(line(kind, width: 200, adjust).dropFirst(47))
    }
}
