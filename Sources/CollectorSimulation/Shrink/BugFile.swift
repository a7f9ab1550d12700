/// A shrunk scenario as a file: what failed, how to replay it, and under how many schedules it must pass.
package enum BugFile {
    /// Writes a result as `FOLDER/ORACLE-HASH.scn`, named by what it says, so that the same bug is filed once.
    ///
    /// - Parameter folder: Must exist.
    /// - Returns: The path.
    package static func write(_ result: ShrinkResult, into folder: String) throws(FileError) -> String {
        let document = document(of: result)
        let path = (folder.hasSuffix("/") ? folder : folder + "/") + document.name + ".scn"
        try ScenarioFiles.write(document.print(), to: path)
        return path
    }

    /// The scenario with its new name and header.
    package static func document(of result: ShrinkResult) -> SceneDocument {
        var document = result.document
        document.head = .words("scenario", name(of: result), "v1")
        document.directives.removeAll { line in
            !line.isMeaningful || ["about", "seed", "schedules"].contains(line.verb ?? "")
        }
        var about = result.failure.oracle.rawValue
        if let time = result.failure.time { about += " @" + Quantity.seconds(nanoseconds: time) }
        about += ": " + result.failure.message.prefix { $0 != "\n" }.prefix(messageLimit)
        var header = [
            SceneLine(
                .tokens([
                    SceneToken(.value(.bare("about"))), SceneToken(.value(.string(Array(about.utf8)))),
                ])),
            SceneLine(.comment("# failed with seed \(result.seed)")),
        ]
        // Replays try the seeds from 1 on, unless the failure was never seen with one of them.
        if result.seed == 0 || result.seed > result.scheduleCount {
            header.append(.words("seed", String(result.seed)))
        }
        header.append(.words("schedules", String(result.scheduleCount)))
        document.directives = header + document.directives
        return document
    }

    /// Longest part of a failure's message in the header, in characters.
    private static let messageLimit = 160

    private static func name(of result: ShrinkResult) -> String {
        var plain = result.document
        plain.head = .words("scenario", "bug", "v1")
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in plain.print().utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return result.failure.oracle.rawValue + "-"
            + String((String(repeating: "0", count: 16 - digits.utf8.count) + digits).prefix(8))
    }
}
