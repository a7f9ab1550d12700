import CollectorCore
import EventModel

/// One line for each event about a file, as scenario files show them.
struct FileEventText {
    let index: TruthIndex

    /// `1.004 file.renamed /srv/b from=/srv/a size=10`.
    func line(_ event: Event, _ file: FilesystemEvent) -> String {
        var words = [index.secondsText(event.monotonic), event.kind.rawValue, Printer.word(file.path)]
        if event.origin != .emitted { words.append("origin=\(event.origin.rawValue)") }
        if let previous = file.previousPath { words.append("from=\(Printer.word(previous))") }
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
}
