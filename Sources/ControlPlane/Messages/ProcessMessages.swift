package import EventModel
package import WireMessages

extension WireProcessEvent {
    /// The message of a process.
    package init(_ process: ProcessEvent) {
        self.init()
        identity = WireProcessIdentity(process.identity)
        if let ppid = process.ppid { self.ppid = ppid.wireValue }
        if let name = process.name { self.name = name }
        if let exe = process.executablePath { self.exe = exe }
        if !process.commandLine.isEmpty { cmdline = process.commandLine }
        if process.isCommandLineTruncated { isCmdlineTruncated = true }
        if let time = process.startTime { startTimeUnixNs = time.nanoseconds }
        if let ticks = process.startTicks { startTicks = ticks }
        if let usage = process.cpuUsage { cpuPercent = usage }
        if let usage = process.memoryUsage { memoryBytes = usage }
        if let hash = process.executableHash { exeHash = hash }
        if let algorithm = process.hashAlgorithm { hashAlgorithm = algorithm.rawValue }
        setCredentials(of: process)
        setState(of: process)
        if let cpid = process.cpid { self.cpid = cpid.description }
        if let parent = process.parent { self.parent = WireProcessIdentity(parent) }
        if !process.ancestors.isEmpty { ancestors = process.ancestors.map { WireProcessIdentity($0) } }
        provenance = WireProcessProvenance(process.provenance)
        if process.redactedCount > 0 { redacted = UInt32(clamping: process.redactedCount) }
    }

    private mutating func setCredentials(of process: ProcessEvent) {
        if let uid = process.uid { self.uid = uid.rawValue }
        if let gid = process.gid { self.gid = gid.rawValue }
        if let uid = process.realUID { realUid = uid.rawValue }
        if let session = process.session { self.session = session.wireValue }
        if let cgroup = process.cgroup { self.cgroup = cgroup }
        if let container = process.container { self.container = WireContainerMembership(container) }
        if let namespace = process.pidNamespace { pidNamespace = namespace }
    }

    private mutating func setState(of process: ProcessEvent) {
        if !process.isAccessible { isInaccessible = true }
        if let exists = process.executableExists { exeExists = exists }
        if process.isKernelThread { isKernelThread = true }
        if process.isZombie { isZombie = true }
        if process.isAmbiguous { isAmbiguous = true }
        if let exit = process.exit { self.exit = WireProcessExit(exit) }
        if let tracer = process.tracer { self.tracer = tracer.wireValue }
        if !process.modifiedFields.isEmpty { modified = process.modifiedFields.map(\.rawValue) }
        if let suspicion = process.suspicion { self.suspicion = WireSuspicion(suspicion) }
    }
}

extension ProcessEvent {
    /// Reads a process.
    package init(_ message: WireProcessEvent) throws(MessageError) {
        guard message.hasIdentity else { throw MessageError(field: "identity", expected: "a value") }
        guard message.hasProvenance else { throw MessageError(field: "provenance", expected: "a value") }
        self.init(
            identity: try within("identity") { () throws(MessageError) in
                try ProcessIdentity(message.identity)
            })
        if message.hasPpid { ppid = try ProcessID(message.ppid, "ppid") }
        if message.hasName { name = message.name }
        if message.hasExe { executablePath = message.exe }
        guard message.cmdline.count <= Limits.argumentCount else {
            throw MessageError(field: "cmdline", expected: "at most \(Limits.argumentCount) arguments")
        }
        commandLine = message.cmdline
        isCommandLineTruncated = message.isCmdlineTruncated
        redactedCount = Int(message.redacted)
        if message.hasStartTimeUnixNs { startTime = WallTime(nanoseconds: message.startTimeUnixNs) }
        if message.hasStartTicks { startTicks = message.startTicks }
        if message.hasCpuPercent { cpuUsage = message.cpuPercent }
        if message.hasMemoryBytes { memoryUsage = message.memoryBytes }
        if message.hasExeHash { executableHash = message.exeHash }
        if message.hasHashAlgorithm { hashAlgorithm = try named(message.hashAlgorithm, "hash_algorithm") }
        try readCredentials(of: message)
        try readState(of: message)
        try readRelatives(of: message)
        provenance = try within("provenance") { () throws(MessageError) in
            try ProcessProvenance(message.provenance)
        }
    }

