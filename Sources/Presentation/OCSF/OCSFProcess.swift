import EventModel

/// The members of a Process Activity (`class_uid` 1007).
struct OCSFProcess {
    let process: ProcessEvent
    let event: Event
    let bootID: BootID
    let classification: OCSFClassification

    func appendMembers(to json: inout JSONWriter) {
        if let launchTypeID = classification.launchTypeID {
            json.member("launch_type_id", UInt64(launchTypeID))
            json.member("launch_type", launchTypeID == 2 ? "Fork" : "Exec")
        }
        if let status = process.exit?.status { json.member("exit_code", UInt64(status)) }
        appendActor(to: &json)
        json.beginObject("process")
        appendProcess(to: &json)
        json.endObject()
        json.beginObject("unmapped")
        appendRest(to: &json)
        json.endObject()
    }

    // MARK: - Who

    private func appendActor(to json: inout JSONWriter) {
        switch classification.actor {
        case .itself:
            json.beginObject("actor")
            json.beginObject("process")
            append(process.identity, to: &json)
            appendCPID(to: &json)
            json.endObject()
            appendUser(to: &json)
            json.endObject()
        case .parent:
            json.beginObject("actor")
            appendParent(named: "process", to: &json)
            json.endObject()
        case .tracer:
            json.beginObject("actor")
            json.beginObject("process")
            if let tracer = process.tracer { json.member("pid", Int64(tracer.rawValue)) }
            json.endObject()
            json.endObject()
        case .collector: json.member("actor", ocsfActor: OCSFProjection.productName)
        case .packageManager, .namedProcess, .unknown: json.member("actor", ocsfActor: nil)
        }
    }

    /// The incarnation, not the pid alone; with the boot, since start ticks and pids come again.
    private func append(_ identity: ProcessIdentity, to json: inout JSONWriter) {
        json.member("pid", Int64(identity.pid.rawValue))
        json.key("uid")
        json.quoted { bytes in
            bootID.append(to: &bytes)
            bytes.append(0x2f)
            identity.append(to: &bytes)
        }
    }

    private func appendCPID(to json: inout JSONWriter) {
        guard let cpid = process.cpid else { return }
        json.key("cpid")
        json.quoted { bytes in cpid.append(to: &bytes) }
    }

    private func appendUser(to json: inout JSONWriter) {
        guard let uid = process.uid else { return }
        json.beginObject("user")
        json.member("uid", ocsfUID: UInt64(uid.rawValue))
        json.endObject()
    }

    private func appendParent(named name: String, to json: inout JSONWriter) {
        if let parent = process.parent {
            json.beginObject(name)
            append(parent, to: &json)
            json.endObject()
        } else if let ppid = process.ppid {
            json.beginObject(name)
            json.member("pid", Int64(ppid.rawValue))
            json.endObject()
        }
    }

    // MARK: - The process

    private func appendProcess(to json: inout JSONWriter) {
        append(process.identity, to: &json)
        appendCPID(to: &json)
        if let name = process.name { json.member("name", name) }
        if !process.commandLine.isEmpty {
            json.key("cmd_line")
            json.value(joined: process.commandLine)
        }
        if let startTime = process.startTime { json.member("created_time", ocsf: startTime) }
        if let exit = process.exit, !exit.isInferred { json.member("terminated_time", ocsf: event.time) }
        appendExecutable(to: &json)
        appendUser(to: &json)
        appendLinuxIDs(to: &json)
        appendContainer(to: &json)
        appendParent(named: "parent_process", to: &json)
        guard !process.ancestors.isEmpty else { return }
        json.beginArray("ancestry")
        for ancestor in process.ancestors {
            json.beginObject()
            append(ancestor, to: &json)
            json.endObject()
        }
        json.endArray()
    }

    private func appendExecutable(to json: inout JSONWriter) {
        guard let path = process.executablePath else { return }
        json.member("path", path)
        json.beginObject("file")
        json.members(ofPath: path)
        // What was executed is an executable file: 8.
        json.member("type_id", 8 as UInt64)
        json.member("type", "Executable File")
        if process.executableExists == false { json.member("is_deleted", true) }
        if let value = process.executableHash, let algorithm = process.hashAlgorithm {
            json.member("hashes", ocsfDigest: value, algorithm)
        }
        json.endObject()
    }

