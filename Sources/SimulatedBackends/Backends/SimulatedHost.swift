package import Backends
import EventModel

package import struct SystemPackage.Errno

/// A whole simulated host: the pump, the kernel, and every backend on top of it.
package struct SimulatedHost: Sendable {
    package let pump: Pump
    package let kernel: SimulatedKernel
    package let disk: SimulatedDisk

    /// A host on the calling thread.
    ///
    /// - Parameter disk: Pass the disk of an earlier host to start again with what it kept.
    package init(
        _ configuration: WorldConfiguration = WorldConfiguration(), faults: FaultPlan = FaultPlan(),
        disk: SimulatedDisk = SimulatedDisk()
    ) {
        pump = Pump(configuration)
        self.disk = disk
        kernel = SimulatedKernel(configuration, pump: pump, faults: faults, disk: disk)
    }

    package var clock: any SystemClock { pump.clock }
    package var threads: any ThreadProvider {
        SimulatedThreads(pump: pump, clock: SimulatedTimers(kernel: kernel))
    }
    package var procFileSystem: any ProcFileSystem { SimulatedProcFileSystem(kernel: kernel) }
    package var fence: any ProcessorFence { SimulatedFence(kernel: kernel) }
    package var signals: any SignalStream { SimulatedSignals(kernel: kernel) }
    package var entropy: any Entropy { SimulatedEntropy(kernel: kernel) }

    /// A socket of the process connector, bound to its group.
    ///
    /// - Throws: `EPROTONOSUPPORT` when the kernel has no connector, `EMFILE`.
    package func openConnectorSocket() throws(Errno) -> SimulatedConnectorSocket {
        try SimulatedConnectorSocket(kernel: kernel)
    }

    /// An inotify instance.
    ///
    /// - Throws: `EMFILE`.
    package func fileWatcher() throws(Errno) -> SimulatedFileWatcher {
        try SimulatedFileWatcher(kernel: kernel)
    }

    /// A folder that is open for the collector, by its absolute path.
    ///
    /// - Throws: `ENOENT`, `ENOTDIR`, `EACCES`, `EMFILE`.
    package func rootedDirectory(path: [UInt8]) throws(Errno) -> SimulatedRootedDirectory {
        try SimulatedRootedDirectory(path: path, kernel: kernel)
    }

    /// A socket of the collector that listens.
    ///
    /// - Throws: `EADDRINUSE` when somebody listens there, `ENOTSOCK` when the name is taken by something that is no socket,
    ///   `ENAMETOOLONG`, `EINVAL`, `EMFILE`.
    package func transportListener(
        path: String, permissions: SocketPermissions = SocketPermissions(mode: 0o660), backlog: Int = 128
    ) throws(Errno) -> SimulatedTransportListener {
        try SimulatedTransportListener(
            path: path, permissions: permissions, backlog: backlog, kernel: kernel)
    }

    /// A way to the listener at a path, for a process of any kind: its calls take time and can be struck by faults.
    ///
    /// - Throws: `ENAMETOOLONG`, `EINVAL`.
    package func transportConnector(
        path: String, as credentials: PeerCredentials
    ) throws(Errno) -> SimulatedTransportConnector {
        try SimulatedTransportConnector(path: path, credentials: credentials, kernel: kernel)
    }

    /// A small file that survives a restart.
    package func durableFile(named name: String) -> any DurableFile {
        SimulatedDurableFile(kernel: kernel, disk: disk, name: name)
    }
}
