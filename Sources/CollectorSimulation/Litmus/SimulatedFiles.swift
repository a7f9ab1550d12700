import Backends
import EventModel
import SimulatedBackends

import struct SystemPackage.Errno

/// The files of a simulated kernel.
final class SimulatedFiles: LitmusFiles {
    private let host: SimulatedHost
    private var held: [String: Int] = [:]
    private var heldCount = 0

    private static let root = Array("/litmus/files/root".utf8)

    init(_ host: SimulatedHost) throws(LitmusFailure) {
        self.host = host
        do throws(Errno) {
            try host.kernel.addFiles([.makeFolders(path: Self.root, permissions: 0o755)])
        } catch {
            throw LitmusFailure("could not make the root: \(error.symbol)")
        }
    }

    var queueLimit: Int { host.kernel.watchQueueLimit }

    func openWatcher() throws(Errno) -> any FileWatcher { try host.fileWatcher() }

    func openRoot() throws(Errno) -> any RootedDirectory { try host.rootedDirectory(path: Self.root) }

    func perform(_ action: LitmusFileAction) async throws(LitmusFailure) -> Errno? {
        if let name = action.heldName, held[name] == nil { return .badFileDescriptor }
        let steps = try steps(of: action)
        do throws(Errno) {
            for step in steps { try host.kernel.perform(step) }
        } catch {
            if case .hold(_, let name) = action { held[name] = nil }
            return error
        }
        if case .release(let name) = action { held[name] = nil }
        return nil
    }

    private func steps(of action: LitmusFileAction) throws(LitmusFailure) -> [FileAction] {
        switch action {
        case .create(let path, let text, let mode): return [create(path, text, mode: mode)]
        case .write(let path, let text, let offset):
            return [.write(path: full(path), .given(text), at: offset, over: .zero)]
        case .overwrite(let path, let text): return [.overwrite(path: full(path), .given(text), over: .zero)]
        case .truncate(let path, let size): return [.truncate(path: full(path), size: size)]
        case .read(let path): return [.read(path: full(path))]
        case .map(let path, let text): return [.map(path: full(path), .given(text))]
        case .chmod(let path, let mode): return [.chmod(path: full(path), mode)]
        case .chown(let path, let uid, let gid):
            return [.chown(path: full(path), UserID(uid), GroupID(gid))]
        case .touch(let path):
            let time = WallTime(nanoseconds: LitmusFileAction.touchSeconds * 1_000_000_000)
            return [.setModified(path: full(path), time)]
        case .hold(let path, let name):
            heldCount += 1
            held[name] = heldCount
            return [.hold(path: full(path), heldCount)]
        case .put(let name, let text, let times):
            return Array(repeating: .writeHeld(held[name] ?? 0, .given(text)), count: times)
        case .release(let name): return [.release(held[name] ?? 0)]
        case .storm(let folder, let count):
            return (0..<count).map { create(folder + Array("/f\($0)".utf8), [], mode: 0o644) }
        default: return [try nameStep(of: action)]
        }
    }

    private func nameStep(of action: LitmusFileAction) throws(LitmusFailure) -> FileAction {
        switch action {
        case .rename(let old, let new, let mode): .rename(from: full(old), to: full(new), mode.mode)
        case .link(let old, let new): .link(from: full(old), to: full(new))
        case .symlink(let target, let path): .symlink(path: full(path), target: target)
        case .unlink(let path): .unlink(path: full(path))
        case .makeFolder(let path, let mode): .makeFolder(path: full(path), permissions: mode)
        case .removeFolder(let path): .removeFolder(path: full(path))
        case .makeNode(let path, let node): .makeNode(path: full(path), node.type, permissions: 0o644)
        case .mount(let path): .mount(path: full(path), MountOptions())
        case .unmount(let path, let isLazy): .unmount(path: full(path), isLazy ? .lazy : .orderly)
        default: throw LitmusFailure("the simulated kernel has no such thing: \(action)")
        }
    }

    private func create(_ path: [UInt8], _ text: [UInt8], mode: UInt16) -> FileAction {
        var attributes = FileAttributes()
        attributes.permissions = mode
        attributes.bytes = .given(text)
        return .create(path: full(path), attributes, over: .zero)
    }

    private func full(_ path: [UInt8]) -> [UInt8] { Self.root + [UInt8(ascii: "/")] + path }
}

extension LitmusFileAction {
    /// What an action needs to be open.
    fileprivate var heldName: String? {
        switch self {
        case .put(let name, _, _), .release(let name): name
        default: nil
        }
    }
}

extension LitmusFileAction.RenameMode {
    fileprivate var mode: RenameMode {
        switch self {
        case .replace: .replace
        case .keep: .keep
        case .exchange: .exchange
        }
    }
}

extension LitmusFileAction.Node {
    fileprivate var type: FileType {
        switch self {
        case .fifo: .fifo
        case .socket: .socket
        case .device: .characterDevice
        }
    }
}
