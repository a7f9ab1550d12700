package import Backends
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
            return (world.connector.open(), 0)
        }
        confined = ThreadConfined(state)
    }

    private var state: ConnectorSocketState { confined.value }

    /// How many messages this socket has lost for want of room (`sk_drops`): the truth, for tests.
    package var droppedCount: Int { state.droppedCount }

    /// How many datagrams are queued.
    package var queuedCount: Int { state.queue.count }

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
                    request.operation, by: state, mask: request.mask, acknowledgement: request.acknowledgement
                )
            }
            return ((), 0)
        }
    }

    package func receive(into batch: inout DatagramBatch) throws(Errno) {
        batch.datagrams.removeAll(keepingCapacity: true)
        let world = kernel.world
        let state = state
        // A closure must not capture the batch, which cannot be copied: what was taken is put into it afterwards.
        let taken = try world.call(.netlinkReceive) { [capacity = batch.capacity] (effects) throws(Errno) in
            guard state.isOpen else { throw .badFileDescriptor }
            if effects.isDuplicate { state.duplicateFirst() }
            defer { state.endReceive() }
            if state.takeOverrun() { throw .noBufferSpace }
            var taken: [ConnectorSocketState.Queued] = []
            var digest = Digest()
            // An overrun meanwhile is said by the next call.
            while taken.count < min(capacity, effects.limit ?? capacity), let next = state.popFirst() {
                digest.fold(next.bytes)
                taken.append(next)
            }
            guard !taken.isEmpty else { throw .resourceTemporarilyUnavailable }
            return (taken, digest.value)
        }
        for (index, queued) in taken.enumerated() {
            let kept = queued.bytes.prefix(batch.slotByteCount)
            let start = index * batch.slotByteCount
            batch.bytes.replaceSubrange(start..<(start + kept.count), with: kept)
            batch.datagrams.append(
                Datagram(
                    byteCount: kept.count, senderPort: queued.senderPort,
                    isTruncated: queued.bytes.count > batch.slotByteCount))
        }
    }

    package func setReceiveBuffer(byteCount: Int) throws(Errno) -> Int {
        let world = kernel.world
        let state = state
        return try world.call(.netlinkBuffer) { (_) throws(Errno) in
            guard state.isOpen else { throw .badFileDescriptor }
            let isForced = world.configuration.ownCapabilities.contains(.networkAdministration)
            let requested = isForced ? byteCount : min(byteCount, world.configuration.receiveBufferMaximum)
            let granted = state.setBuffer(requested: requested)
            return (granted, UInt64(granted))
        }
    }

    // MARK: Waiting

    package func readable(until deadline: Instant?) async -> Readiness {
        let world = kernel.world
        // Asking costs time too, so that a loop which never suspends does not stand still.
        world.spendCallCost()
        if let readiness = readyNow(deadline: deadline) { return readiness }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(until: deadline, continuation)
            }
        } onCancel: {
            wakeWaiter(.interrupted)
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
