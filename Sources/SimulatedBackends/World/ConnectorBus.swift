import Backends
import DequeModule
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// The process connector: counts messages per processor and sends them to the sockets (`drivers/connector/cn_proc.c`).
final class ConnectorBus {
    /// What one message of 76 bytes takes of a receive buffer: `skb->truesize`, measured on Linux 6.18.
    static let messageTruesize = 832

    /// The bytes of a message, headers included.
    private static let messageByteCount = 76

    /// The sequence that the next message of each processor gets.
    private(set) var nextSequences: [UInt32]
    private var lastStamps: [Int64]
    /// `proc_event_num_listeners`: a listener that dies without saying goodbye is never subtracted.
    private(set) var listenerCount = 0
    /// Open sockets in the order of opening.
    private(set) var sockets: [ConnectorSocketState] = []
    private var generator: SeededGenerator

    init(_ configuration: WorldConfiguration) {
        let processorCount = Int(configuration.processorCount)
        nextSequences = Array(repeating: 0, count: processorCount)
        lastStamps = Array(repeating: .min, count: processorCount)
        generator = SeededGenerator(seed: configuration.seed, stream: .connector)
    }

    // MARK: Sockets

    func open(bufferByteCount: Int) -> ConnectorSocketState {
        let socket = ConnectorSocketState(bufferByteCount: bufferByteCount)
        sockets.append(socket)
        return socket
    }

    func close(_ socket: ConnectorSocketState) {
        socket.isOpen = false
        sockets.removeAll { $0 === socket }
    }

    // MARK: Messages

    /// Makes one message about a process, sent by the processor on which its thread runs.
    func emit(
        _ event: ConnectorEvent, by sender: ProcessState, subject: IncarnationID? = nil, on processor: UInt32,
        in world: World
    ) {
        let subject = subject ?? sender.incarnation
        guard listenerCount > 0 else {
            let now = world.now
            world.truth.add(
                TruthMessage(
                    processor: processor, sequence: 0, event: event, subject: subject, stamp: now, time: now,
                    fate: .notListened))
            return
        }
        let stamp = makeStamp(on: processor, notBefore: sender.stampFloor, in: world)
        sender.stampFloor = stamp
        send(event, subject: subject, on: processor, stamp: stamp, acknowledgement: 0, in: world)
    }

    private func send(
        _ event: ConnectorEvent, subject: IncarnationID, on processor: UInt32, stamp: Int64,
        acknowledgement: UInt32, in world: World
    ) {
        let sequence = nextSequences[Int(processor)]
        nextSequences[Int(processor)] = sequence &+ 1
        let message = ConnectorMessage(
            processor: processor, sequence: sequence, acknowledgement: acknowledgement,
            timestamp: Instant(nanoseconds: stamp), event: event)
        var fate = MessageFate.unheard
        var bytes: [UInt8] = []
        for socket in sockets {
            guard world.configuration.kernel < .withMasks || socket.admits(event) else {
                fate = .filtered
                continue
            }
            if bytes.isEmpty {
                bytes.reserveCapacity(Self.messageByteCount)
                message.append(to: &bytes)
            }
            fate = socket.deliver(bytes, senderPort: 0) ? .delivered : .lost
        }
        world.truth.add(
            TruthMessage(
                processor: processor, sequence: sequence, event: event, subject: subject,
                stamp: Instant(nanoseconds: stamp), time: world.now, fate: fate))
    }

    /// A stamp shortly before now: taken before the message is sent, so that those of two processors may cross, but never
    /// before what caused it and always later than the last one of this processor.
    private func makeStamp(on processor: UInt32, notBefore floor: Int64, in world: World) -> Int64 {
        let jitter = generator.draw(world.stampJitter)
        let wanted = world.now.nanoseconds.subtractingClamped(jitter)
        let stamp = max(wanted, floor.addingClamped(1), lastStamps[Int(processor)].addingClamped(1))
        lastStamps[Int(processor)] = stamp
        // Many messages at one instant: sending takes time too, and no stamp lies in the future.
        if stamp > world.now.nanoseconds { world.clockwork.now = Instant(nanoseconds: stamp) }
        return stamp
    }

    // MARK: Requests

    /// Carries out a request (`cn_proc_mcast_ctl`) and acknowledges it to everybody.
    ///
    /// - Parameter socket: `nil` for a listener that is not the collector.
    func control(
        _ operation: ConnectorRequest.Operation, by socket: ConnectorSocketState?,
        mask: ConnectorEventMask? = nil, acknowledgement: UInt32 = 0, in world: World
    ) {
        let kernel = world.configuration.kernel
        var error: UInt32 = 0
        let isPermitted =
            socket == nil || kernel.letsAnyoneSubscribe
            || world.configuration.ownCapabilities.contains(.networkAdministration)
        if !isPermitted {
            error = UInt32(Errno.notPermitted.rawValue)
        } else {
            switch operation {
            case .listen:
                if socket?.request != .listen || kernel < .withMasks { listenerCount += 1 }
                socket?.subscribe(mask: kernel < .withMasks ? nil : mask)
            case .ignore:
                if socket == nil || socket?.request == .listen { listenerCount = max(0, listenerCount - 1) }
                socket?.unsubscribe()
            case .unknown:
                error = UInt32(Errno.invalidArgument.rawValue)
            }
        }
        guard listenerCount > 0 else { return }
        let processor = UInt32(generator.below(UInt64(nextSequences.count)))
        send(
            .acknowledgement(error: error), subject: world.ownIncarnation, on: processor,
            stamp: makeStamp(on: processor, notBefore: .min, in: world),
            acknowledgement: acknowledgement &+ 1, in: world)
    }

