import Backends
import CollectorCore
import EventModel

import struct SystemPackage.Errno

/// A socket on which nothing ever arrives: lets the loop wait, and be woken, where there is no connector.
final class SilentSocket: NetlinkSocket {
    private let clock: any SystemClock
    private let wakeup = Wakeup()

    init(clock: any SystemClock) { self.clock = clock }

    func send(_ message: [UInt8]) throws(Errno) { throw .connectionRefused }

    func receive(into batch: inout DatagramBatch) throws(Errno) {
        batch.datagrams.removeAll(keepingCapacity: true)
        throw .resourceTemporarilyUnavailable
    }

    func readable(until deadline: Instant?) async -> Readiness {
        switch await wakeup.waitUnlessCancelled(until: deadline, on: clock) {
        case .signalled: .interrupted
        case .deadlinePassed: .deadlinePassed
        }
    }

    func interrupt() { wakeup.signal() }

    func setReceiveBuffer(byteCount: Int) throws(Errno) -> Int { 0 }
}
