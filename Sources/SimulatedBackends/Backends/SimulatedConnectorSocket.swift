package import Backends
import DequeModule
package import EventModel
import KernelFormats

package import struct SystemPackage.Errno

/// A netlink socket of the simulated process connector.
package final class SimulatedConnectorSocket: NetlinkSocket {
    private let kernel: SimulatedKernel
    private let confined: ThreadConfined<ConnectorSocketState>

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
        wakeWaiter(.interrupted)
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
        let world = kernel.world
        // Asking costs time too, so that a loop which never suspends does not stand still.
        world.spendCallCost()
        let effects = world.applyFaults(toWait: .netlinkWait)
        if effects.lateness > .zero { await fallAsleep(for: effects.lateness) }
        if let readiness = readyNow(deadline: deadline) { return readiness }
        if effects.isSpurious { return .readable }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(until: deadline, continuation)
            }
        } onCancel: {
            wakeWaiter(.interrupted)
        }
    }

    /// The thread does not get its processor.
    private func fallAsleep(for duration: Duration) async {
        await withCheckedContinuation { continuation in
            _ = kernel.pump.clock.schedule(at: kernel.now.advanced(by: duration)) { continuation.resume() }
        }
    }

    package func interrupt() {
        if !wakeWaiter(.interrupted) { state.isInterrupted = true }
    }

    private func readyNow(deadline: Instant?) -> Readiness? {
        let state = state
        if state.isInterrupted {
            state.isInterrupted = false
            return .interrupted
        }
        if Task.isCancelled || !state.isOpen { return .interrupted }
        if state.isReadable { return .readable }
        if let deadline, deadline <= kernel.now { return .deadlinePassed }
        return nil
    }

    private func wait(until deadline: Instant?, _ continuation: CheckedContinuation<Readiness, Never>) {
        // The task may have been cancelled before there was anybody to wake.
        if let readiness = readyNow(deadline: deadline) { return continuation.resume(returning: readiness) }
        let state = state
        precondition(state.waiter == nil, "one task at a time waits for a socket")
        let pump = kernel.pump
        let parked = pump.park("netlink socket to become readable")
        let timer = deadline.map { [self] time in
            pump.clock.schedule(at: time) { _ = self.wakeWaiter(.deadlinePassed) }
        }
        state.waiter = { readiness in
            pump.unpark(parked)
            if let timer { pump.clock.cancel(timer) }
            continuation.resume(returning: readiness)
        }
    }

    @discardableResult
    private func wakeWaiter(_ readiness: Readiness) -> Bool { state.wakeWaiter(readiness) }
}