    /// Bytes of another process, sent to the socket's own port.
    func forge(_ bytes: [UInt8], senderPort: UInt32) -> Bool {
        guard senderPort != 0, let socket = sockets.last else { return false }
        return socket.deliverUnicast(bytes, senderPort: senderPort)
    }
}

extension KernelVersion {
    /// Since 6.6 each socket has its own mask and its own subscription.
    static let withMasks = KernelVersion(major: 6, minor: 6)
}

/// The kernel's side of one netlink socket (`net/netlink/af_netlink.c`).
final class ConnectorSocketState {
    struct Queued {
        var bytes: [UInt8]
        var senderPort: UInt32
        var truesize: Int
    }

    private(set) var queue: Deque<Queued> = []
    /// `sk_rmem_alloc`.
    private(set) var queuedTruesize = 0
    /// `sk_rcvbuf`: what was asked for, doubled.
    private(set) var bufferByteCount: Int
    /// `sk_err`: said once, before what is queued.
    private var hasOverrun = false
    /// `NETLINK_S_CONGESTED`: from an overrun until the queue has been emptied, everything is dropped.
    private(set) var isCongested = false
    private(set) var droppedCount = 0
    private(set) var request: ConnectorRequest.Operation?
    private var mask: ConnectorEventMask = .all
    var isOpen = true
    let waits = WaitPoint()

    /// The kernel's minimum (`SOCK_MIN_RCVBUF`).
    static let minimumBufferByteCount = 2_304

    init(bufferByteCount: Int) { self.bufferByteCount = bufferByteCount }

    var isReadable: Bool { hasOverrun || !queue.isEmpty }

    func subscribe(mask: ConnectorEventMask?) {
        request = .listen
        self.mask = mask ?? .all
    }

    func unsubscribe() { request = .ignore }

    /// Whether the socket's filter lets an event pass; a socket that never asked for anything gets everything.
    func admits(_ event: ConnectorEvent) -> Bool {
        switch request {
        case nil, .unknown: true
        case .ignore: false
        case .listen: mask.admits(event)
        }
    }

    /// The kernel doubles the request for its own bookkeeping.
    func setBuffer(requested: Int) -> Int {
        let doubled = min(max(requested, 0), Int(Int32.max) / 2) * 2
        bufferByteCount = max(doubled, Self.minimumBufferByteCount)
        return bufferByteCount
    }

    /// `netlink_broadcast_deliver`.
    ///
    /// - Returns: Whether there was room.
    func deliver(_ bytes: [UInt8], senderPort: UInt32) -> Bool {
        let truesize = ConnectorBus.messageTruesize
        guard !isCongested, queuedTruesize == 0 || queuedTruesize + truesize <= bufferByteCount else {
            droppedCount += 1
            if !isCongested {
                isCongested = true
                hasOverrun = true
                wakeReader()
            }
            return false
        }
        append(Queued(bytes: bytes, senderPort: senderPort, truesize: truesize))
        return true
    }

    /// A unicast of another process: without room the sender fails and the receiver learns nothing.
    func deliverUnicast(_ bytes: [UInt8], senderPort: UInt32) -> Bool {
        // A small message of user space takes the same slab as one of the kernel; larger ones grow with their bytes.
        let truesize = max(ConnectorBus.messageTruesize, 256 + (bytes.count + 511) / 512 * 512)
        guard !isCongested, queuedTruesize <= bufferByteCount else { return false }
        append(Queued(bytes: bytes, senderPort: senderPort, truesize: truesize))
        return true
    }

    private func append(_ queued: Queued) {
        queue.append(queued)
        queuedTruesize += queued.truesize
        wakeReader()
    }

    /// Says `ENOBUFS` once after an overrun.
    func takeOverrun() -> Bool {
        defer { hasOverrun = false }
        return hasOverrun
    }

    func popFirst() -> Queued? {
        guard let first = queue.popFirst() else { return nil }
        queuedTruesize -= first.truesize
        return first
    }

    /// `netlink_rcv_wake`, at the end of every receive.
    func endReceive() {
        if queue.isEmpty { isCongested = false }
    }

    func duplicateFirst() {
        guard let first = queue.first else { return }
        queue.prepend(first)
        queuedTruesize += first.truesize
    }

    /// Lets the second datagram come before the first, if both are numbered by other processors, close in time, and about
    /// processes that have nothing to do with each other.
    func reorderFirst() {
        guard queue.count > 1, queue[0].isIndependent(of: queue[1]) else { return }
        queue.swapAt(0, 1)
    }

    private func wakeReader() { waits.wake(.readable) }
}
