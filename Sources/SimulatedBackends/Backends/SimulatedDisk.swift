import Backends
import Synchronization

package import struct SystemPackage.Errno

/// The disk under the collector's small files: what is on it survives a restart of the host.
///
/// Replacing a file takes four steps as on a real disk: write a new file, make it durable, rename it over the old one,
/// make the folder durable. After a loss of power the file holds the bytes from before the rename or those after it,
/// whichever the disk had last, and every further call fails with `EIO` until ``restorePower()``.
package final class SimulatedDisk: Sendable {
    private struct State {
        /// What is on the medium.
        var durable: [String: [UInt8]] = [:]
        /// What processes see: renamed, but perhaps not on the medium yet.
        var visible: [String: [UInt8]] = [:]
        var isPowerless = false
        var replaceCount = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// The power fails now: what was not durable is gone.
    package func failPower() {
        state.withLock {
            $0.isPowerless = true
            $0.visible = $0.durable
        }
    }

    /// The host starts again with what the medium has.
    package func restorePower() { state.withLock { $0.isPowerless = false } }

    /// What the medium has of a file; `nil` when there is none.
    package func durableBytes(of name: String) -> [UInt8]? { state.withLock { $0.durable[name] } }

    /// Puts bytes onto the medium, as an earlier run would have left them.
    package func store(_ bytes: [UInt8], as name: String) {
        state.withLock {
            $0.durable[name] = bytes
            $0.visible[name] = bytes
        }
    }

    /// How many replacements have been completed.
    package var replaceCount: Int { state.withLock { $0.replaceCount } }

    /// The moments at which the power can fail during a replacement.
    enum CrashPoint: UInt64, CaseIterable {
        case whileWriting, beforeRename, afterRename, afterFolderSync
    }

    func read(_ name: String) throws(Errno) -> [UInt8]? {
        let result: (isPowerless: Bool, bytes: [UInt8]?) = state.withLock {
            ($0.isPowerless, $0.visible[name])
        }
        guard !result.isPowerless else { throw .ioError }
        return result.bytes
    }

    /// - Parameter survivesRename: After a rename without the folder's sync, whether the medium has it.
    func replace(
        _ name: String, with bytes: [UInt8], crashingAt crash: CrashPoint?, survivesRename: Bool
    ) throws(Errno) {
        let isDone = state.withLock { state -> Bool in
            guard !state.isPowerless else { return false }
            guard let crash else {
                state.visible[name] = bytes
                state.durable[name] = bytes
                state.replaceCount += 1
                return true
            }
            state.isPowerless = true
            if crash == .afterFolderSync || crash == .afterRename && survivesRename {
                state.durable[name] = bytes
            }
            state.visible = state.durable
            return false
        }
        guard isDone else { throw .ioError }
    }
}

/// One small file on a simulated disk.
package struct SimulatedDurableFile: DurableFile {
    private let kernel: SimulatedKernel
    private let disk: SimulatedDisk
    private let name: String
    /// Pieces beyond which short writes take no more time.
    private static let pieceLimit = 4_096

    init(kernel: SimulatedKernel, disk: SimulatedDisk, name: String) {
        self.kernel = kernel
        self.disk = disk
        self.name = name
    }

    package func read() throws(Errno) -> [UInt8]? {
        try kernel.world.call(.fileRead, file: name) { (effects) throws(Errno) in
            // The name may have outlived a loss of power, the contents or a part of them not.
            let kept = effects.isAtEnd ? 0 : effects.limit ?? .max
            let bytes = try disk.read(name).map { effects.corrupting(Array($0.prefix(kept))) }
            var digest = Digest()
            digest.fold(bytes ?? [])
            return (bytes, digest.value)
        }
    }

    package func replace(with bytes: [UInt8]) throws(Errno) {
        let world = kernel.world
        try world.call(.fileReplace, file: name) { (effects) throws(Errno) in
            var digest = Digest()
            digest.fold(bytes)
            var crash: SimulatedDisk.CrashPoint?
            if effects.isCrash {
                crash = SimulatedDisk.CrashPoint(rawValue: world.generator.below(4))
            }
            let survivesRename = crash == .afterRename && world.generator.below(2) == 0
            // Each further write(2) takes a call's time.
            if let limit = effects.limit {
                for _ in 0..<min(bytes.count / limit, Self.pieceLimit) { world.spendCallCost() }
            }
            try disk.replace(name, with: bytes, crashingAt: crash, survivesRename: survivesRename)
            return ((), digest.value)
        }
    }
}
