package import EventModel

/// Turns pids into the names of a case and back, so that answers of different kernels can be compared.
///
/// A pid that is recycled has several names, one after the other.
package struct ProcessNames: Sendable {
    /// One name and what it stands for.
    package struct Entry: Hashable, Sendable {
        /// As the case writes it.
        package var name: String
        /// The pid of a process, the thread id of a thread.
        package var id: ProcessID
        /// The process that a thread belongs to; `nil` for a process.
        package var process: String?
    }

    private var entries: [Entry] = []

    /// No names yet.
    package init() {}

    /// Gives a name to a pid, or to a thread of a named process.
    package mutating func add(_ name: String, id: ProcessID, threadOf process: String? = nil) {
        entries.append(Entry(name: name, id: id, process: process))
    }

    /// The pid or thread id behind a name; `nil` for an unknown one.
    package func id(of name: String) -> ProcessID? { entries.last { $0.name == name }?.id }

    /// All names of a pid or tid, oldest first.
    package func names(of id: ProcessID) -> [String] { entries.filter { $0.id == id }.map(\.name) }

    /// The present name of a pid or tid.
    package func name(of id: ProcessID) -> String? { entries.last { $0.id == id }?.name }

    /// Processes of the case in the order in which it made them, without R.
    package var processes: [Entry] { entries.filter { $0.process == nil && $0.name != "R" } }

    /// A pid as an answer shows it: its name, `0`, or `?` for a process that is none of the case's.
    package func text(of id: ProcessID) -> String { id.rawValue == 0 ? "0" : name(of: id) ?? "?" }
}
