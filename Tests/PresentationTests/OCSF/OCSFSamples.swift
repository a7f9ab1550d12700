import EventModel
import Presentation

/// One event of each kind, and of each way in which a kind is projected.
enum OCSFSamples {
    static let run = RunContext(
        bootID: BootID(high: 0x2899_dae4_4fa4_4eef, low: 0x95b6_6bc9_5325_f61a), runID: RunID(7))
    static let time = WallTime(nanoseconds: 1_772_359_200_123_456_789)
    static let projection = OCSFProjection(hostName: "web-1", productVersion: "0.1.0")

    static func line(_ event: Event) -> String {
        var bytes: [UInt8] = []
        projection.append(event, run: run, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    static func event(
        _ kind: EventKind, _ subject: CollectionEvent, origin: EventOrigin = .emitted, escaped: [String] = []
    ) -> Event {
        let isFile = kind.rawValue.hasPrefix("file.")
        var event = Event(
            source: isFile ? .filesystem : .process, kind: kind, origin: origin, time: time,
            monotonic: Instant(nanoseconds: 5_000_000_001), subject: subject, escaped: escaped)
        event.sequence = 42
        return event
    }

    static var bareProcess: ProcessEvent {
        ProcessEvent(
            identity: ProcessIdentity(
                pid: ProcessID(4_711),
                birth: .fork(processor: 1, sequence: 99, timestamp: Instant(nanoseconds: 4_999_999_999))))
    }

    /// A process as it is usually known.
    static var usualProcess: ProcessEvent {
        var process = bareProcess
        process.ppid = ProcessID(42)
        process.name = "curl"
        process.executablePath = "/usr/bin/curl"
        process.commandLine = ["curl", "-s", "https://example.org/"]
        process.startTime = WallTime(nanoseconds: 1_772_359_200_100_000_000)
        process.uid = UserID(1_000)
        process.gid = GroupID(100)
        process.cpid = CommonProcessID(high: 0xb770_a0ed_8463_822c, low: 0xb5f6_30d9_081d_dbd9)
        let parent = ProcessIdentity(pid: ProcessID(42), birth: .scan(startTicks: 3, pidFDInode: 17))
        process.parent = parent
        process.ancestors = [
            parent, ProcessIdentity(pid: ProcessID(1), birth: .scan(startTicks: 1, pidFDInode: 16)),
        ]
        process.provenance.exe = .verified
        process.provenance.cmdline = .verified
        process.provenance.uid = .inherited
        return process
    }

    /// A process of which everything is known.
    static var fullProcess: ProcessEvent {
        var process = usualProcess
        process.ppid = ProcessID(1)
        process.commandLine = ["sh", "-c", "rm -rf \"$1\"", ""]
        process.isCommandLineTruncated = true
        process.startTicks = 500
        process.cpuUsage = 12.5
        process.memoryUsage = 8_192
        process.executableHash = "ab12"
        process.hashAlgorithm = .blake3
        process.uid = UserID(4_294_967_294)
        process.gid = GroupID(4_294_967_294)
        process.realUID = UserID(0)
        process.session = ProcessID(4_700)
        process.cgroup = "/system.slice/ssh.service"
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
        process.provenance.memory = .lateRead
        return process
    }

    static func process(_ kind: EventKind, _ change: (inout ProcessEvent) -> Void = { _ in }) -> Event {
        var process = usualProcess
        change(&process)
        return event(kind, .process(process))
    }

    static let pod = "ac04f3f2-1f2c-11e9-b015-1ebee232acfa"

    /// A process in a container `web`.
    static func container(_ cgroup: String, _ runtime: ContainerRuntime?, pod: String?) -> Event {
        process(.processExec) {
            $0.cgroup = cgroup
            $0.container = ContainerMembership(
                kind: .container, runtime: runtime, id: "web", pod: pod, unit: nil)
        }
    }

    static func file(
        _ kind: EventKind, _ operation: FileOperation, _ change: (inout FilesystemEvent) -> Void = { _ in }
    ) -> Event {
        var file = FilesystemEvent(path: "/etc/passwd", operation: operation)
        file.type = .regular
        file.size = 10
        file.permissions = 0o4755
        file.uid = UserID(0)
        file.gid = GroupID(0)
        file.inode = 77
        file.device = 2_049
        file.linkCount = 1
        file.modifiedTime = time
        file.metadata = .lateRead
        file.fileHash = "00ff"
        file.hashAlgorithm = .sha256
        change(&file)
        return event(kind, .filesystem(file))
    }

    static var transaction: PackageTransaction {
        var transaction = PackageTransaction(manager: "dpkg", begun: time, ended: time)
        transaction.packages = [PackageTransaction.Package(name: "curl", action: .installed)]
        transaction.packageCount = 1
        return transaction
    }

    /// Each way in which a process event is projected, with what the table of the documentation calls it.
    static var processes: [(name: String, event: Event)] {
        [
            ("`process.fork`", process(.processFork)),
            ("`process.fork`, parent not known", event(.processFork, .process(bareProcess))),
            ("`process.exec`", process(.processExec)),
            ("`process.exit`", process(.processExit) { $0.exit = ProcessExit(code: 3 << 8) }),
            ("`process.setid`", process(.processSetID) { $0.modifiedFields = [.uid] }),
            ("`process.setid`, of the group", process(.processSetID) { $0.modifiedFields = [.gid] }),
            ("`process.session`", process(.processSession) { $0.session = ProcessID(4_711) }),
            ("`process.comm`", process(.processComm)),
            ("`process.ptrace`", process(.processPtrace) { $0.tracer = ProcessID(9) }),
            ("`process.ptrace`, detached", process(.processPtrace)),
            ("`process.coredump`", process(.processCoredump)),
            ("`process.baseline`", process(.processBaseline)),
            ("`process.modified`", process(.processModified) { $0.modifiedFields = [.cgroup] }),
            (
                "`process.suspicious`",
                process(.processSuspicious) {
                    $0.suspicion = Suspicion(reason: .executedDeletedFile, severity: .critical)
                }
            ),
        ]
    }

    /// The same of files.
    static var files: [(name: String, event: Event)] {
        [
            ("`file.created`", file(.fileCreated, .created)),
            ("`file.created`, pid known", file(.fileCreated, .created) { $0.pid = ProcessID(9) }),
            ("`file.modified`", file(.fileModified, .modified)),
            ("`file.deleted`", file(.fileDeleted, .deleted)),
            ("`file.renamed`", file(.fileRenamed, .renamed) { $0.previousPath = "/etc/passwd-" }),
            ("`file.attributes`", file(.fileAttributes, .attributes) { $0.changes = [.modified] }),
            (
                "`file.attributes`, of permissions, owner or group",
                file(.fileAttributes, .attributes) { $0.changes = [.status, .permissions] }
            ),
            ("`file.baseline`", file(.fileBaseline, .baseline)),
            ("`file.suspicious`", file(.fileSuspicious, .suspicious) { $0.suspicion = .packageMismatch }),
            (
                "`file.transaction`",
                file(.fileTransaction, .transaction) { $0.transaction = transaction }
            ),
        ]
    }

    /// Of the domains that the schema has no class for here.
    static var others: [(name: String, event: Event)] {
        let network = NetworkEvent(
            connectionID: "c", source: SocketAddress(address: "127.0.0.1", port: 80),
            destination: SocketAddress(address: "::1", port: 65_535), protocolName: .tcp,
            state: .synReceived, pid: ProcessID(3), sentByteCount: .max, receivedByteCount: 0)
        let measurement = PerformanceEvent(
            metricName: "process.cpu.time", value: 0.5, unit: "s", pid: nil, component: "x")
        return [
            ("`network.open`", event(.networkOpen, .network(network))),
            ("`performance.sample`", event(.performanceSample, .performance(measurement))),
        ]
    }

    static var gap: Gap {
        Gap(
            source: .process, cause: .kernelOverflow, lost: 12, lostBounds: .exactly(12),
            from: Instant(nanoseconds: 1), until: Instant(nanoseconds: 2), time: time,
            processors: [ProcessorLoss(processor: 3, lost: 12, after: 100, before: 113)], subscriber: nil)
    }
}
