public import Backends
public import EventModel

/// The counter of runs on this host, kept in a durable file: `run <n>`, twice, because a wrong bit in it would give an id
/// a second time. A person may write it once.
public enum RunCounter {
    /// Takes the next run id, and keeps it before it is used: an event id must never be given twice.
    ///
    /// A damaged file starts again at 1, which is safe with another boot id only; so it is an error.
    public static func next(from file: any DurableFile) throws(RunCounterError) -> RunID {
        let bytes: [UInt8]?
        do { bytes = try file.read() } catch { throw RunCounterError(reason: "cannot be read: \(error)") }
        var last: UInt64 = 0
        if let bytes {
            guard let number = number(in: bytes), number < .max else {
                throw RunCounterError(
                    reason: "is damaged: expected \"run <number>\"; write the number of the last run")
            }
            last = number
        }
        #if MUTANTS
            if Mutation.runIDNotKept.isActive { return RunID(last + 1) }
        #endif
        do {
            let line = "run \(last + 1)\n"
            try file.replace(with: Array((line + line).utf8))
        } catch {
            throw RunCounterError(reason: "cannot be written: \(error)")
        }
        return RunID(last + 1)
    }

    /// The number in the lines of a file that is whole; `nil` when they differ, or one is cut short.
    private static func number(in bytes: [UInt8]) -> UInt64? {
        let text = String(decoding: bytes.prefix(128), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        // The last line ends too.
        guard (2...3).contains(lines.count), lines.last == "", lines[0] == lines[lines.count - 2],
            lines[0].hasPrefix("run ")
        else { return nil }
        return UInt64(lines[0].dropFirst(4))
    }
}

/// Why no run id could be had.
public struct RunCounterError: Error, Hashable, Sendable, CustomStringConvertible {
    public var reason: String

    public var description: String { "the run counter \(reason)" }
}
