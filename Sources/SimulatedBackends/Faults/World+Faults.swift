import EventModel

import struct SystemPackage.Errno

/// What faults do to one call, beside failing it.
struct CallEffects {
    /// Most bytes or datagrams to deliver or take at a time.
    var limit: Int?
    var isDuplicate = false
    var isCrash = false
    /// Nothing is found, as at the end of a file.
    var isAtEnd = false
    var isReordered = false
    /// The process at the other end of a connection ends first.
    var isPeerGone = false
    /// The bit of what is read that is wrong, counted modulo its length.
    var corruptedBit: UInt64?

    /// `bytes` with the wrong bit.
    func corrupting(_ bytes: [UInt8]) -> [UInt8] {
        guard let corruptedBit, !bytes.isEmpty else { return bytes }
        var bytes = bytes
        bytes[Int(corruptedBit / 8 % UInt64(bytes.count))] ^= 1 << (corruptedBit % 8)
        return bytes
    }
}

extension World {
    /// Asks the fault plan about one call and lets happen what it says.
    func applyFaults(_ operation: BackendOperation, pid: ProcessID?, file: String?) throws(Errno)
        -> CallEffects
    {
        var effects = CallEffects()
        for firing in faults.strike(operation, pid: pid, file: file, now: now) {
            pump.state.trace.record(.fault, at: now, UInt64(firing.rule), UInt64(firing.count))
            switch firing.behaviour {
            // The backends repeat what was interrupted (`signal(7)`).
            case .errno(.interrupted): spendCallCost()
            case .errno(let errno): throw errno
            case .short(let limit): effects.limit = max(1, limit)
            case .stall(let duration): pump.spend(duration)
            case .diesBeforeRead:
                effects.isPeerGone = true
                if let pid, exit(pid, .signaled(9, isCoreDumped: false)) { _ = reap(pid) }
            case .duplicate: effects.isDuplicate = true
            case .crash: effects.isCrash = true
            case .endOfFile: effects.isAtEnd = true
            case .corrupt: effects.corruptedBit = generator.next()
            case .reorder: effects.isReordered = true
            // Only waits are woken for nothing.
            case .spurious: continue
            }
        }
        return effects
    }

    /// What the fault plan says about one wait.
    ///
    /// Waiting costs nothing by itself, so only faults leave a trace.
    func applyFaults(toWait operation: BackendOperation, file: String? = nil) -> WaitEffects {
        var effects = WaitEffects()
        for firing in faults.strike(operation, pid: nil, file: file, now: now) {
            pump.state.trace.record(.fault, at: now, UInt64(firing.rule), UInt64(firing.count))
            switch firing.behaviour {
            case .stall(let duration): effects.lateness += max(.zero, duration)
            case .spurious: effects.isSpurious = true
            default: continue
            }
        }
        return effects
    }
}

/// What faults do to one wait.
struct WaitEffects {
    /// How much later it ends.
    var lateness = Duration.zero
    /// It ends at once, though there is nothing.
    var isSpurious = false
}
