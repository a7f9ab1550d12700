public import Backends
public import EventModel

/// The counter of runs on this host, kept in a durable file: `run <n>`.
public enum RunCounter {
    /// Takes the next run id, and keeps it before it is used: an event id must never be given twice.
    ///
    /// A damaged file starts again at 1, which is safe with another boot id only; so it is an error.
    public static func next(from file: any DurableFile) throws(RunCounterError) -> RunID {
        let bytes: [UInt8]?
        do { bytes = try file.read() } catch { throw RunCounterError(reason: "cannot be read: \(error)") }
        var last: UInt64 = 0
        if let bytes {
            let words = String(decoding: bytes.prefix(64), as: UTF8.self).split(
                whereSeparator: \.isWhitespace)
            guard words.count == 2, words[0] == "run", let number = UInt64(words[1]), number < .max else {
                throw RunCounterError(
                    reason: "is damaged: expected \"run <number>\"; write the number of the last run")
            }
            last = number
        }
        do {
            try file.replace(with: Array("run \(last + 1)\n".utf8))
        } catch {
            throw RunCounterError(reason: "cannot be written: \(error)")
        }
        return RunID(last + 1)
    }
}

/// Why no run id could be had.
public struct RunCounterError: Error, Hashable, Sendable, CustomStringConvertible {
    public var reason: String

    public var description: String { "the run counter \(reason)" }
}
