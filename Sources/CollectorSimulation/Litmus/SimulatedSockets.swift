import Backends
import EventModel
import SimulatedBackends

import struct SystemPackage.Errno

/// Stream sockets of the simulated host.
final class SimulatedSockets: LitmusSockets {
    private let host: SimulatedHost
    private let id: (String) throws(LitmusFailure) -> ProcessID
    /// What processes hold, by their names.
    private var peers: [String: SimulatedPeer] = [:]

    init(_ host: SimulatedHost, id: @escaping (String) throws(LitmusFailure) -> ProcessID) {
        self.host = host
        self.id = id
    }

    func listen(at path: String, mode: UInt16, backlog: Int) throws(Errno) -> any TransportListener {
        try host.transportListener(
            path: full(path), permissions: SocketPermissions(mode: UInt32(mode)), backlog: backlog)
    }

    func connector(to path: String) throws(Errno) -> any TransportConnector {
        let own = host.kernel.credentials(of: host.kernel.ownProcessID)
        return try host.transportConnector(path: full(path), as: own)
    }

    func connect(_ process: String, to path: String) throws(LitmusFailure) -> Errno? {
        let pid = try id(process)
        do throws(Errno) {
            peers[process] = nil
            peers[process] = try host.kernel.connect(pid, to: full(path))
            return nil
        } catch {
            return error
        }
    }

    func pass(_ text: [UInt8], from process: String) throws(LitmusFailure) -> Errno? {
        guard let peer = peers[process] else { throw LitmusFailure("\(process) is not connected") }
        do throws(Errno) {
            _ = try peer.sendDescriptor(with: text)
            return nil
        } catch {
            return error
        }
    }

    func put(_ path: String, isSocket: Bool) throws(Errno) {
        host.kernel.placeSocketName(
            full(path), isSocket ? .remains : .file, permissions: SocketPermissions(mode: 0o644))
    }

    func remove(_ path: String) throws(Errno) {
        guard host.kernel.removeSocketName(full(path)) else { throw .noSuchFileOrDirectory }
    }

    var descriptorCount: Int {
        get throws(Errno) { host.kernel.socketCount }
    }

    private func full(_ path: String) -> String { "/litmus/" + path }
}
