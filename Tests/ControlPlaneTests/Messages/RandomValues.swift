import Backends
import CollectorCore
import ControlPlane
import EventModel

/// Values in which every field takes all kinds of values, the same ones for the same seed.
struct RandomValues: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }

    // MARK: - Parts

    mutating func flag() -> Bool { next() & 1 == 0 }

    /// Numbers of all magnitudes; the ends of the range are frequent.
    mutating func number<Number: FixedWidthInteger>() -> Number {
        let word = next()
        switch word & 7 {
        case 0: return 0
        case 1: return .max
        case 2: return .min
        default: return Number(truncatingIfNeeded: next() >> (word >> 8 & 63))
        }
    }

    mutating func count() -> UInt64 { (number() as UInt64) & (MessageLimits.count - 1) }
    mutating func positive() -> Int { (number() as Int) & .max }

    mutating func optional<Value>(_ value: (inout Self) -> Value) -> Value? { flag() ? nil : value(&self) }

    mutating func list<Value>(upTo most: Int, _ value: (inout Self) -> Value) -> [Value] {
        (0..<Int(next() % UInt64(most + 1))).map { _ in value(&self) }
    }

    mutating func one<Value: CaseIterable>(of type: Value.Type = Value.self) -> Value {
        let all = Array(type.allCases)
        return all[Int(next() % UInt64(all.count))]
    }

    mutating func text() -> String {
        let pieces = [
            "", "a", "/usr/bin/ls", "é", "日本語", "\\x41", "\n", "\u{1b}[2J", " ", "\u{301}", "😀", "\0",
        ]
        let length = next() & 15 == 0 ? 60 : 3
        return list(upTo: length) { values in pieces[Int(values.next() % UInt64(pieces.count))] }.joined()
    }

    mutating func source() -> SourceName {
        let names: [SourceName] = ["process", "filesystem", "x", "a-b_9"]
        return names[Int(next() % 4)]
    }

    mutating func pid() -> ProcessID { ProcessID((number() as Int32) & .max) }
    mutating func wallTime() -> WallTime { WallTime(nanoseconds: number()) }
    mutating func instant() -> Instant { Instant(nanoseconds: number()) }
    mutating func double() -> Double { flag() ? 0 : Double(number() as Int32) / 7 }

    mutating func run() -> RunContext {
        RunContext(bootID: BootID(high: number(), low: number()), runID: RunID(number()))
    }

    mutating func provenance() -> Provenance {
        switch next() % 6 {
        case 0: .absent
        case 1: .kernelMessage
        case 2: .verified
        case 3: .inherited
        case 4: .lateRead
        default: .unknown(one())
        }
    }

    mutating func identity() -> ProcessIdentity {
        let birth: ProcessBirth =
            switch next() % 3 {
            case 0: .fork(processor: number(), sequence: number(), timestamp: instant())
            case 1: .scan(startTicks: number(), pidFDInode: number())
            default: .seen(processor: number(), sequence: number(), timestamp: instant())
            }
        return ProcessIdentity(pid: pid(), birth: birth)
    }

    // MARK: - Subjects

    mutating func process() -> ProcessEvent {
        var process = ProcessEvent(identity: identity())
        process.ppid = optional { $0.pid() }
        process.name = optional { $0.text() }
        process.executablePath = optional { $0.text() }
        process.commandLine = list(upTo: 4) { $0.text() }
        process.isCommandLineTruncated = flag()
        process.startTime = optional { $0.wallTime() }
        process.startTicks = optional { $0.number() }
        process.cpuUsage = optional { $0.double() }
        process.memoryUsage = optional { $0.number() }
        process.executableHash = optional { $0.text() }
        process.hashAlgorithm = optional { $0.one() }
        process.uid = optional { UserID($0.number()) }
        process.gid = optional { GroupID($0.number()) }
        process.realUID = optional { UserID($0.number()) }
        process.session = optional { $0.pid() }
        process.cgroup = optional { $0.text() }
        process.container = optional { values in
            ContainerMembership(
                kind: values.one(), runtime: values.optional { $0.one() }, id: values.optional { $0.text() },
                pod: values.optional { $0.text() }, unit: values.optional { $0.text() })
        }
        process.pidNamespace = optional { $0.number() }
        process.isAccessible = flag()
        process.executableExists = optional { $0.flag() }
        process.isKernelThread = flag()
        process.isZombie = flag()
        process.isAmbiguous = flag()
        process.exit = optional { values in
            ProcessExit(
                status: values.optional { $0.number() }, signal: values.optional { $0.number() },
                isCoreDumped: values.flag(), isInferred: values.flag())
        }
        process.tracer = optional { $0.pid() }
        process.modifiedFields = list(upTo: 3) { $0.one() }
        process.suspicion = optional { Suspicion(reason: $0.one(), severity: $0.one()) }
        process.cpid = optional { CommonProcessID(high: $0.number(), low: $0.number()) }
        process.parent = optional { $0.identity() }
        process.ancestors = list(upTo: Limits.ancestorCount) { $0.identity() }
        process.provenance = processProvenance()
        process.redactedCount = flag() ? Int((number() as UInt64) & 0xffff) : 0
        return process
    }

    private mutating func processProvenance() -> ProcessProvenance {
        var known = ProcessProvenance()
        known.name = provenance()
        known.exe = provenance()
        known.cmdline = provenance()
        known.ppid = provenance()
        known.uid = provenance()
        known.gid = provenance()
        known.session = provenance()
        known.startTime = provenance()
        known.cgroup = provenance()
        known.pidNamespace = provenance()
        known.memory = provenance()
        known.cpid = provenance()
        return known
    }

    mutating func file() -> FilesystemEvent {
        var file = FilesystemEvent(path: text(), operation: one())
        file.previousPath = optional { $0.text() }
        file.type = optional { $0.one() }
        file.pid = optional { $0.pid() }
        file.size = optional { $0.number() }
        file.permissions = optional { $0.number() & 0o7777 }
        file.uid = optional { UserID($0.number()) }
        file.gid = optional { GroupID($0.number()) }
        file.inode = optional { $0.number() }
        file.device = optional { $0.number() }
        file.linkCount = optional { $0.number() }
        file.modifiedTime = optional { $0.wallTime() }
        file.metadata = provenance()
        file.fileHash = optional { $0.text() }
        file.hashAlgorithm = optional { $0.one() }
        file.hashObstacle = optional { $0.one() }
        file.changes = list(upTo: 3) { $0.one() }
        file.suspicion = optional { $0.one() }
        file.transaction = optional { $0.transaction() }
        return file
    }

    private mutating func transaction() -> PackageTransaction {
        var transaction = PackageTransaction(manager: text(), begun: wallTime(), ended: wallTime())
        transaction.packages = list(upTo: 3) { PackageTransaction.Package(name: $0.text(), action: $0.one()) }
        transaction.packageCount = number()
        transaction.foldedCount = number()
        transaction.verifiedCount = number()
        transaction.mismatchedCount = number()
        transaction.unlistedCount = number()
        transaction.uncheckedCount = number()
        return transaction
    }

    mutating func network() -> NetworkEvent {
        NetworkEvent(
            connectionID: text(), source: SocketAddress(address: text(), port: number()),
            destination: SocketAddress(address: text(), port: number()), protocolName: one(), state: one(),
            pid: optional { $0.pid() }, sentByteCount: number(), receivedByteCount: number())
    }

    mutating func sample() -> PerformanceEvent {
        PerformanceEvent(
            metricName: text(), value: double(), unit: text(), pid: optional { $0.pid() }, component: text())
    }

    mutating func request() throws -> TriggerRequest {
        let types: [AnalysisType] = [
            .binaryHash, .memoryAnalysis, .yaraScan, .networkAnalysis, .behavioralAnalysis, .custom(text()),
        ]
        let isOfProcess = flag()
        return try TriggerRequest(
            triggerID: "t" + text(), targetCollector: "c" + text(),
            analysisType: types[Int(next() % UInt64(types.count))], priority: one(),
            targetPID: isOfProcess ? pid() : nil, targetPath: isOfProcess && flag() ? nil : text(),
            correlationID: "i" + text(),
            metadata: list(upTo: 3) { $0.text() }.enumerated().map { ("\($0.offset)" + $0.element, text()) })
    }

    // MARK: - Records

    mutating func event() throws -> Event {
        let subject: CollectionEvent =
            switch next() % 5 {
            case 0: .process(process())
            case 1: .filesystem(file())
            case 2: .network(network())
            case 3: .performance(sample())
            default: .triggerRequest(try request())
            }
        return Event(
            source: "process", kind: one(), origin: one(), time: wallTime(), monotonic: instant(),
            subject: subject, escaped: list(upTo: 2) { $0.text() })
    }

    mutating func batch(of count: Int) throws -> EventBatch {
        let source = source()
        var events: ContiguousArray<Event> = []
        var sequence: UInt64 = 0
        for _ in 0..<count {
            var event = try event()
            event.source = source
            sequence += 1 + next() % 1_000
            event.sequence = sequence
            events.append(event)
        }
        return EventBatch(run: run(), source: source, events: events)
    }
}
