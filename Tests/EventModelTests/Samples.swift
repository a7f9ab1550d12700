import EventModel

/// Values that several suites share.
enum Samples {
    static let run = RunContext(
        bootID: BootID(high: 0x2899_dae4_4fa4_4eef, low: 0x95b6_6bc9_5325_f61a), runID: RunID(7))
    static let time = WallTime(nanoseconds: 1_772_359_200_123_456_789)

    static func event(
        _ kind: EventKind, _ subject: CollectionEvent, origin: EventOrigin = .emitted, escaped: [String] = []
    ) -> Event {
        var event = Event(
            source: .process, kind: kind, origin: origin, time: time,
            monotonic: Instant(nanoseconds: 5_000_000_001),
            subject: subject, escaped: escaped)
        event.sequence = 42
        return event
    }

    /// An event with nothing that can be left out.
    static var bareProcess: ProcessEvent {
        ProcessEvent(
            identity: ProcessIdentity(
                pid: ProcessID(4_711),
                birth: .fork(processor: 1, sequence: 99, timestamp: Instant(nanoseconds: 4_999_999_999))))
    }

    /// An event in which every field has a value.
    static var fullProcess: ProcessEvent {
        var process = bareProcess
        process.ppid = ProcessID(1)
        process.name = "sshd"
        process.executablePath = "/usr/sbin/sshd"
        process.commandLine = ["sshd", "-D"]
        process.isCommandLineTruncated = true
        process.redactedCount = 2
        process.startTime = WallTime(nanoseconds: 0)
        process.startTicks = 500
        process.cpuUsage = 12.5
        process.memoryUsage = 8_192
        process.executableHash = "ab12"
        process.hashAlgorithm = .sha256
        process.uid = UserID(1_000)
        process.gid = GroupID(100)
        process.realUID = UserID(0)
        process.session = ProcessID(4_700)
        process.cgroup = "/system.slice/ssh.service"
        process.container = ContainerMembership(
            kind: .container, runtime: .criO, id: "c1", pod: "p1", unit: "crio-c1.scope")
        process.pidNamespace = 4_026_531_836
        process.isAccessible = false
        process.executableExists = false
        process.isKernelThread = true
        process.isZombie = true
        process.isAmbiguous = true
        process.exit = ProcessExit(code: 0x8b)
        process.tracer = ProcessID(12)
        process.modifiedFields = [.name, .pidNamespace]
        process.suspicion = Suspicion(reason: .executedFromMemory, severity: .high)
        process.cpid = CommonProcessID(high: 0xb770_a0ed_8463_822c, low: 0xb5f6_30d9_081d_dbd9)
        let parent = ProcessIdentity(pid: ProcessID(1), birth: .scan(startTicks: 3, pidFDInode: 17))
        process.parent = parent
        process.ancestors = [
            parent,
            ProcessIdentity(
                pid: ProcessID(2),
                birth: .seen(processor: 0, sequence: 5, timestamp: Instant(nanoseconds: 6))),
        ]
        process.provenance.name = .kernelMessage
        process.provenance.exe = .verified
        process.provenance.cmdline = .unknown(.vanished)
        process.provenance.uid = .inherited
        process.provenance.memory = .lateRead
        return process
    }

    static func network(_ text: String) -> NetworkEvent {
        NetworkEvent(
            connectionID: text, source: SocketAddress(address: "127.0.0.1", port: 80),
            destination: SocketAddress(address: "::1", port: 65_535), protocolName: .tcp, state: .synReceived,
            pid: ProcessID(3), sentByteCount: .max, receivedByteCount: 0)
    }

    static func file(_ text: String) -> FilesystemEvent {
        var file = FilesystemEvent(path: text, operation: .renamed)
        file.previousPath = text
        file.pid = ProcessID(9)
        file.size = 10
        file.permissions = 0o4755
        file.uid = UserID(0)
        file.fileHash = "00"
        file.hashAlgorithm = .sha3_256
        return file
    }

    static func measurement(_ text: String, value: Double = 0.1) -> PerformanceEvent {
        PerformanceEvent(metricName: "process.cpu.time", value: value, unit: "s", pid: nil, component: text)
    }

    static func trigger(_ text: String) throws -> TriggerRequest {
        try TriggerRequest(
            triggerID: "t1", targetCollector: "yara", analysisType: .custom(text), priority: .critical,
            targetPID: nil, targetPath: text, correlationID: "c-1",
            metadata: [("b" + text, "2"), ("a", text)])
    }
}
