import Backends
import CollectorCore
package import EventModel
import SimulatedBackends
import Synchronization

import struct SystemPackage.Errno

/// How full everything between the kernel and the subscriber was at one moment.
package struct DepthSample: Hashable, Sendable {
    package var time: Instant
    /// What the kernel has queued at the connector socket, in bytes of `skb->truesize`.
    package var kernelByteCount = 0
    /// What the socket may hold.
    package var kernelByteLimit = 0
    /// From an overrun until the queue has been emptied, the kernel drops everything.
    package var isCongested = false
    /// Events in the source's buffer.
    package var bufferedCount = 0
    /// Events in the subscriber's queue.
    package var queuedCount = 0
}

/// Samples queue depths while a run goes on, for a report of it.
///
/// It only looks: whether there is one changes nothing in the run, which has the same trace with and without. It looks
/// whenever the collector calls its socket and whenever the subscriber has taken something, since all that changes
/// between two looks is what the kernel adds.
package final class DepthMeter: Sendable {
    /// Most samples kept; a run that would give more is shown up to there.
    static let sampleLimit = 400_000

    private struct State {
        var samples: [DepthSample] = []
        var socket: SimulatedConnectorSocket?
        var collector: Collector?
        var subscription: Subscription?
    }

    private let state = Mutex(State())

    package init() {}

    package var samples: [DepthSample] { state.withLock { $0.samples } }

    func watch(_ socket: SimulatedConnectorSocket) { state.withLock { $0.socket = socket } }

    func watch(_ collector: Collector, _ subscription: Subscription) {
        state.withLock { state in
            state.collector = collector
            state.subscription = subscription
        }
    }

    /// Looks at everything, and notes it if something has changed.
    func look(at now: Instant) {
        let (socket, collector, subscription) = state.withLock { ($0.socket, $0.collector, $0.subscription) }
        var sample = DepthSample(time: now)
        if let occupancy = socket?.occupancy {
            sample.kernelByteCount = occupancy.byteCount
            sample.kernelByteLimit = occupancy.byteLimit
            sample.isCongested = occupancy.isCongested
        }
        sample.bufferedCount = collector?.bufferedEventCount ?? 0
        sample.queuedCount = subscription.map { Int(clamping: $0.account.inFlight) } ?? 0
        state.withLock { [sample] state in
            guard state.samples.count < Self.sampleLimit else { return }
            if let last = state.samples.last {
                var unchanged = last
                unchanged.time = now
                if unchanged == sample { return }
            }
            state.samples.append(sample)
        }
    }
}

/// The connector socket of a run that is reported: looks before and after each call, and passes everything on.
struct MeteredConnector: NetlinkSocket {
    private let base: SimulatedConnectorSocket
    private let meter: DepthMeter
    private let clock: any SystemClock

    init(_ base: SimulatedConnectorSocket, meter: DepthMeter, clock: any SystemClock) {
        self.base = base
        self.meter = meter
        self.clock = clock
        meter.watch(base)
    }

    func send(_ message: [UInt8]) throws(Errno) {
        defer { look() }
        try base.send(message)
    }

    func receive(into batch: inout DatagramBatch) throws(Errno) {
        look()
        defer { look() }
        try base.receive(into: &batch)
    }

    func readable(until deadline: Instant?) async -> Readiness {
        look()
        let readiness = await base.readable(until: deadline)
        look()
        return readiness
    }

    func interrupt() { base.interrupt() }

    func setReceiveBuffer(byteCount: Int) throws(Errno) -> Int {
        defer { look() }
        return try base.setReceiveBuffer(byteCount: byteCount)
    }

    private func look() { meter.look(at: clock.monotonic) }
}
