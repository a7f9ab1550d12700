import EventModel
import WireMessages

extension ProcessEvent {
    /// Reads the fields of a `ProcessEvent`.
    init(_ bytes: Span<UInt8>, _ reader: inout FieldReader) throws(MessageError) {
        // Stands in until the field comes; without it nothing is returned.
        self.init(identity: ProcessIdentity(pid: ProcessID(0), birth: .scan(startTicks: 0, pidFDInode: 0)))
        var seen = SeenMessages()
        while let tag = try reader.next(in: bytes) {
            let isTaken =
                switch tag.field {
                case 1...12: try takeFact(tag, bytes, &reader, &seen)
                case 13...23: try takeState(tag, bytes, &reader)
                case 24...28: try takeFinding(tag, bytes, &reader, &seen)
                default: try takeRelative(tag, bytes, &reader, &seen)
                }
            if !isTaken { try reader.skip(tag, in: bytes) }
        }
        guard seen.contains(1) else { throw MessageError(field: "identity", expected: "a value") }
        guard seen.contains(31) else { throw MessageError(field: "provenance", expected: "a value") }
    }

    private mutating func takeFact(
        _ tag: FieldReader.Tag, _ bytes: Span<UInt8>, _ reader: inout FieldReader, _ seen: inout SeenMessages
    ) throws(MessageError) -> Bool {
        switch (tag.field, tag.layout) {
        case (1, .bytes):
            try seen.enter(1, "identity")
            identity = try ProcessIdentity("identity", bytes, try reader.inner(in: bytes))
        case (2, .number): ppid = try ProcessID(try reader.halfNumber(in: bytes), "ppid")
        case (3, .bytes): name = try reader.text(in: bytes)
        case (4, .bytes): executablePath = try reader.text(in: bytes)
        case (5, .bytes):
            guard commandLine.count < Limits.argumentCount else {
                throw MessageError(field: "cmdline", expected: "at most \(Limits.argumentCount) arguments")
            }
            // Most command lines are this short: one piece of memory instead of four.
            if commandLine.isEmpty { commandLine.reserveCapacity(8) }
            commandLine.append(try reader.text(in: bytes))
        case (6, .number): isCommandLineTruncated = try reader.flag(in: bytes)
        case (7, .word): startTime = WallTime(nanoseconds: try reader.time(in: bytes))
        case (8, .number): startTicks = try reader.number(in: bytes)
        case (9, .word): cpuUsage = Double(bitPattern: try reader.word(in: bytes))
        case (10, .number): memoryUsage = try reader.number(in: bytes)
        case (11, .bytes): executableHash = try reader.text(in: bytes)
        case (12, .bytes): hashAlgorithm = try named(try reader.text(in: bytes), "hash_algorithm")
        default: return false
        }
        return true
    }

    private mutating func takeState(
        _ tag: FieldReader.Tag, _ bytes: Span<UInt8>, _ reader: inout FieldReader
    ) throws(MessageError) -> Bool {
        switch (tag.field, tag.layout) {
        case (13, .number): uid = UserID(try reader.halfNumber(in: bytes))
        case (14, .number): gid = GroupID(try reader.halfNumber(in: bytes))
        case (15, .number): realUID = UserID(try reader.halfNumber(in: bytes))
        case (16, .number): session = try ProcessID(try reader.halfNumber(in: bytes), "session")
        case (17, .bytes): cgroup = try reader.text(in: bytes)
        case (18, .number): pidNamespace = try reader.number(in: bytes)
        case (19, .number): isAccessible = try !reader.flag(in: bytes)
        case (20, .number): executableExists = try reader.flag(in: bytes)
        case (21, .number): isKernelThread = try reader.flag(in: bytes)
        case (22, .number): isZombie = try reader.flag(in: bytes)
        case (23, .number): isAmbiguous = try reader.flag(in: bytes)
        default: return false
        }
        return true
    }

