import EventModel

// MARK: - Reading

extension ProcessStatus: KernelFormat {
    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        self.init()
        var cursor = ByteCursor(.processStatus)
        var next = 0
        while cursor.position < bytes.count {
            let start = cursor.position
            guard let end = bytes.firstIndex(of: Ascii.newline, in: start..<bytes.count) else {
                throw FormatError(.processStatus, at: bytes.count, .truncated, expected: "a newline")
            }
            guard let colon = bytes.firstIndex(of: Ascii.colon, in: start..<end) else {
                throw FormatError(
                    .processStatus, at: end, .malformed, expected: "a colon behind the line's name")
            }
            if let line = Line.named(start..<colon, in: bytes, guess: &next) {
                cursor.position = colon + 1
                try read(line, &cursor, bytes, end: end)
                cursor.skipBlanks(in: bytes)
                guard cursor.position == end else {
                    throw cursor.error(.malformed, expected: "the end of the line")
                }
            }
            cursor.position = end + 1
        }
    }

    private mutating func read(
        _ line: Line, _ cursor: inout ByteCursor, _ bytes: Span<UInt8>, end: Int
    ) throws(FormatError) {
        switch line {
        case .name: name = try cursor.escapedName(in: bytes, end: end)
        case .state: state = try cursor.state(in: bytes, end: end)
        case .tgid: tgid = ProcessID(try cursor.number(in: bytes))
        case .pid: pid = ProcessID(try cursor.number(in: bytes))
        case .ppid: ppid = ProcessID(try cursor.number(in: bytes))
        case .tracerPid: tracerPid = ProcessID(try cursor.number(in: bytes))
        case .uid: uid = try cursor.credentials(in: bytes).map(UserID.init(_:))
        case .gid: gid = try cursor.credentials(in: bytes).map(GroupID.init(_:))
        case .namespaceTgids: namespaceTgids = try cursor.processIDs(in: bytes, end: end)
        case .namespacePids: namespacePids = try cursor.processIDs(in: bytes, end: end)
        case .namespacePgids: namespacePgids = try cursor.processIDs(in: bytes, end: end)
        case .namespaceSessions: namespaceSessions = try cursor.processIDs(in: bytes, end: end)
        case .kthread: kthread = try cursor.number(in: bytes)
        case .vmPeak: vmPeak = try cursor.kibibytes(in: bytes)
        case .vmSize: vmSize = try cursor.kibibytes(in: bytes)
        case .vmHWM: vmHWM = try cursor.kibibytes(in: bytes)
        case .vmRSS: vmRSS = try cursor.kibibytes(in: bytes)
        case .vmSwap: vmSwap = try cursor.kibibytes(in: bytes)
        case .threadCount: threadCount = try cursor.number(in: bytes)
        case .inheritable: inheritable = try cursor.capabilities(in: bytes)
        case .permitted: permitted = try cursor.capabilities(in: bytes)
        case .effective: effective = try cursor.capabilities(in: bytes)
        case .bounding: bounding = try cursor.capabilities(in: bytes)
        case .ambient: ambient = try cursor.capabilities(in: bytes)
        case .noNewPrivs: noNewPrivs = try cursor.number(in: bytes)
        case .seccomp: seccomp = try cursor.number(in: bytes)
        case .seccompFilters: seccompFilters = try cursor.number(in: bytes)
        }
    }
}

extension ByteCursor {
    fileprivate mutating func number<Value: FixedWidthInteger>(in bytes: Span<UInt8>) throws(FormatError)
        -> Value
    {
        skipBlanks(in: bytes)
        return try unsigned(in: bytes)
    }

    fileprivate mutating func kibibytes(in bytes: Span<UInt8>) throws(FormatError) -> UInt64 {
        let value: UInt64 = try number(in: bytes)
        for byte in " kB".utf8 { try skip(byte, in: bytes, "kB") }
        return value
    }

