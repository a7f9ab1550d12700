extension ProcessEvent {
    /// Writes the members of the `process` object: see ``EventJSON``.
    package func appendMembers(kind: EventKind, to json: inout JSONWriter) {
        json.member("pid", Int64(pid.rawValue))
        json.memberOrNull("ppid", ppid)
        json.memberOrNull("name", name)
        json.memberOrNull("exe", executablePath)
        json.beginArray("cmdline")
        for argument in commandLine { json.value(argument) }
        json.endArray()
        json.member("cmdline_truncated", ifTrue: isCommandLineTruncated)
        if redactedCount > 0 { json.member("redacted", UInt64(redactedCount)) }
        if let startTime { json.member("start_time", startTime) }
        json.member("start_ticks", ifPresent: startTicks)
        if let cpuUsage { json.member("cpu_percent", cpuUsage) }
        json.member("memory_bytes", ifPresent: memoryUsage)
        json.member("exe_hash", ifPresent: executableHash)
        json.member("hash_algorithm", ifPresent: hashAlgorithm?.rawValue)
        appendCredentials(to: &json)
        appendState(to: &json)
        appendFindings(kind: kind, to: &json)
        if let cpid {
            json.key("cpid")
            json.quoted { bytes in cpid.append(to: &bytes) }
        }
        json.key("identity")
        json.value(identity)
        if let parent {
            json.key("parent")
            json.value(parent)
        }
        json.beginArray("ancestors")
        for ancestor in ancestors { json.value(ancestor) }
        json.endArray()
    }

    private func appendCredentials(to json: inout JSONWriter) {
        json.member("uid", ifPresent: uid)
        if let gid { json.member("gid", UInt64(gid.rawValue)) }
        json.member("real_uid", ifPresent: realUID)
        json.member("session", ifPresent: session)
        json.member("cgroup", ifPresent: cgroup)
        if let container {
            json.beginObject("container")
            container.appendMembers(to: &json)
            json.endObject()
        }
        json.member("pid_namespace", ifPresent: pidNamespace)
    }

    private func appendState(to json: inout JSONWriter) {
        json.member("accessible", isAccessible)
        if let executableExists { json.member("exe_exists", executableExists) }
        json.member("kernel_thread", ifTrue: isKernelThread)
        json.member("zombie", ifTrue: isZombie)
        json.member("ambiguous", ifTrue: isAmbiguous)
    }

    private func appendFindings(kind: EventKind, to json: inout JSONWriter) {
        if let exit {
            json.beginObject("exit")
            if let status = exit.status { json.member("status", UInt64(status)) }
            if let signal = exit.signal { json.member("signal", UInt64(signal)) }
            json.member("core_dumped", exit.isCoreDumped)
            json.member("inferred", exit.isInferred)
            json.endObject()
        }
        if kind == .processPtrace {
            json.memberOrNull("tracer", tracer)
        } else {
            json.member("tracer", ifPresent: tracer)
        }
        if !modifiedFields.isEmpty {
            json.beginArray("modified_fields")
            for field in modifiedFields { json.value(field.rawValue) }
            json.endArray()
        }
        if let suspicion {
            json.beginObject("suspicion")
            json.member("reason", suspicion.reason.rawValue)
            json.member("severity", suspicion.severity.rawValue)
            json.endObject()
        }
    }
}

extension ContainerMembership {
    /// Writes the members of the `container` object of a process.
    package func appendMembers(to json: inout JSONWriter) {
        json.member("kind", kind.rawValue)
        json.member("runtime", ifPresent: runtime?.rawValue)
        json.member("id", ifPresent: id)
        json.member("pod", ifPresent: pod)
        json.member("unit", ifPresent: unit)
    }
}

extension ProcessProvenance {
    /// Writes a member for each field that was looked for, in the order of ``labelled``.
    package func appendMembers(to json: inout JSONWriter) {
        json.member("name", ifPresent: name.label)
        json.member("exe", ifPresent: exe.label)
        json.member("cmdline", ifPresent: cmdline.label)
        json.member("ppid", ifPresent: ppid.label)
        json.member("uid", ifPresent: uid.label)
        json.member("gid", ifPresent: gid.label)
        json.member("session", ifPresent: session.label)
        json.member("start_time", ifPresent: startTime.label)
        json.member("cgroup", ifPresent: cgroup.label)
        json.member("pid_namespace", ifPresent: pidNamespace.label)
        json.member("memory_bytes", ifPresent: memory.label)
        json.member("cpid", ifPresent: cpid.label)
    }
}

extension JSONWriter {
    fileprivate mutating func value(_ identity: ProcessIdentity) {
        quoted { bytes in identity.append(to: &bytes) }
    }

    fileprivate mutating func member(_ name: String, ifTrue flag: Bool) {
        if flag { member(name, true) }
    }

    fileprivate mutating func memberOrNull(_ name: String, _ text: String?) {
        key(name)
        if let text { value(text) } else { null() }
    }

    fileprivate mutating func memberOrNull(_ name: String, _ pid: ProcessID?) {
        key(name)
        if let pid { value(Int64(pid.rawValue)) } else { null() }
    }
}
