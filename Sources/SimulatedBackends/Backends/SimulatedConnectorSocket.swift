package import Backends
import DequeModule
package import EventModel
import KernelFormats

package import struct SystemPackage.Errno

/// A netlink socket of the simulated process connector.
package final class SimulatedConnectorSocket: NetlinkSocket {
    private let kernel: SimulatedKernel
    private let confined: ThreadConfined<ConnectorSocketState>
    private let waits: ThreadConfined<WaitPoint>

    init(kernel: SimulatedKernel) throws(Errno) {
        self.kernel = kernel
        let world = kernel.world
        let state = try world.call(.netlinkOpen) { (_) throws(Errno) in
            guard world.configuration.connector != .missing else { throw .protocolNotSupported }
            guard world.openHandleCount < world.configuration.descriptorLimit else { throw .tooManyOpenFiles }
            return (
                world.connector.open(bufferByteCount: world.configuration.receiveBufferDefault), 0
            )
        }
        confined = ThreadConfined(state)
        waits = ThreadConfined(state.waits)
    }

    private var state: ConnectorSocketState { confined.value }

    /// How many messages this socket has lost for want of room (`sk_drops`): the truth, for tests.
    package var droppedCount: Int { state.droppedCount }

    /// How many datagrams are queued.
    package var queuedCount: Int { state.queue.count }

    /// What one message of the kernel takes of the receive buffer.
    package static let messageByteCount = ConnectorBus.messageTruesize

    /// How full the receive buffer is, in bytes of `skb->truesize`, and whether the kernel drops everything until it is empty.
    package var occupancy: (byteCount: Int, byteLimit: Int, isCongested: Bool) {
        (state.queuedTruesize, state.bufferByteCount, state.isCongested)
    }

    /// Closes the socket without a word, as the end of a process does; the kernel keeps counting its subscription.
    package func close() {
        guard state.isOpen else { return }
        kernel.world.connector.close(state)
        state.waits.wake(.interrupted)
    }

    package func send(_ message: [UInt8]) throws(Errno) {
        let world = kernel.world
        let state = state
        try world.call(.netlinkSend) { (_) throws(Errno) in
            guard state.isOpen else { throw .badFileDescriptor }
            guard world.configuration.connector != .refusing else { throw .connectionRefused }
            // What is no request is dropped without a word (`cn_rx_skb`), and so is one from another namespace.
            let request = try? ConnectorRequest(parsing: message)
            if let request, world.configuration.connector != .silent {
                world.connector.control(
                    request.operation, by: state, mask: request.mask,
                    acknowledgement: request.acknowledgement,
                    in: world)
            }
            return ((), 0)
        }
    }

    package func receive(into batch: inout DatagramBatch) throws(Errno) {
        batch.datagrams.removeAll(keepingCapacity: true)
        batch.isDrained = false
        let world = kernel.world
        let state = state
        // A closure must not capture the batch, which cannot be copied: what was taken is put into it afterwards.
        let count = try world.call(.netlinkReceive) { [capacity = batch.capacity] (effects) throws(Errno) in
            guard state.isOpen else { throw .badFileDescriptor }
            if effects.isDuplicate { state.duplicateFirst() }
            if effects.isReordered { state.reorderFirst() }
            // An overrun meanwhile is said by the next call.
            if state.takeOverrun() {
                state.endReceive()
                throw .noBufferSpace
            }
            let count = min(state.queue.count, capacity, effects.limit ?? capacity)
            guard count > 0 else {
                state.endReceive()
                throw .resourceTemporarilyUnavailable
            }
            var digest = Digest()
            for index in 0..<count { digest.fold(state.queue[index].bytes) }
            return (count, digest.value)
        }
        for index in 0..<count {
            guard let queued = state.popFirst() else { break }
            let keptCount = min(queued.bytes.count, batch.slotByteCount)
            let start = index * batch.slotByteCount
            batch.bytes.replaceSubrange(start..<(start + keptCount), with: queued.bytes.prefix(keptCount))
            batch.datagrams.append(
                Datagram(
                    byteCount: keptCount, senderPort: queued.senderPort,
                    isTruncated: queued.bytes.count > batch.slotByteCount))
        }
        batch.isDrained = count < batch.capacity && !state.isReadable
        state.endReceive()
    }

    package func setReceiveBuffer(byteCount: Int) throws(Errno) -> Int {
        let world = kernel.world
        let state = state
        return try world.call(.netlinkBuffer) { (effects) throws(Errno) in
            guard state.isOpen else { throw .badFileDescriptor }
            let isForced = world.configuration.ownCapabilities.contains(.networkAdministration)
            let permitted = isForced ? byteCount : min(byteCount, world.configuration.receiveBufferMaximum)
            let requested = min(permitted, effects.limit ?? .max)
            let granted = state.setBuffer(requested: requested)
            return (granted, UInt64(granted))
        }
    }

    // MARK: Waiting

    package func readable(until deadline: Instant?) async -> Readiness {
        await kernel.wait(
            at: waits, .netlinkWait, for: "netlink socket to become readable", until: deadline
        ) {
            let state = state
            return !state.isOpen ? .closed : state.isReadable ? .ready : .pending
        }
    }

    package func interrupt() { waits.value.interrupt() }
}
