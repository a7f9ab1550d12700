import Backends
import LinuxBackends

import struct SystemPackage.Errno

/// Stream sockets of this host, in the folder of a case.
final class RealSockets: LitmusSockets {
    private let scratch: ScratchFolder
    private let thread: LinuxThread
    private let puppet: (String) throws(LitmusFailure) -> Puppet

    init(
        in scratch: ScratchFolder, on thread: LinuxThread,
        puppet: @escaping (String) throws(LitmusFailure) -> Puppet
    ) {
        self.scratch = scratch
        self.thread = thread
        self.puppet = puppet
    }

    func listen(at path: String, mode: UInt16, backlog: Int) throws(Errno) -> any TransportListener {
        scratch.note(path)
        do throws(TransportListenerError) {
            return try LinuxTransportListener(
                path: full(path), mode: UInt32(mode), backlog: backlog, on: thread)
        } catch {
            throw error.errno
        }
    }

    func connector(to path: String) throws(Errno) -> any TransportConnector {
        try LinuxTransportConnector(path: full(path), on: thread)
    }

    func connect(_ process: String, to path: String) throws(LitmusFailure) -> Errno? {
        try puppet(process).connect(to: Array(full(path).utf8))
    }

    func pass(_ text: [UInt8], from process: String) throws(LitmusFailure) -> Errno? {
        try puppet(process).sendDescriptor(with: text)
    }

    func put(_ path: String, isSocket: Bool) throws(Errno) {
        scratch.note(path)
        let place = Array(full(path).utf8)
        do throws(Errno) { try FileSystem.act(.unlink(place)) } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
        }
        if isSocket {
            try FileSystem.act(.makeNode(place, .socket))
        } else {
            try FileSystem.write(place, [], .create(0o644))
        }
    }

    func remove(_ path: String) throws(Errno) { try FileSystem.act(.unlink(Array(full(path).utf8))) }

    var descriptorCount: Int {
        get throws(Errno) { try LinuxSelfUsage.current().descriptorCount }
    }

    private func full(_ path: String) -> String { scratch.path + "/" + path }
}
