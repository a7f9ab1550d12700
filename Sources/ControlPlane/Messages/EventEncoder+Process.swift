import EventModel
import WireMessages

extension FieldWriter {
    /// Writes the fields of a `ProcessEvent`.
    mutating func write(_ process: ProcessEvent) {
        message(1, lengthByteCount: 1) { $0.write(process.identity) }
        if let ppid = process.ppid { number(2, UInt64(ppid.wireValue)) }
        if let name = process.name { text(3, name) }
        if let exe = process.executablePath { text(4, exe) }
        for argument in process.commandLine { text(5, argument) }
        flag(6, ifTrue: process.isCommandLineTruncated)
        if let start = process.startTime { time(7, start.nanoseconds) }
        if let ticks = process.startTicks { number(8, ticks) }
        if let usage = process.cpuUsage { word(9, usage.bitPattern) }
        if let usage = process.memoryUsage { number(10, usage) }
        if let hash = process.executableHash { text(11, hash) }
        if let algorithm = process.hashAlgorithm { text(12, algorithm.rawValue) }
        if let uid = process.uid { number(13, UInt64(uid.rawValue)) }
        if let gid = process.gid { number(14, UInt64(gid.rawValue)) }
        if let uid = process.realUID { number(15, UInt64(uid.rawValue)) }
        if let session = process.session { number(16, UInt64(session.wireValue)) }
        if let cgroup = process.cgroup { text(17, cgroup) }
        if let namespace = process.pidNamespace { number(18, namespace) }
        flag(19, ifTrue: !process.isAccessible)
        if let exists = process.executableExists { number(20, exists ? 1 : 0) }
        flag(21, ifTrue: process.isKernelThread)
        flag(22, ifTrue: process.isZombie)
        flag(23, ifTrue: process.isAmbiguous)
        if let exit = process.exit { message(24, lengthByteCount: 1) { $0.write(exit) } }
        if let tracer = process.tracer { number(25, UInt64(tracer.wireValue)) }
        for field in process.modifiedFields { text(26, field.rawValue) }
        if let suspicion = process.suspicion {
            message(27, lengthByteCount: 1) { writer in
                writer.text(1, suspicion.reason.rawValue)
                writer.text(2, suspicion.severity.rawValue)
            }
        }
        if let cpid = process.cpid { text(28, byteCount: 36) { cpid.append(to: &$0) } }
        if let parent = process.parent { message(29, lengthByteCount: 1) { $0.write(parent) } }
        for ancestor in process.ancestors { message(30, lengthByteCount: 1) { $0.write(ancestor) } }
        message(31, lengthByteCount: 1) { $0.write(process.provenance) }
        number(32, unlessZero: UInt64(UInt32(clamping: process.redactedCount)))
        if let container = process.container { message(33, lengthByteCount: 1) { $0.write(container) } }
    }

    private mutating func write(_ identity: ProcessIdentity) {
        number(1, unlessZero: UInt64(identity.pid.wireValue))
        switch identity.birth {
        case .fork(let processor, let sequence, let timestamp):
            message(2, lengthByteCount: 1) { $0.write(processor, sequence, timestamp) }
        case .scan(let startTicks, let inode):
            message(3, lengthByteCount: 1) { writer in
                writer.number(1, unlessZero: startTicks)
                writer.number(2, unlessZero: inode)
            }
        case .seen(let processor, let sequence, let timestamp):
            message(4, lengthByteCount: 1) { $0.write(processor, sequence, timestamp) }
        }
    }

    @inline(__always)
    private mutating func write(_ processor: UInt32, _ sequence: UInt32, _ timestamp: Instant) {
        number(1, unlessZero: UInt64(processor))
        number(2, unlessZero: UInt64(sequence))
        time(3, unlessZero: timestamp.nanoseconds)
    }

    private mutating func write(_ container: ContainerMembership) {
        text(1, container.kind.rawValue)
        if let runtime = container.runtime { text(2, runtime.rawValue) }
        if let id = container.id { text(3, id) }
        if let pod = container.pod { text(4, pod) }
        if let unit = container.unit { text(5, unit) }
    }

    private mutating func write(_ exit: ProcessExit) {
        if let status = exit.status { number(1, UInt64(status)) }
        if let signal = exit.signal { number(2, UInt64(signal)) }
        flag(3, ifTrue: exit.isCoreDumped)
        flag(4, ifTrue: exit.isInferred)
    }

    private mutating func write(_ provenance: ProcessProvenance) {
        learnt(1, provenance.name)
        learnt(2, provenance.exe)
        learnt(3, provenance.cmdline)
        learnt(4, provenance.ppid)
        learnt(5, provenance.uid)
        learnt(6, provenance.gid)
        learnt(7, provenance.session)
        learnt(8, provenance.startTime)
        learnt(9, provenance.cgroup)
        learnt(10, provenance.pidNamespace)
        learnt(11, provenance.memory)
        learnt(12, provenance.cpid)
    }

    /// How a field was learnt; left out when it was not looked for.
    @inline(__always)
    mutating func learnt(_ field: UInt32, _ provenance: Provenance) {
        if case .absent = provenance { return }
        number(field, UInt64(WireLearnt(provenance).rawValue))
    }
}