    private mutating func takeFinding(
        _ tag: FieldReader.Tag, _ bytes: Span<UInt8>, _ reader: inout FieldReader, _ seen: inout SeenMessages
    ) throws(MessageError) -> Bool {
        switch (tag.field, tag.layout) {
        case (24, .bytes):
            try seen.enter(24, "exit")
            var inner = try reader.inner(in: bytes)
            exit = try within("exit") { () throws(MessageError) in try ProcessExit(bytes, &inner) }
        case (25, .number): tracer = try ProcessID(try reader.halfNumber(in: bytes), "tracer")
        case (26, .bytes):
            let text = try reader.text(in: bytes)
            let field: ProcessField = try within("modified[\(modifiedFields.count)]") {
                () throws(MessageError) in try named(text, "name")
            }
            guard modifiedFields.count < ProcessField.allCases.count else {
                throw MessageError(
                    field: "modified", expected: "at most \(ProcessField.allCases.count) entries")
            }
            modifiedFields.append(field)
        case (27, .bytes):
            try seen.enter(27, "suspicion")
            var inner = try reader.inner(in: bytes)
            suspicion = try within("suspicion") { () throws(MessageError) in try Suspicion(bytes, &inner) }
        case (28, .bytes):
            let words = try reader.identifier(in: bytes, "cpid")
            cpid = CommonProcessID(high: words.high, low: words.low)
        default: return false
        }
        return true
    }

    private mutating func takeRelative(
        _ tag: FieldReader.Tag, _ bytes: Span<UInt8>, _ reader: inout FieldReader, _ seen: inout SeenMessages
    ) throws(MessageError) -> Bool {
        switch (tag.field, tag.layout) {
        case (29, .bytes):
            try seen.enter(29, "parent")
            parent = try ProcessIdentity("parent", bytes, try reader.inner(in: bytes))
        case (30, .bytes):
            guard ancestors.count < Limits.ancestorCount else {
                throw MessageError(field: "ancestors", expected: "at most \(Limits.ancestorCount) entries")
            }
            if ancestors.isEmpty { ancestors.reserveCapacity(4) }
            let inner = try reader.inner(in: bytes)
            ancestors.append(try ProcessIdentity("ancestors[\(ancestors.count)]", bytes, inner))
        case (31, .bytes):
            try seen.enter(31, "provenance")
            var inner = try reader.inner(in: bytes)
            provenance = try within("provenance") { () throws(MessageError) in
                try ProcessProvenance(bytes, &inner)
            }
        case (32, .number): redactedCount = Int(try reader.halfNumber(in: bytes))
        case (33, .bytes):
            try seen.enter(33, "container")
            var inner = try reader.inner(in: bytes)
            container = try within("container") { () throws(MessageError) in
                try ContainerMembership(bytes, &inner)
            }
        default: return false
        }
        return true
    }
}

/// Which messages have stood within a message already, by their field's number, 1 ... 63.
private struct SeenMessages {
    private var bits: UInt64 = 0

    mutating func enter(_ field: UInt64, _ name: String) throws(MessageError) {
        try EventDecoder.once(!contains(field), name)
        bits |= 1 << field
    }

    func contains(_ field: UInt64) -> Bool { bits & 1 << field != 0 }
}

extension ProcessIdentity {
    fileprivate init(
        _ field: @autoclosure () -> String, _ bytes: Span<UInt8>, _ reader: FieldReader
    ) throws(MessageError) {
        var reader = reader
        self = try within(field()) { () throws(MessageError) in try ProcessIdentity(bytes, &reader) }
    }

    private init(_ bytes: Span<UInt8>, _ reader: inout FieldReader) throws(MessageError) {
        var pid: UInt32 = 0
        var birth: ProcessBirth?
        while let tag = try reader.next(in: bytes) {
            switch (tag.field, tag.layout) {
            case (1, .number): pid = try reader.halfNumber(in: bytes)
            case (2...4, .bytes):
                try EventDecoder.once(birth == nil, "birth")
                var inner = try reader.inner(in: bytes)
                birth =
                    tag.field == 3
                    ? try ProcessBirth(scan: bytes, &inner)
                    : try ProcessBirth(message: bytes, &inner, isFork: tag.field == 2)
            default: try reader.skip(tag, in: bytes)
            }
        }
        guard let birth else { throw MessageError(field: "birth", expected: "fork, scan or seen") }
        self.init(pid: try ProcessID(pid, "pid"), birth: birth)
    }
}

extension ProcessBirth {
    fileprivate init(
        message bytes: Span<UInt8>, _ reader: inout FieldReader, isFork: Bool
    ) throws(MessageError) {
        var processor: UInt32 = 0
        var sequence: UInt32 = 0
        var time: Int64 = 0
        while let tag = try reader.next(in: bytes) {
            switch (tag.field, tag.layout) {
            case (1, .number): processor = try reader.halfNumber(in: bytes)
            case (2, .number): sequence = try reader.halfNumber(in: bytes)
            case (3, .word): time = try reader.time(in: bytes)
            default: try reader.skip(tag, in: bytes)
            }
        }
        let timestamp = Instant(nanoseconds: time)
        self =
            isFork
            ? .fork(processor: processor, sequence: sequence, timestamp: timestamp)
            : .seen(processor: processor, sequence: sequence, timestamp: timestamp)
    }