    /// The profile `linux/linux_users`; its numbers are integers of 32 bits, so that a larger id stands in `user` alone.
    private func appendLinuxIDs(to json: inout JSONWriter) {
        if let uid = process.uid, uid.rawValue <= Int32.max { json.member("euid", UInt64(uid.rawValue)) }
        guard let gid = process.gid else { return }
        if gid.rawValue <= Int32.max { json.member("egid", UInt64(gid.rawValue)) }
        json.beginObject("group")
        json.member("uid", ocsfUID: UInt64(gid.rawValue))
        json.endObject()
    }

    /// The profile `container`; what looks like a container and names none has no place there.
    private func appendContainer(to json: inout JSONWriter) {
        guard let container = process.container, let id = container.id else { return }
        json.beginObject("container")
        let hasName = container.runtime == .lxc || container.runtime == .systemdNspawn
        json.member(hasName ? "name" : "uid", id)
        json.member("runtime", ifPresent: container.runtime?.rawValue)
        if let pod = container.pod {
            json.member("orchestrator", "kubernetes")
            // Static pods have hashes, which are no UUIDs.
            if pod.utf8.count == 36 { json.member("pod_uuid", pod) }
        }
        json.endObject()
    }

    // MARK: - What the schema has no place for

    /// Under the names of the collector's own JSON.
    private func appendRest(to json: inout JSONWriter) {
        json.member("origin", event.origin.rawValue)
        json.member("monotonic_ns", event.monotonic.nanoseconds)
        if let parent = process.parent, let ppid = process.ppid, parent.pid != ppid {
            json.member("ppid", ifPresent: ppid)
        }
        if process.commandLine.contains(where: { $0.isEmpty || $0.utf8.contains(0x20) }) {
            // Where `cmd_line` does not tell one argument from two.
            json.beginArray("cmdline")
            for argument in process.commandLine { json.value(argument) }
            json.endArray()
        }
        json.member("cmdline_truncated", ifTrue: process.isCommandLineTruncated)
        json.member("real_uid", ifPresent: process.realUID)
        json.member("session", ifPresent: process.session)
        json.member("cgroup", ifPresent: process.cgroup)
        if let container = process.container {
            // Whether it is in none, or nobody knows in which, OCSF cannot say.
            json.beginObject("container")
            container.appendMembers(to: &json)
            json.endObject()
        }
        json.member("pid_namespace", ifPresent: process.pidNamespace)
        json.member("start_ticks", ifPresent: process.startTicks)
        if let cpuUsage = process.cpuUsage { json.member("cpu_percent", cpuUsage) }
        json.member("memory_bytes", ifPresent: process.memoryUsage)
        appendFlags(to: &json)
        appendFindings(to: &json)
        json.beginObject("provenance")
        process.provenance.appendMembers(to: &json)
        json.endObject()
        guard !event.escaped.isEmpty else { return }
        json.beginArray("escaped")
        for field in event.escaped { json.value(field) }
        json.endArray()
    }

    private func appendFlags(to json: inout JSONWriter) {
        if !process.isAccessible { json.member("accessible", false) }
        if let executableExists = process.executableExists { json.member("exe_exists", executableExists) }
        json.member("kernel_thread", ifTrue: process.isKernelThread)
        json.member("zombie", ifTrue: process.isZombie)
        json.member("ambiguous", ifTrue: process.isAmbiguous)
    }

    private func appendFindings(to json: inout JSONWriter) {
        if let exit = process.exit {
            if let signal = exit.signal { json.member("signal", UInt64(signal)) }
            json.member("core_dumped", ifTrue: exit.isCoreDumped)
            json.member("inferred", ifTrue: exit.isInferred)
        }
        if classification.actor != .tracer { json.member("tracer", ifPresent: process.tracer) }
        if !process.modifiedFields.isEmpty {
            json.beginArray("modified_fields")
            for field in process.modifiedFields { json.value(field.rawValue) }
            json.endArray()
        }
        if let suspicion = process.suspicion { json.member("suspicion", suspicion.reason.rawValue) }
    }
}
