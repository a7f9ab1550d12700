package import struct SystemPackage.Errno

/// Why no socket could be made, and what to do about it.
package struct TransportListenerError: Error, Hashable, CustomStringConvertible {
    /// What stands in the way.
    package enum Problem: Hashable, Sendable {
        /// More than `Limits.socketPathByteCount` bytes.
        case pathTooLong(byteCount: Int)
        /// Not absolute, or it names no file.
        case pathInvalid
        /// The folder can be neither opened nor made.
        case folder(Errno)
        /// Others than the folder's owner may rename and remove what is in it.
        case folderOfMany(mode: UInt32)
        /// Another process listens there, or is about to.
        case inUse
        /// What has the name is no socket, and is left alone.
        case notSocket
        /// A call failed.
        case call(String, Errno)
    }

    package var problem: Problem
    package var path: String

    init(_ problem: Problem, path: String) {
        self.problem = problem
        self.path = path
    }

    /// The error that a call of the kernel would give.
    package var errno: Errno {
        switch problem {
        case .pathTooLong: .fileNameTooLong
        case .pathInvalid: .invalidArgument
        case .folder(let errno), .call(_, let errno): errno
        case .folderOfMany: .notPermitted
        case .inUse: .addressInUse
        case .notSocket: .notSocket
        }
    }

    /// Whether a right is missing, instead of a thing.
    package var isDenied: Bool {
        switch problem {
        case .folder(let errno), .call(_, let errno): errno == .permissionDenied || errno == .notPermitted
        default: false
        }
    }

    /// A command that removes the problem, if there is one.
    package var command: String? {
        if case .folderOfMany = problem { return "chmod go-w \(folder)" }
        return nil
    }

    private var folder: String { LinuxDurableFile.split(path)?.folder ?? path }

    /// One line: what failed, on which object, and what to do.
    package var description: String {
        switch problem {
        case .pathTooLong(let byteCount):
            "the path of a socket has at most \(SocketPath.byteCountLimit) bytes, \(path) has \(byteCount): "
                + "choose a shorter one"
        case .pathInvalid:
            "\"\(path)\" is no path for a socket: give an absolute one that ends with a name"
        case .folder(let errno):
            "cannot make the socket \(path), because its folder cannot be used: \(errno); make the folder, or choose "
                + "another path"
        case .folderOfMany(let mode):
            "others could replace the socket \(path), as the mode of its folder is \(String(mode & 0o7777, radix: 8)): "
                + "run `chmod go-w \(folder)`, or choose another path"
        case .inUse:
            "another process listens at \(path): stop it, or choose another path"
        case .notSocket:
            "\(path) is no socket and is left alone: remove it, or choose another path"
        case .call(let call, let errno):
            isDenied
                ? "cannot make the socket \(path) (\(call)): \(errno); run as the owner of \(folder), or choose another "
                    + "path"
                : "cannot make the socket \(path) (\(call)): \(errno); choose another path"
        }
    }
}
