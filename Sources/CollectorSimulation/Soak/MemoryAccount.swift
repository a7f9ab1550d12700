import EventModel
import HostSources

/// The bytes that everything with a bound holds at one moment, from the kernel's queue to the subscriber's.
package struct MemoryAccount: Hashable, Sendable {
    /// The table of living processes.
    package var trackedByteCount = 0
    package var trackedCount = 0
    /// The queue of processes to look at again.
    package var lateReadByteCount = 0
    /// Messages read from the socket and not handled yet.
    package var pendingByteCount = 0
    /// The sequences of each processor.
    package var ledgerByteCount = 0
    /// The source's buffer.
    package var bufferedByteCount = 0
    /// The subscriber's queue.
    package var queuedByteCount = 0
    /// The kernel's receive buffer, in its own measure.
    package var kernelByteCount = 0

    /// The sum of all.
    package var totalByteCount: Int {
        trackedByteCount + lateReadByteCount + pendingByteCount + ledgerByteCount + bufferedByteCount
            + queuedByteCount + kernelByteCount
    }

    /// What one event takes without its texts, which its process shares with it.
    private static let eventByteCount = MemoryLayout<Event>.stride + MemoryLayout<ProcessEvent>.stride

    package init() {}

    init(source: ProcessSourceMemory, bufferedCount: Int, queuedCount: Int, kernelByteCount: Int) {
        trackedByteCount = source.trackedByteCount
        trackedCount = source.trackedCount
        lateReadByteCount = source.lateReadByteCount
        pendingByteCount = source.pendingByteCount
        ledgerByteCount = source.processorCount * MemoryLayout<ProcessorAccount>.stride
        bufferedByteCount = bufferedCount * Self.eventByteCount
        queuedByteCount = queuedCount * Self.eventByteCount
        self.kernelByteCount = kernelByteCount
    }
}

/// One row of a soak.
package struct SoakSample: Hashable, Sendable {
    /// From 1; one for each hundredth of the events.
    package var number: Int
    /// Events that the subscriber has received.
    package var eventCount: Int
    /// Virtual time since the start.
    package var virtualNanoseconds: Int64
    package var memory: MemoryAccount
    /// Resident memory of this process, simulator included; `nil` where it cannot be read.
    package var residentByteCount: Int?

    package init(
        number: Int, eventCount: Int, virtualNanoseconds: Int64, memory: MemoryAccount,
        residentByteCount: Int?
    ) {
        self.number = number
        self.eventCount = eventCount
        self.virtualNanoseconds = virtualNanoseconds
        self.memory = memory
        self.residentByteCount = residentByteCount
    }
}

/// The trend of a series: how much it has grown from its first to its last point, by least squares.
///
/// - Returns: 0 for less than two points.
func trend(of points: [(x: Double, y: Double)]) -> Double {
    guard let first = points.first?.x, let last = points.last?.x, last > first else { return 0 }
    let count = Double(points.count)
    let (meanX, meanY) = (points.reduce(0) { $0 + $1.x } / count, points.reduce(0) { $0 + $1.y } / count)
    let (above, below) = points.reduce((0.0, 0.0)) { sums, point in
        (sums.0 + (point.x - meanX) * (point.y - meanY), sums.1 + (point.x - meanX) * (point.x - meanX))
    }
    return above / below * (last - first)
}
