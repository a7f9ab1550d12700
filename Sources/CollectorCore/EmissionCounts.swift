package import EventModel

/// What became of the events of a source at its buffer.
package struct EmissionCounts: Sendable {
    /// Events accepted that stand for one kernel message each, less those dropped afterwards.
    package var emitted: UInt64 = 0
    /// Events accepted that were derived, less those dropped afterwards.
    package var synthetic: UInt64 = 0
    package var dropped = Tally()
    package var syntheticDropped: UInt64 = 0

    package mutating func accept(_ origin: EventOrigin) {
        if origin == .emitted { emitted += 1 } else { synthetic += 1 }
    }

    package mutating func drop(_ origin: EventOrigin, reason: String) {
        if origin == .emitted { dropped.add(1, to: reason) } else { syntheticDropped += 1 }
    }

    /// Drops an event that had been accepted.
    package mutating func retract(_ origin: EventOrigin, reason: String) {
        if origin == .emitted { emitted -= 1 } else { synthetic -= 1 }
        drop(origin, reason: reason)
    }
}