    fileprivate mutating func capabilities(
        in bytes: Span<UInt8>
    ) throws(FormatError) -> ProcessStatus.CapabilitySet {
        skipBlanks(in: bytes)
        return ProcessStatus.CapabilitySet(rawValue: try hexadecimal(in: bytes))
    }

    fileprivate mutating func state(in bytes: Span<UInt8>, end: Int) throws(FormatError) -> TaskState {
        skipBlanks(in: bytes)
        guard position < end, TaskState.isPossible(bytes[position]) else {
            throw error(.malformed, expected: "a letter for the state")
        }
        defer { position = end }
        return TaskState(rawValue: bytes[position])
    }

    fileprivate mutating func credentials(
        in bytes: Span<UInt8>
    ) throws(FormatError) -> ProcessStatus.Credentials<UInt32> {
        let real: UInt32 = try number(in: bytes)
        let effective: UInt32 = try number(in: bytes)
        let saved: UInt32 = try number(in: bytes)
        let fileSystem: UInt32 = try number(in: bytes)
        return ProcessStatus.Credentials(
            real: real, effective: effective, saved: saved, fileSystem: fileSystem)
    }

    fileprivate mutating func processIDs(in bytes: Span<UInt8>, end: Int) throws(FormatError) -> [ProcessID] {
        var ids: [ProcessID] = []
        skipBlanks(in: bytes)
        while position < end {
            guard ids.count < FormatLimits.pidNamespaceDepth else {
                throw error(.tooLong, expected: "at most \(FormatLimits.pidNamespaceDepth) ids")
            }
            ids.append(ProcessID(try unsigned(in: bytes)))
            skipBlanks(in: bytes)
        }
        return ids
    }

    /// Reads the name, which follows exactly one tab and may begin or end with blanks of its own.
    fileprivate mutating func escapedName(in bytes: Span<UInt8>, end: Int) throws(FormatError) -> [UInt8] {
        try skip(Ascii.tab, in: bytes, "a tab")
        var name: [UInt8] = []
        while position < end {
            guard name.count < FormatLimits.taskNameByteCount else {
                throw error(.tooLong, expected: "a name of at most \(FormatLimits.taskNameByteCount) bytes")
            }
            let byte = bytes[position]
            position += 1
            guard byte == Ascii.backslash else {
                name.append(byte)
                continue
            }
            // The kernel escapes nothing else, so that a single backslash cannot stand here.
            switch position < end ? bytes[position] : nil {
            case Ascii.n: name.append(Ascii.newline)
            case Ascii.backslash: name.append(Ascii.backslash)
            default: throw error(.malformed, expected: #"n or \ behind a backslash"#)
            }
            position += 1
        }
        return name
    }
}

extension ProcessStatus.Credentials {
    fileprivate func map<Other>(_ transform: (ID) -> Other) -> ProcessStatus.Credentials<Other> {
        ProcessStatus.Credentials<Other>(
            real: transform(real), effective: transform(effective), saved: transform(saved),
            fileSystem: transform(fileSystem))
    }
}

// MARK: - Writing

extension ProcessStatus {
    /// Appends the lines that are not `nil`, in the order and the layout of the kernel.
    package func append(to bytes: inout [UInt8]) {
        bytes.append(addingCapacity: Self.byteCountLimit) { bytes in
            for line in Line.inOrder {
                let start = bytes.count
                bytes.append(text: line.rawValue)
                bytes.append(Ascii.colon)
                let valueStart = bytes.count
                appendValue(of: line, to: &bytes)
                if bytes.count > valueStart {
                    bytes.append(Ascii.newline)
                } else {
                    bytes.removeLast(bytes.count - start)
                }
            }
        }
    }

    /// More than all lines together take: each has at most a name of 16 bytes and four numbers, except for those of the
    /// namespaces.
    private static let byteCountLimit = 27 * 80 + 4 * FormatLimits.pidNamespaceDepth * 11

