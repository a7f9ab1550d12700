import CollectorCore
import EventModel

/// One line for each event about a file, as scenario files show them.
struct FileEventText {
    let index: TruthIndex

    /// `1.004 file.renamed /srv/b from=/srv/a size=10`.
    func line(_ event: Event, _ file: FilesystemEvent) -> String {
        var words = [time(event.monotonic), event.kind.rawValue, quoted(file.path)]
        if event.origin != .emitted { words.append("origin=\(event.origin.rawValue)") }
        if let previous = file.previousPath { words.append("from=\(quoted(previous))") }
        if let type = file.type, type != .regular { words.append(type.rawValue) }
        if file.type == .regular, let size = file.size { words.append("size=\(size)") }
        if let permissions = file.permissions { words.append("mode=\(String(permissions, radix: 8))") }
        if let uid = file.uid, uid.rawValue != 0 { words.append("uid=\(uid)") }
        if file.fileHash != nil { words.append("hashed") }
        if let obstacle = file.hashObstacle { words.append("hash=\(obstacle.rawValue)") }
        if case .unknown(let reason) = file.metadata { words.append("unknown(\(reason.rawValue))") }
        if !file.changes.isEmpty {
            words.append("changes=" + file.changes.map(\.rawValue).joined(separator: ","))
        }
        if let suspicion = file.suspicion { words.append(suspicion.rawValue) }
        return words.joined(separator: " ")
    }

    /// Seconds after `@0` to the millisecond, rounded.
    private func time(_ instant: Instant) -> String {
        let (milliseconds, _) = (index.scenarioTime(instant) + 500_000).flooredDivision(by: 1_000_000)
        let (seconds, rest) = milliseconds.flooredDivision(by: 1_000)
        let digits = String(rest)
        return "\(seconds)." + String(repeating: "0", count: 3 - digits.utf8.count) + digits
    }

    /// Plain words stand bare, everything else in quotes.
    private func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                byte.isKeyCharacter || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":")
            }
        return isPlain ? text : Printer.quoted(text.utf8)
    }
}
