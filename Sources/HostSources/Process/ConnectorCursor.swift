package import EventModel

/// Where the last run stopped reading: what the next run needs to say what it missed.
///
/// Kept as a text file of at most a few kilobytes: `connector-cursor 2`, `boot <id>`, `cpu <n> <sequence>` a line, and at
/// the end `check <digest>`, because a wrong bit in a number would become a wrong statement about what was missed.
package struct ConnectorCursor: Hashable, Sendable {
    package struct Position: Hashable, Sendable {
        package var processor: UInt32
        package var sequence: UInt32

        package init(processor: UInt32, sequence: UInt32) {
            self.processor = processor
            self.sequence = sequence
        }
    }

    package var bootID: BootID
    package var positions: [Position]

    package init(bootID: BootID, positions: [Position]) {
        self.bootID = bootID
        self.positions = positions
    }

    /// `nil` for anything that ``bytes`` did not print: a damaged cursor is no cursor.
    package init?(parsing bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: true)
        guard lines.count >= 3, lines[0] == "connector-cursor 2", lines[1].hasPrefix("boot "),
            let bootID = BootID(lines[1].dropFirst(5)), lines.count <= Limits.processorCount + 3
        else { return nil }
        self.bootID = bootID
        positions = []
        for line in lines.dropFirst(2).dropLast() {
            let words = line.split(separator: " ")
            guard words.count == 3, words[0] == "cpu", let processor = UInt32(words[1]),
                let sequence = UInt32(words[2])
            else { return nil }
            positions.append(Position(processor: processor, sequence: sequence))
        }
        // Compares the digest, too.
        guard self.bytes == bytes else { return nil }
    }

    package var bytes: [UInt8] {
        var text = "connector-cursor 2\nboot \(bootID)\n"
        for position in positions { text += "cpu \(position.processor) \(position.sequence)\n" }
        return Array("\(text)check \(String(Self.digest(text.utf8), radix: 16))\n".utf8)
    }

    /// FNV-1a with 64 bits (RFC 9923): against rot, not against forgers, who can write the file anyway.
    private static func digest(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
