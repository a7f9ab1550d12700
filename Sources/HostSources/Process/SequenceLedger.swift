import CollectorCore
package import EventModel

/// Counts the messages of each CPU by their sequence, and thereby those that never arrived.
///
/// The kernel numbers messages per CPU and counts those that it could not deliver too
/// (`drivers/connector/cn_proc.c`). An interval opens with a fence on each CPU: everything before it is not counted.
package struct SequenceLedger {
    /// What one message's sequence says.
    package enum Observation: Equatable {
        /// The interval of this CPU is not open yet.
        case beforeInterval
        /// Nothing is missing before it.
        case next
        /// So many messages of this CPU are missing before it; `after` is the last sequence that arrived.
        case missing(UInt64, after: UInt32)
        /// A sequence that has been passed already: not from the kernel's counter.
        case repeated
    }

    private struct Processor {
        var isOpen = false
        var isFenced = false
        var last: UInt32 = 0
        var kernel: UInt64 = 0
        var lost: UInt64 = 0
    }

    private var processors: [Processor] = []

    package init() {}

    /// Enters a message; unknown CPUs open unfenced when `opensUnfenced` (after the opening fence).
    package mutating func observe(processor: UInt32, sequence: UInt32, opensUnfenced: Bool) -> Observation {
        guard let index = index(of: processor) else { return .repeated }
        if !processors[index].isOpen {
            guard opensUnfenced else { return .beforeInterval }
            sometimes(.processorUnfenced)
            open(index, at: sequence &- 1, isFenced: false)
        }
        let last = processors[index].last
        let advance = sequence &- last
        #if MUTANTS
            if Mutation.repeatedSequence.isActive, advance == 0 { return .next }
        #endif
        guard advance > 0, advance < 1 << 31 else { return .repeated }
        processors[index].last = sequence
        processors[index].kernel += UInt64(advance)
        guard advance > 1 else { return .next }
        processors[index].lost += UInt64(advance - 1)
        #if MUTANTS
            if Mutation.lossOffByOne.isActive { return .missing(UInt64(advance), after: last) }
        #endif
        return .missing(UInt64(advance - 1), after: last)
    }

    /// Opens the interval of a CPU right after the fence message with `sequence`.
    package mutating func open(processor: UInt32, at sequence: UInt32) {
        guard let index = index(of: processor), !processors[index].isOpen else { return }
        #if MUTANTS
            if Mutation.fenceOffByOne.isActive { return open(index, at: sequence &- 1, isFenced: true) }
        #endif
        open(index, at: sequence, isFenced: true)
    }

    /// Says whether the tail of a CPU's interval was closed by a fence.
    package mutating func markFenced(processor: UInt32, _ isFenced: Bool) {
        guard let index = index(of: processor), processors[index].isOpen else { return }
        processors[index].isFenced = isFenced
    }

    package func isOpen(processor: UInt32) -> Bool {
        let index = Int(processor)
        return index < processors.count && processors[index].isOpen
    }

    package var kernel: UInt64 { processors.reduce(0) { $0 + $1.kernel } }
    package var lost: UInt64 { processors.reduce(0) { $0 + $1.lost } }

    /// The open CPUs, ascending.
    package var accounts: [ProcessorAccount] {
        processors.enumerated().compactMap { index, processor in
            guard processor.isOpen else { return nil }
            return ProcessorAccount(
                processor: UInt32(index), isFenced: processor.isFenced, kernel: processor.kernel,
                lost: processor.lost)
        }
    }

    /// The last sequence of each open CPU.
    package var cursor: [ConnectorCursor.Position] {
        processors.enumerated().compactMap { index, processor in
            processor.isOpen
                ? ConnectorCursor.Position(processor: UInt32(index), sequence: processor.last) : nil
        }
    }

    private mutating func open(_ index: Int, at sequence: UInt32, isFenced: Bool) {
        processors[index] = Processor(isOpen: true, isFenced: isFenced, last: sequence)
    }

    /// Grows the table up to ``Limits/processorCount``; a CPU beyond that is not believed.
    private mutating func index(of processor: UInt32) -> Int? {
        guard processor < UInt32(Limits.processorCount) else { return nil }
        let index = Int(processor)
        while processors.count <= index { processors.append(Processor()) }
        return index
    }
}
