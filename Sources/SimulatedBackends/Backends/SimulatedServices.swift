package import Backends
import EventModel
import Synchronization

/// Words that only the seed decides.
package final class SimulatedEntropy: Entropy {
    private let generator: Mutex<SeededGenerator>
    private let kernel: SimulatedKernel

    init(kernel: SimulatedKernel) {
        self.kernel = kernel
        generator = Mutex(SeededGenerator(seed: kernel.configuration.seed, stream: .entropy))
    }

    package func nextWord() -> UInt64 {
        // Early in a boot getrandom(2) waits for the kernel to have gathered enough.
        let lateness = kernel.world.applyFaults(toWait: .entropyWord).lateness
        if lateness > .zero { kernel.pump.spend(lateness) }
        return generator.withLock { $0.next() }
    }
}

/// The signals of the simulated collector.
package struct SimulatedSignals: SignalStream {
    private let kernel: SimulatedKernel

    init(kernel: SimulatedKernel) { self.kernel = kernel }

    package func next() async -> HostSignal? {
        let signal = await nextInTime()
        let lateness = signal == nil ? .zero : kernel.world.applyFaults(toWait: .signalsNext).lateness
        guard lateness > .zero else { return signal }
        await withCheckedContinuation { continuation in
            _ = kernel.pump.clock.schedule(at: kernel.now.advanced(by: lateness)) { continuation.resume() }
        }
        return signal
    }

    private func nextInTime() async -> HostSignal? {
        if let signal = kernel.world.signals.takePending() { return signal }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { return continuation.resume(returning: nil) }
                if let signal = kernel.world.signals.takePending() {
                    return continuation.resume(returning: signal)
                }
                kernel.world.signals.wait(continuation)
            }
        } onCancel: {
            kernel.world.signals.wake(nil)
        }
    }
}

/// Signals that were sent to the collector and not taken yet, each once.
final class SignalQueue {
    private let pump: Pump
    private var pending: [HostSignal] = []
    private var waiter: CheckedContinuation<HostSignal?, Never>?
    private var parked = 0

    init(pump: Pump) { self.pump = pump }

    func deliver(_ signal: HostSignal) {
        if waiter != nil { return wake(signal) }
        if !pending.contains(signal) { pending.append(signal) }
    }

    func takePending() -> HostSignal? { pending.isEmpty ? nil : pending.removeFirst() }

    func wait(_ continuation: CheckedContinuation<HostSignal?, Never>) {
        precondition(waiter == nil, "one task at a time waits for signals")
        waiter = continuation
        parked = pump.park("a signal")
    }

    func wake(_ signal: HostSignal?) {
        guard let waiter else { return }
        self.waiter = nil
        pump.unpark(parked)
        waiter.resume(returning: signal)
    }
}
