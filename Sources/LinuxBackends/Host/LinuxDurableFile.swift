import Backends

package import struct SystemPackage.Errno

/// A small file that is replaced by renaming a complete copy over it.
///
/// The folder is opened once, so that it stays reachable after privileges are gone or a name above it changes.
package final class LinuxDurableFile: DurableFile {
    /// The longest contents in bytes, unless another limit is given: what is read whole must be bounded.
    package static let byteCountLimit = 1_048_576

    private let byteCountLimit: Int
    private let folder: OwnedDescriptor
    private let name: String
    private var temporaryName: String { ".\(name).new" }

    /// Opens the folder of `path`, and makes it with mode 0750 if it is missing.
    ///
    /// - Parameter path: An absolute path to a file, which need not exist.
    /// - Parameter byteCountLimit: The longest contents; `EFBIG` beyond.
    /// - Throws: `EINVAL` for a path that names no file, `ENOENT` when more than the last folder is missing, `EACCES`.
    package init(path: String, byteCountLimit: Int = LinuxDurableFile.byteCountLimit) throws(Errno) {
        guard let (folderPath, name) = Self.split(path) else { throw .invalidArgument }
        self.name = name
        self.byteCountLimit = byteCountLimit
        do {
            folder = try Syscall.openDirectory(path: folderPath)
        } catch .noSuchFileOrDirectory {
            do {
                try Syscall.makeDirectory(path: folderPath, mode: 0o750)
            } catch .fileExists {
                // Somebody else made it meanwhile.
            }
            folder = try Syscall.openDirectory(path: folderPath)
        }
    }

    package func read() throws(Errno) -> [UInt8]? {
        let file: OwnedDescriptor
        do {
            file = try Syscall.openFileNoFollow(name, in: Base(folder))
        } catch .noSuchFileOrDirectory {
            return nil
        }
        guard try Syscall.status(of: file).isRegular else { throw .invalidArgument }
        var bytes: [UInt8] = []
        while try Syscall.read(file.rawValue, atMost: 65_536, into: &bytes) > 0 {
            if bytes.count > byteCountLimit { throw .fileTooLarge }
        }
        return bytes
    }

    package func replace(with bytes: [UInt8]) throws(Errno) {
        guard bytes.count <= byteCountLimit else { throw .fileTooLarge }
        let file = try makeTemporaryFile()
        do {
            var offset = 0
            while offset < bytes.count {
                offset += try Syscall.write(file.rawValue, bytes, from: offset)
            }
            // An error here is reported once only: the copy is given up, never synchronised again.
            try Syscall.synchronise(file)
            try Syscall.rename(temporaryName, to: name, in: Base(folder))
        } catch {
            // The first error is the one to report; a copy that stays is removed by the next replacement.
            try? Syscall.unlink(temporaryName, in: Base(folder))
            throw error
        }
        try Syscall.synchronise(folder)
    }

    /// Makes the empty copy; what a crash left behind is removed first.
    private func makeTemporaryFile() throws(Errno) -> OwnedDescriptor {
        do {
            return try Syscall.makeFile(temporaryName, in: Base(folder))
        } catch .fileExists {
            try Syscall.unlink(temporaryName, in: Base(folder))
            return try Syscall.makeFile(temporaryName, in: Base(folder))
        }
    }

    /// The folder and the name in it of an absolute path; `nil` when it names no file.
    static func split(_ path: String) -> (folder: String, name: String)? {
        guard path.first == "/", !path.utf8.contains(0), let slash = path.lastIndex(of: "/") else {
            return nil
        }
        let name = path[path.index(after: slash)...]
        if name.isEmpty || name == "." || name == ".." { return nil }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(name))
    }
}
