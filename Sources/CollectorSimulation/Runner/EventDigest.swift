package import EventModel
import SimulatedBackends

/// Folds events into a digest, field by field: everything that their text shows, at a small part of the text's cost.
package struct EventDigest {
    private var digest = Digest()

    package init() {}

    package var value: UInt64 { digest.value }

    /// Folds one event of a batch, its identity included.
    package mutating func fold(_ batch: EventBatch, at index: Int) {
        guard case .process(let process) = batch.events[index].subject else {
            // Other domains have no cheaper form than their text.
            var text: [UInt8] = []
            batch.appendJSON(ofEventAt: index, to: &text)
            return digest.fold(text.span)
        }
        digest.fold(batch.run.bootID.high)
        digest.fold(batch.run.bootID.low)
        digest.fold(batch.run.runID.rawValue)
        fold(batch.events[index])
        fold(process)
    }

    private mutating func fold(_ event: borrowing Event) {
        digest.fold(event.source.rawValue)
        digest.fold(event.sequence)
        digest.fold(UInt64(event.kind.index))
        digest.fold(event.origin.code)
        fold(event.time.nanoseconds)
        fold(event.monotonic.nanoseconds)
        fold(event.escaped)
    }

    private mutating func fold(_ process: borrowing ProcessEvent) {
        fold(process.identity)
        fold(process.ppid?.rawValue)
        fold(process.name)
        fold(process.executablePath)
        fold(process.commandLine)
        fold(process.startTime?.nanoseconds)
        fold(process.startTicks)
        fold(process.cpuUsage?.bitPattern)
        fold(process.memoryUsage)
        fold(process.executableHash)
        fold(process.hashAlgorithm?.rawValue)
        fold(process.uid?.rawValue)
        fold(process.gid?.rawValue)
        fold(process.realUID?.rawValue)
        fold(process.session?.rawValue)
        fold(process.cgroup)
        fold(process.container)
        fold(process.pidNamespace)
        digest.fold(
            (process.isCommandLineTruncated ? 1 : 0) | (process.isAccessible ? 2 : 0)
                | (process.isKernelThread ? 4 : 0) | (process.isZombie ? 8 : 0)
                | (process.isAmbiguous ? 16 : 0)
                | (process.executableExists.map { $0 ? 32 : 64 } ?? 0))
        // Nothing for none, which is what most have.
        if process.redactedCount > 0 { digest.fold(UInt64(process.redactedCount)) }
        fold(process.exit)
        fold(process.tracer?.rawValue)
        digest.fold(UInt64(process.modifiedFields.count))
        for field in process.modifiedFields { digest.fold(field.rawValue) }
        fold(process.suspicion?.reason.rawValue)
        fold(process.suspicion?.severity.rawValue)
        fold(process.cpid?.high)
        fold(process.cpid?.low)
        if let parent = process.parent { fold(parent) }
        digest.fold(UInt64(process.ancestors.count))
        for ancestor in process.ancestors { fold(ancestor) }
        fold(process.provenance)
    }

    private mutating func fold(_ provenance: borrowing ProcessProvenance) {
        // Twelve codes of five bits fill one word.
        var word = provenance.name.code
        word = word << 5 | provenance.exe.code
        word = word << 5 | provenance.cmdline.code
        word = word << 5 | provenance.ppid.code
        word = word << 5 | provenance.uid.code
        word = word << 5 | provenance.gid.code
        word = word << 5 | provenance.session.code
        word = word << 5 | provenance.startTime.code
        word = word << 5 | provenance.cgroup.code
        word = word << 5 | provenance.pidNamespace.code
        word = word << 5 | provenance.memory.code
        word = word << 5 | provenance.cpid.code
        digest.fold(word)
    }

    private mutating func fold(_ identity: ProcessIdentity) {
        fold(Int64(identity.pid.rawValue))
        switch identity.birth {
        case .fork(let processor, let sequence, let timestamp):
            digest.fold(1 << 62 | UInt64(processor) << 32 | UInt64(sequence))
            fold(timestamp.nanoseconds)
        case .scan(let startTicks, let inode):
            digest.fold(startTicks)
            digest.fold(inode)
        case .seen(let processor, let sequence, let timestamp):
            digest.fold(2 << 62 | UInt64(processor) << 32 | UInt64(sequence))
            fold(timestamp.nanoseconds)
        }
    }

    private mutating func fold(_ container: ContainerMembership?) {
        guard let container else { return digest.fold(0) }
        digest.fold(container.kind.rawValue)
        fold(container.runtime?.rawValue)
        fold(container.id)
        fold(container.pod)
        fold(container.unit)
    }

    private mutating func fold(_ exit: ProcessExit?) {
        guard let exit else { return digest.fold(0) }
        let status: UInt64 = exit.status.map { 1 << 8 | UInt64($0) } ?? 0
        let signal: UInt64 = exit.signal.map { 1 << 8 | UInt64($0) } ?? 0
        let flags: UInt64 = (exit.isCoreDumped ? 2 : 0) | (exit.isInferred ? 1 : 0)
        digest.fold(1 << 63 | status << 32 | signal << 16 | flags)
    }

    private mutating func fold(_ number: Int64) { digest.fold(UInt64(bitPattern: number)) }

    /// Absence folds as another word than any number in the same place: a number comes with a word before it.
    private mutating func fold(_ number: (some FixedWidthInteger)?) {
        guard let number else { return digest.fold(0xab5e_0000_0000_0001) }
        digest.fold(0x9e5e_0000_0000_0002)
        digest.fold(UInt64(truncatingIfNeeded: number))
    }

    private mutating func fold(_ text: String?) {
        guard let text else { return digest.fold(0xab5e_0000_0000_0003) }
        digest.fold(text)
    }

    private mutating func fold(_ texts: [String]) {
        digest.fold(UInt64(texts.count))
        for text in texts { digest.fold(text) }
    }
}

extension EventOrigin {
    fileprivate var code: UInt64 {
        switch self {
        case .emitted: 0
        case .baseline: 1
        case .resync: 2
        case .derived: 3
        }
    }
}

extension Provenance {
    /// Below 32.
    fileprivate var code: UInt64 {
        switch self {
        case .absent: 0
        case .kernelMessage: 1
        case .verified: 2
        case .inherited: 3
        case .lateRead: 4
        case .unknown(let reason): 5 + reason.code
        }
    }
}

extension UnknownReason {
    fileprivate var code: UInt64 {
        switch self {
        case .vanished: 0
        case .reused: 1
        case .notReadYet: 2
        case .superseded: 3
        case .denied: 4
        case .unsupported: 5
        case .malformed: 6
        case .failed: 7
        case .gap: 8
        }
    }
}
