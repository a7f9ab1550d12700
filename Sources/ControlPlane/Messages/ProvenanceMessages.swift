package import EventModel
package import WireMessages

extension WireLearnt {
    /// The message of how a field was learnt.
    package init(_ provenance: Provenance) {
        self =
            switch provenance {
            case .absent: .absent
            case .kernelMessage: .kernel
            case .verified: .verified
            case .inherited: .inherited
            case .lateRead: .late
            case .unknown(let reason): Self(reason)
            }
    }

    private init(_ reason: UnknownReason) {
        self =
            switch reason {
            case .vanished: .unknownVanished
            case .reused: .unknownReused
            case .notReadYet: .unknownNotReadYet
            case .superseded: .unknownSuperseded
            case .denied: .unknownDenied
            case .unsupported: .unknownUnsupported
            case .malformed: .unknownMalformed
            case .failed: .unknownFailed
            case .gap: .unknownGap
            }
    }
}

extension Provenance {
    /// Reads how `field` was learnt.
    package init(_ message: WireLearnt, _ field: String) throws(MessageError) {
        switch message {
        case .absent: self = .absent
        case .kernel: self = .kernelMessage
        case .verified: self = .verified
        case .inherited: self = .inherited
        case .late: self = .lateRead
        case .unknownVanished: self = .unknown(.vanished)
        case .unknownReused: self = .unknown(.reused)
        case .unknownNotReadYet: self = .unknown(.notReadYet)
        case .unknownSuperseded: self = .unknown(.superseded)
        case .unknownDenied: self = .unknown(.denied)
        case .unknownUnsupported: self = .unknown(.unsupported)
        case .unknownMalformed: self = .unknown(.malformed)
        case .unknownFailed: self = .unknown(.failed)
        case .unknownGap: self = .unknown(.gap)
        case .UNRECOGNIZED:
            throw MessageError(field: field, expected: "a value of Learnt from 0 to 13")
        }
    }
}

extension WireProcessProvenance {
    /// The message of how a process's fields were learnt.
    package init(_ provenance: ProcessProvenance) {
        self.init()
        name = WireLearnt(provenance.name)
        exe = WireLearnt(provenance.exe)
        cmdline = WireLearnt(provenance.cmdline)
        ppid = WireLearnt(provenance.ppid)
        uid = WireLearnt(provenance.uid)
        gid = WireLearnt(provenance.gid)
        session = WireLearnt(provenance.session)
        startTime = WireLearnt(provenance.startTime)
        cgroup = WireLearnt(provenance.cgroup)
        pidNamespace = WireLearnt(provenance.pidNamespace)
        memory = WireLearnt(provenance.memory)
        cpid = WireLearnt(provenance.cpid)
    }
}

extension ProcessProvenance {
    /// Reads how a process's fields were learnt.
    package init(_ message: WireProcessProvenance) throws(MessageError) {
        self.init()
        name = try Provenance(message.name, "name")
        exe = try Provenance(message.exe, "exe")
        cmdline = try Provenance(message.cmdline, "cmdline")
        ppid = try Provenance(message.ppid, "ppid")
        uid = try Provenance(message.uid, "uid")
        gid = try Provenance(message.gid, "gid")
        session = try Provenance(message.session, "session")
        startTime = try Provenance(message.startTime, "start_time")
        cgroup = try Provenance(message.cgroup, "cgroup")
        pidNamespace = try Provenance(message.pidNamespace, "pid_namespace")
        memory = try Provenance(message.memory, "memory")
        cpid = try Provenance(message.cpid, "cpid")
    }
}
