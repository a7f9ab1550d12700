import Backends
package import EventModel
import KernelFormats

package import struct SystemPackage.Errno

/// Lets a thread of the simulated collector announce itself on a processor.
package struct SimulatedFence: ProcessorFence {
    private let kernel: SimulatedKernel

    init(kernel: SimulatedKernel) { self.kernel = kernel }

    package func onlineProcessors() throws(Errno) -> [UInt32] {
        let world = kernel.world
        return try world.call(.fenceProcessors) { (effects) throws(Errno) in
            let count = effects.isAtEnd ? 0 : world.configuration.processorCount
            return (Array(0..<count), UInt64(count))
        }
    }

    package func announce(_ name: String, on processor: UInt32) throws(Errno) {
        let world = kernel.world
        try world.call(.fenceAnnounce, file: String(processor)) { (_) throws(Errno) in
            guard processor < world.configuration.processorCount,
                !world.configuration.forbiddenProcessors.contains(processor)
            else { throw .invalidArgument }
            let formerName = announcingThread(of: world).map { $0.process.threads[$0.index].comm } ?? []
            setName(Array(name.utf8), on: processor, in: world)
            // Between the two names the thread may be interrupted, and on the way back it runs anywhere.
            world.spendCallCost()
            setName(formerName, on: world.randomProcessor(), in: world)
            return ((), UInt64(processor))
        }
    }

    package var ownProcessID: ProcessID { kernel.world.ownProcessID }

    private func setName(_ name: [UInt8], on processor: UInt32, in world: World) {
        guard let (process, index) = announcingThread(of: world) else { return }
        process.threads[index].processor = processor
        world.setComm(of: process, thread: index, name, on: processor)
    }

    private func announcingThread(of world: World) -> (process: ProcessState, index: Int)? {
        guard let process = world.process(world.ownProcessID) else { return nil }
        return (process, process.threadIndex(world.ownThreadID) ?? 0)
    }
}
