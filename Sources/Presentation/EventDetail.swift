import EventModel

/// What the last column of the table says about an event.
enum EventDetail {
    static func append(_ event: Event, to text: inout BoundedText) {
        switch event.subject {
        case .process(let process): append(process, kind: event.kind, to: &text)
        case .network(let network): append(network, to: &text)
        case .filesystem(let file): append(file, to: &text)
        case .performance(let sample): append(sample, to: &text)
        case .triggerRequest(let request): append(request, to: &text)
        }
    }

    private static func append(_ process: ProcessEvent, kind: EventKind, to text: inout BoundedText) {
        switch kind {
        case .processExit:
            appendName(process, to: &text)
            text.append(" " + (process.exit.map(ending) ?? "ended"))
        case .processSetID:
            appendName(process, to: &text)
            text.append(" now uid \(number(process.uid)) gid \(number(process.gid))")
            if let real = process.realUID { text.append(" real uid \(real)") }
        case .processSession:
            appendName(process, to: &text)
            text.append(" session \(number(process.session))")
        case .processComm:
            text.append("now named ")
            appendName(process, to: &text)
        case .processPtrace:
            appendName(process, to: &text)
            text.append(process.tracer.map { " traced by \($0)" } ?? " no longer traced")
        case .processCoredump:
            appendName(process, to: &text)
            text.append(" dumps core")
        case .processModified:
            let fields = process.modifiedFields.map(\.rawValue).joined(separator: ", ")
            text.append(fields.isEmpty ? "" : "changed \(fields): ")
            appendProgram(process, to: &text)
        case .processSuspicious:
            if let suspicion = process.suspicion {
                text.append("\(suspicion.severity.rawValue) \(suspicion.reason.rawValue): ")
            }
            appendProgram(process, to: &text)
        default:
            appendProgram(process, to: &text)
        }
        if process.isAmbiguous { text.append(" (ambiguous pid)") }
    }

    /// The name alone; kernel threads in brackets, as `ps(1)` shows them.
    private static func appendName(_ process: ProcessEvent, to text: inout BoundedText) {
        if process.isKernelThread { text.append("[") }
        if let name = process.name { text.append(foreign: name) } else { text.append("?") }
        if process.isKernelThread { text.append("]") }
    }

    /// The executable, or the name where there is none, and the arguments.
    private static func appendProgram(_ process: ProcessEvent, to text: inout BoundedText) {
        guard let path = process.executablePath else {
            appendName(process, to: &text)
            appendArguments(process.commandLine.dropFirst(), of: process, to: &text)
            return
        }
        text.append(foreign: path)
        if process.executableExists == false { text.append(" (deleted)") }
        // argv[0] is the caller's choice: it is shown where it differs from the file's name (`-bash`, multi-call binaries).
        if let called = process.commandLine.first, lastComponent(called) != lastComponent(path) {
            text.append(" (")
            text.append(foreign: called)
            text.append(")")
        }
        appendArguments(process.commandLine.dropFirst(), of: process, to: &text)
    }

    private static func appendArguments(
        _ arguments: ArraySlice<String>, of process: ProcessEvent, to text: inout BoundedText
    ) {
        for argument in arguments {
            guard !text.isFull else { return }
            let needsQuotes = argument.isEmpty || argument.utf8.contains(0x20)
            text.append(needsQuotes ? " '" : " ")
            text.append(foreign: argument)
            if needsQuotes { text.append("'") }
        }
        if process.isCommandLineTruncated { text.append(" ...") }
        if process.isZombie { text.append(" (zombie)") }
    }

    private static func lastComponent(_ path: String) -> Substring {
        path.utf8.lastIndex(of: 0x2f).map { path[path.utf8.index(after: $0)...] } ?? path[...]
    }

    private static func append(_ network: NetworkEvent, to text: inout BoundedText) {
        text.append("\(network.protocolName.rawValue) ")
        text.append(foreign: network.source.address)
        text.append(":\(network.source.port) -> ")
        text.append(foreign: network.destination.address)
        text.append(":\(network.destination.port) \(network.state.rawValue)")
    }

    private static func append(_ file: FilesystemEvent, to text: inout BoundedText) {
        if let previous = file.previousPath {
            text.append(foreign: previous)
            text.append(" -> ")
        }
        if let suspicion = file.suspicion { text.append("\(suspicion.rawValue): ") }
        text.append(foreign: file.path)
        if file.type == .directory {
            text.append("/")
        } else if let size = file.size {
            text.append(" \(size) bytes")
        }
        if !file.changes.isEmpty {
            text.append(" changed " + file.changes.map(\.rawValue).joined(separator: ", "))
        }
        if let hash = file.fileHash, let algorithm = file.hashAlgorithm {
            text.append(" \(algorithm.rawValue) \(hash.prefix(16))")
        }
        if let obstacle = file.hashObstacle { text.append(" not hashed: \(obstacle.rawValue)") }
        if let transaction = file.transaction { append(transaction, to: &text) }
    }

    private static func append(_ transaction: PackageTransaction, to text: inout BoundedText) {
        text.append(" \(transaction.packageCount) packages")
        for package in transaction.packages.prefix(3) {
            text.append(" \(package.action.rawValue) ")
            text.append(foreign: package.name)
        }
        text.append(
            ": \(transaction.verifiedCount) files verified, \(transaction.mismatchedCount) mismatched")
    }

    private static func append(_ sample: PerformanceEvent, to text: inout BoundedText) {
        text.append(foreign: sample.metricName)
        text.append(" \(sample.value) ")
        text.append(foreign: sample.unit)
        text.append(" ")
        text.append(foreign: sample.component)
    }

    private static func append(_ request: TriggerRequest, to text: inout BoundedText) {
        text.append("\(request.priority.rawValue) ")
        text.append(foreign: request.analysisType.label)
        text.append(" by ")
        text.append(foreign: request.targetCollector)
        if let path = request.targetPath {
            text.append(" of ")
            text.append(foreign: path)
        }
    }

    private static func number(_ id: (some CustomStringConvertible)?) -> String { id?.description ?? "?" }

    /// How a process ended: `exited 0`, `killed by SIGSEGV, core dumped`.
    static func ending(_ exit: ProcessExit) -> String {
        if exit.isInferred { return "ended unseen" }
        if let status = exit.status { return "exited \(status)" }
        let signal = exit.signal.map(signalName) ?? "an unknown signal"
        return "killed by \(signal)\(exit.isCoreDumped ? ", core dumped" : "")"
    }

    /// The name of a signal as `signal(7)` numbers them on x86 and ARM.
    private static func signalName(_ number: UInt8) -> String {
        let names = [
            "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
            "ALRM",
            "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM",
            "PROF",
            "WINCH", "IO", "PWR", "SYS",
        ]
        let index = Int(number) - 1
        return names.indices.contains(index) ? "SIG" + names[index] : "signal \(number)"
    }
}
