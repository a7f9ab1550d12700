package import EventModel
package import WireMessages

extension WireRun {
    /// The message of a run.
    package init(_ run: RunContext) {
        self.init()
        bootID = run.bootID.description
        runID = run.runID.rawValue
    }
}

extension RunContext {
    /// Reads a run.
    package init(_ message: WireRun) throws(MessageError) {
        guard let bootID = BootID(message.bootID) else {
            throw MessageError(field: "boot_id", expected: "8-4-4-4-12 hexadecimal digits")
        }
        self.init(bootID: bootID, runID: RunID(message.runID))
    }
}

extension ProcessID {
    /// The number as messages carry it.
    var wireValue: UInt32 { UInt32(bitPattern: rawValue) }

    /// Reads a pid; 0 is the kernel's idle task.
    init(_ value: UInt32, _ field: String) throws(MessageError) {
        guard let number = Int32(exactly: value) else {
            throw MessageError(field: field, expected: "a pid from 0 to \(Int32.max)")
        }
        self.init(number)
    }
}

extension SourceName {
    /// Reads a source's name.
    init(_ text: String, _ field: String) throws(MessageError) {
        guard let name = SourceName(text) else {
            throw MessageError(
                field: field, expected: "1 to 64 lower-case letters, digits, \"-\" and \"_\"")
        }
        self = name
    }
}

extension WireProcessIdentity {
    /// The message of an incarnation.
    package init(_ identity: ProcessIdentity) {
        self.init()
        pid = identity.pid.wireValue
        switch identity.birth {
        case .fork(let processor, let sequence, let timestamp):
            birth = .fork(Message(processor, sequence, timestamp))
        case .scan(let startTicks, let inode):
            var scan = Scan()
            scan.startTicks = startTicks
            scan.pidfdInode = inode
            birth = .scan(scan)
        case .seen(let processor, let sequence, let timestamp):
            birth = .seen(Message(processor, sequence, timestamp))
        }
    }
}

extension WireProcessIdentity.Message {
    fileprivate init(_ processor: UInt32, _ sequence: UInt32, _ timestamp: Instant) {
        self.init()
        self.processor = processor
        self.sequence = sequence
        monotonicNs = timestamp.nanoseconds
    }

    fileprivate var timestamp: Instant { Instant(nanoseconds: monotonicNs) }
}

extension ProcessIdentity {
    /// Reads an incarnation.
    package init(_ message: WireProcessIdentity) throws(MessageError) {
        let birth: ProcessBirth
        switch message.birth {
        case .fork(let fork):
            birth = .fork(processor: fork.processor, sequence: fork.sequence, timestamp: fork.timestamp)
        case .scan(let scan): birth = .scan(startTicks: scan.startTicks, pidFDInode: scan.pidfdInode)
        case .seen(let seen):
            birth = .seen(processor: seen.processor, sequence: seen.sequence, timestamp: seen.timestamp)
        case nil: throw MessageError(field: "birth", expected: "fork, scan or seen")
        }
        self.init(pid: try ProcessID(message.pid, "pid"), birth: birth)
    }
}
