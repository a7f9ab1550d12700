package import EventModel

/// What makes a process worth a look; each rule needs evidence, absence of evidence never fires one.
package enum SuspicionRules {
    package static func ofExecution(_ process: ProcessEvent, settings: ProcessSourceSettings) -> [Suspicion] {
        var found: [Suspicion] = []
        if let path = process.executablePath {
            if path.hasBytePrefix("/memfd:") {
                found.append(Suspicion(reason: .executedFromMemory, severity: .high))
            } else if process.executableExists == false {
                found.append(Suspicion(reason: .executedDeletedFile, severity: .high))
            }
            if settings.worldWritableFolders.contains(where: { path.hasBytePrefix($0) }) {
                found.append(Suspicion(reason: .executedFromWorldWritable, severity: .medium))
            }
        }
        if let suspicion = ofName(process) { found.append(suspicion) }
        return found
    }

    private static let kernelNames = [
        "kworker/", "ksoftirqd/", "migration/", "rcu_", "kthreadd", "kswapd", "cpuhp/",
    ]

    /// `ps` shows a kernel thread as `[name]`: a user process that calls itself so wants to look like one.
    package static func ofName(_ process: ProcessEvent) -> Suspicion? {
        guard !process.isKernelThread, process.executablePath != nil else { return nil }
        let looksBracketed =
            process.commandLine.first.map { $0.utf8.first == 0x5b && $0.utf8.last == 0x5d } ?? false
        let name = process.name ?? ""
        // "[" alone is the other name of test(1).
        let isBracketed = name.utf8.first == 0x5b && name.utf8.count > 1
        guard looksBracketed || isBracketed || kernelNames.contains(where: { name.hasBytePrefix($0) }) else {
            return nil
        }
        return Suspicion(reason: .masqueradesAsKernelThread, severity: .high)
    }

    /// Rules on the start time, for a process that a scan has found.
    package static func ofStart(startTicks: UInt64, nowTicks: UInt64, parentTicks: UInt64?) -> Suspicion? {
        // One tick of slack: the clocks are read after the file.
        if startTicks > nowTicks + 1 { return Suspicion(reason: .startsInFuture, severity: .high) }
        if let parentTicks, startTicks + 1 < parentTicks {
            return Suspicion(reason: .startsTooEarly, severity: .medium)
        }
        return nil
    }
}

extension String {
    /// Whether the text begins with these bytes.
    ///
    /// `hasPrefix` compares what Unicode calls characters: a combining mark behind the prefix would hide it.
    fileprivate func hasBytePrefix(_ prefix: String) -> Bool {
        let (bytes, start) = (utf8Span.span, prefix.utf8Span.span)
        guard bytes.count >= start.count else { return false }
        for index in start.indices where bytes[index] != start[index] { return false }
        return true
    }
}