    fileprivate init(scan bytes: Span<UInt8>, _ reader: inout FieldReader) throws(MessageError) {
        var ticks: UInt64 = 0
        var inode: UInt64 = 0
        while let tag = try reader.next(in: bytes) {
            switch (tag.field, tag.layout) {
            case (1, .number): ticks = try reader.number(in: bytes)
            case (2, .number): inode = try reader.number(in: bytes)
            default: try reader.skip(tag, in: bytes)
            }
        }
        self = .scan(startTicks: ticks, pidFDInode: inode)
    }
}

extension ProcessExit {
    fileprivate init(_ bytes: Span<UInt8>, _ reader: inout FieldReader) throws(MessageError) {
        self.init(status: nil, signal: nil, isCoreDumped: false, isInferred: false)
        while let tag = try reader.next(in: bytes) {
            switch (tag.field, tag.layout) {
            case (1, .number): status = try number(try reader.halfNumber(in: bytes), "status")
            case (2, .number): signal = try number(try reader.halfNumber(in: bytes), "signal")
            case (3, .number): isCoreDumped = try reader.flag(in: bytes)
            case (4, .number): isInferred = try reader.flag(in: bytes)
            default: try reader.skip(tag, in: bytes)
            }
        }
    }
}

extension ContainerMembership {
    fileprivate init(_ bytes: Span<UInt8>, _ reader: inout FieldReader) throws(MessageError) {
        var message = WireContainerMembership()
        while let tag = try reader.next(in: bytes) {
            switch (tag.field, tag.layout) {
            case (1, .bytes): message.kind = try reader.text(in: bytes)
            case (2, .bytes): message.runtime = try reader.text(in: bytes)
            case (3, .bytes): message.id = try reader.text(in: bytes)
            case (4, .bytes): message.pod = try reader.text(in: bytes)
            case (5, .bytes): message.unit = try reader.text(in: bytes)
            default: try reader.skip(tag, in: bytes)
            }
        }
        try self.init(message)
    }
}

extension Suspicion {
    fileprivate init(_ bytes: Span<UInt8>, _ reader: inout FieldReader) throws(MessageError) {
        var message = WireSuspicion()
        while let tag = try reader.next(in: bytes) {
            switch (tag.field, tag.layout) {
            case (1, .bytes): message.reason = try reader.text(in: bytes)
            case (2, .bytes): message.severity = try reader.text(in: bytes)
            default: try reader.skip(tag, in: bytes)
            }
        }
        try self.init(message)
    }
}

extension ProcessProvenance {
    fileprivate init(_ bytes: Span<UInt8>, _ reader: inout FieldReader) throws(MessageError) {
        self.init()
        while let tag = try reader.next(in: bytes) {
            guard (1...12).contains(tag.field), tag.layout == .number else {
                try reader.skip(tag, in: bytes)
                continue
            }
            try set(tag.field, WireLearnt(number: try reader.halfNumber(in: bytes)))
        }
    }

    private mutating func set(_ field: UInt64, _ learnt: WireLearnt) throws(MessageError) {
        switch field {
        case 1: name = try Provenance(learnt, "name")
        case 2: exe = try Provenance(learnt, "exe")
        case 3: cmdline = try Provenance(learnt, "cmdline")
        case 4: ppid = try Provenance(learnt, "ppid")
        case 5: uid = try Provenance(learnt, "uid")
        case 6: gid = try Provenance(learnt, "gid")
        case 7: session = try Provenance(learnt, "session")
        case 8: startTime = try Provenance(learnt, "start_time")
        case 9: cgroup = try Provenance(learnt, "cgroup")
        case 10: pidNamespace = try Provenance(learnt, "pid_namespace")
        case 11: memory = try Provenance(learnt, "memory")
        default: cpid = try Provenance(learnt, "cpid")
        }
    }
}

extension WireLearnt {
    /// An enumeration as it comes: any number of 32 bits.
    init(number: UInt32) {
        let value = Int(Int32(bitPattern: number))
        self = WireLearnt(rawValue: value) ?? .UNRECOGNIZED(value)
    }
}