    private mutating func readCredentials(of message: WireProcessEvent) throws(MessageError) {
        if message.hasUid { uid = UserID(message.uid) }
        if message.hasGid { gid = GroupID(message.gid) }
        if message.hasRealUid { realUID = UserID(message.realUid) }
        if message.hasSession { session = try ProcessID(message.session, "session") }
        if message.hasCgroup { cgroup = message.cgroup }
        if message.hasContainer {
            container = try within("container") { () throws(MessageError) in
                try ContainerMembership(message.container)
            }
        }
        if message.hasPidNamespace { pidNamespace = message.pidNamespace }
    }

    private mutating func readState(of message: WireProcessEvent) throws(MessageError) {
        isAccessible = !message.isInaccessible
        if message.hasExeExists { executableExists = message.exeExists }
        isKernelThread = message.isKernelThread
        isZombie = message.isZombie
        isAmbiguous = message.isAmbiguous
        if message.hasExit {
            exit = try within("exit") { () throws(MessageError) in try ProcessExit(message.exit) }
        }
        if message.hasTracer { tracer = try ProcessID(message.tracer, "tracer") }
        if !message.modified.isEmpty { modifiedFields = try names(message.modified, "modified") }
        if message.hasSuspicion {
            suspicion = try within("suspicion") { () throws(MessageError) in try Suspicion(message.suspicion)
            }
        }
    }

    private mutating func readRelatives(of message: WireProcessEvent) throws(MessageError) {
        if message.hasCpid {
            guard let identifier = CommonProcessID(message.cpid) else {
                throw MessageError(field: "cpid", expected: "8-4-4-4-12 hexadecimal digits")
            }
            cpid = identifier
        }
        if message.hasParent {
            parent = try within("parent") { () throws(MessageError) in try ProcessIdentity(message.parent) }
        }
        ancestors = try converted(message.ancestors, "ancestors", atMost: Limits.ancestorCount) {
            (ancestor) throws(MessageError) in try ProcessIdentity(ancestor)
        }
    }
}

extension WireProcessExit {
    /// The message of an end.
    package init(_ exit: ProcessExit) {
        self.init()
        if let status = exit.status { self.status = UInt32(status) }
        if let signal = exit.signal { self.signal = UInt32(signal) }
        isCoreDumped = exit.isCoreDumped
        isInferred = exit.isInferred
    }
}

extension ProcessExit {
    /// Reads an end.
    package init(_ message: WireProcessExit) throws(MessageError) {
        self.init(
            status: message.hasStatus ? try number(message.status, "status") : nil,
            signal: message.hasSignal ? try number(message.signal, "signal") : nil,
            isCoreDumped: message.isCoreDumped, isInferred: message.isInferred)
    }
}

extension WireSuspicion {
    /// The message of a suspicion.
    package init(_ suspicion: Suspicion) {
        self.init()
        reason = suspicion.reason.rawValue
        severity = suspicion.severity.rawValue
    }
}

extension Suspicion {
    /// Reads a suspicion.
    package init(_ message: WireSuspicion) throws(MessageError) {
        self.init(
            reason: try named(message.reason, "reason"), severity: try named(message.severity, "severity"))
    }
}

extension WireContainerMembership {
    /// The message of a place.
    package init(_ container: ContainerMembership) {
        self.init()
        kind = container.kind.rawValue
        if let runtime = container.runtime { self.runtime = runtime.rawValue }
        if let id = container.id { self.id = id }
        if let pod = container.pod { self.pod = pod }
        if let unit = container.unit { self.unit = unit }
    }
}

extension ContainerMembership {
    /// Reads a place.
    package init(_ message: WireContainerMembership) throws(MessageError) {
        self.init(
            kind: try named(message.kind, "kind"),
            runtime: message.hasRuntime ? try named(message.runtime, "runtime") : nil,
            id: message.hasID ? message.id : nil, pod: message.hasPod ? message.pod : nil,
            unit: message.hasUnit ? message.unit : nil)
    }
}
