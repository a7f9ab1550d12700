/// `/proc/PID/comm`: the name of a task and a newline.
package struct CommFile: KernelFormat {
    /// The name without the newline: raw bytes, newlines among them.
    package var name: [UInt8]

    package init(name: [UInt8]) { self.name = name }

    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        guard bytes.count > 0, bytes[bytes.count - 1] == Ascii.newline else {
            throw FormatError(.comm, at: bytes.count, .truncated, expected: "a newline")
        }
        guard bytes.count - 1 <= FormatLimits.taskNameByteCount else {
            throw FormatError(
                .comm, at: FormatLimits.taskNameByteCount, .tooLong,
                expected: "a name of at most \(FormatLimits.taskNameByteCount) bytes")
        }
        name = bytes.copy(0..<(bytes.count - 1))
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: name.prefix(FormatLimits.taskNameByteCount))
        bytes.append(Ascii.newline)
    }
}
