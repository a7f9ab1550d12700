import Backends
import LinuxBackends

import struct SystemPackage.Errno

/// Files of this host, in a tmpfs of their own that nobody else sees.
///
/// The mounts of a case belong to the mount namespace of the thread that runs it, and go with that thread at the latest.
final class RealFiles: LitmusFiles {
    private let top: [UInt8]
    private let thread: LinuxThread
    private var held: [String: ChannelDescriptor] = [:]

    /// Mounts over `folder` and makes the root there, which becomes the thread's working directory.
    ///
    /// To be called on `thread`.
    init(in folder: String, on thread: LinuxThread) throws(LitmusFailure) {
        top = Array(folder.utf8)
        self.thread = thread
        try FileSystem.begin(in: top)
    }

    var queueLimit: Int { FileSystem.queueLimit }

    func openWatcher() throws(Errno) -> any FileWatcher { try LinuxFileWatcher(on: thread) }

    func openRoot() throws(Errno) -> any RootedDirectory {
        try LinuxRootedDirectory(path: top + Array("/root".utf8))
    }

    func perform(_ action: LitmusFileAction) async throws(LitmusFailure) -> Errno? {
        do throws(Errno) {
            try act(action)
            return nil
        } catch {
            return error
        }
    }

    private func act(_ action: LitmusFileAction) throws(Errno) {
        switch action {
        case .create(let path, let text, let mode):
            try FileSystem.write(path, text, .create(mode))
        case .write(let path, let text, let offset):
            try FileSystem.write(path, text, offset.map { .at($0) } ?? .append)
        case .overwrite(let path, let text): try FileSystem.write(path, text, .replace)
        case .hold(let path, let name): held[name] = try FileSystem.hold(path)
        case .put(let name, let text, let times):
            guard let file = held[name] else { throw .badFileDescriptor }
            for _ in 0..<times { try FileSystem.put(text, into: file) }
        case .release(let name):
            guard held.removeValue(forKey: name) != nil else { throw .badFileDescriptor }
        case .storm(let folder, let count):
            for index in 0..<count {
                try FileSystem.write(folder + Array("/f\(index)".utf8), [], .create(0o644))
            }
        default: try FileSystem.act(action)
        }
    }

    /// Takes everything away; to be called on the thread of the case, with all rights.
    func tearDown() {
        held = [:]
        FileSystem.end(in: top)
    }
}