    /// Appends nothing when the line is `nil`.
    private func appendValue(of line: Line, to bytes: inout OutputSpan<UInt8>) {
        switch line {
        case .name: if let name { bytes.append(escapedName: name) }
        case .state: if let state { bytes.append(state: state) }
        case .tgid: bytes.append(number: tgid)
        case .pid: bytes.append(number: pid)
        case .ppid: bytes.append(number: ppid)
        case .tracerPid: bytes.append(number: tracerPid)
        case .uid: if let uid { bytes.append(credentials: uid.map(\.rawValue)) }
        case .gid: if let gid { bytes.append(credentials: gid.map(\.rawValue)) }
        case .namespaceTgids: bytes.append(processIDs: namespaceTgids)
        case .namespacePids: bytes.append(processIDs: namespacePids)
        case .namespacePgids: bytes.append(processIDs: namespacePgids)
        case .namespaceSessions: bytes.append(processIDs: namespaceSessions)
        case .kthread: bytes.append(number: kthread)
        case .vmPeak: bytes.append(kibibytes: vmPeak)
        case .vmSize: bytes.append(kibibytes: vmSize)
        case .vmHWM: bytes.append(kibibytes: vmHWM)
        case .vmRSS: bytes.append(kibibytes: vmRSS)
        case .vmSwap: bytes.append(kibibytes: vmSwap)
        case .threadCount: bytes.append(number: threadCount)
        case .inheritable: bytes.append(capabilities: inheritable)
        case .permitted: bytes.append(capabilities: permitted)
        case .effective: bytes.append(capabilities: effective)
        case .bounding: bytes.append(capabilities: bounding)
        case .ambient: bytes.append(capabilities: ambient)
        case .noNewPrivs: bytes.append(number: noNewPrivs)
        case .seccomp: bytes.append(number: seccomp)
        case .seccompFilters: bytes.append(number: seccompFilters)
        }
    }
}

extension OutputSpan where Element == UInt8 {
    fileprivate mutating func append(number value: UInt32?) {
        guard let value else { return }
        append(Ascii.tab)
        append(decimal: UInt64(value))
    }

    fileprivate mutating func append(number pid: ProcessID?) {
        append(number: pid.map { UInt32(clamping: $0.rawValue) })
    }

    fileprivate mutating func append(processIDs pids: [ProcessID]?) {
        guard let pids else { return }
        for pid in pids.prefix(FormatLimits.pidNamespaceDepth) { append(number: pid) }
        if pids.isEmpty { append(Ascii.tab) }
    }

    fileprivate mutating func append(credentials: ProcessStatus.Credentials<UInt32>) {
        append(number: credentials.real)
        append(number: credentials.effective)
        append(number: credentials.saved)
        append(number: credentials.fileSystem)
    }

    fileprivate mutating func append(kibibytes value: UInt64?) {
        guard let value else { return }
        append(Ascii.tab)
        var limit: UInt64 = 10_000_000
        while limit > max(value, 1) {
            append(Ascii.space)
            limit /= 10
        }
        append(decimal: value)
        append(text: " kB")
    }

    fileprivate mutating func append(capabilities set: ProcessStatus.CapabilitySet?) {
        guard let set else { return }
        append(Ascii.tab)
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: set.rawValue >> shift) & 0xf
            append(digit < 10 ? Ascii.zero + digit : 0x57 + digit)
        }
    }

    fileprivate mutating func append(state: TaskState) {
        append(Ascii.tab)
        append(state.rawValue)
        append(text: " (")
        append(text: state.words)
        append(Ascii.rightParenthesis)
    }

    fileprivate mutating func append(escapedName name: [UInt8]) {
        append(Ascii.tab)
        for byte in name.prefix(FormatLimits.taskNameByteCount) {
            switch byte {
            case Ascii.newline: append(text: #"\n"#)
            case Ascii.backslash: append(text: #"\\"#)
            default: append(byte)
            }
        }
    }

    fileprivate mutating func append(text: String) {
        let text = text.utf8.span
        for index in text.indices { append(text[index]) }
    }
}
