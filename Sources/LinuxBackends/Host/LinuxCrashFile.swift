package import struct SystemPackage.Errno

/// A file that is kept open for the last words of this run, and what those of the run before were.
///
/// Empty as long as the run has not crashed. It has to be open beforehand: who crashes can open nothing any more.
package final class LinuxCrashFile: Sendable {
    package static let name = "last-crash.json"
    /// What ``name`` becomes when the next run has read it.
    package static let keptName = "last-crash.1.json"
    /// The handler writes one line of at most 1 KiB; more of the file is not read.
    private static let byteCountLimit = 4_096

    private let file: OwnedDescriptor
    /// The last words of the run before; `nil` if it had none.
    package let previous: [UInt8]?

    /// Keeps what the run before wrote aside, and opens a new file.
    ///
    /// - Parameter folder: An absolute path; the folder exists.
    package init(folder path: String) throws(Errno) {
        let folder = try Syscall.openDirectory(path: path)
        let base = Base(folder)
        let words = try Self.read(in: base)
        previous = words.isEmpty ? nil : words
        do throws(Errno) {
            if words.isEmpty {
                try Syscall.unlink(Self.name, in: base)
            } else {
                try Syscall.rename(Self.name, to: Self.keptName, in: base)
            }
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
        }
        file = try Syscall.makeFile(Self.name, in: base)
    }

    /// Where to write; stays open as long as this object lives.
    package var descriptor: Int32 { file.rawValue }

    private static func read(in base: Base) throws(Errno) -> [UInt8] {
        let file: OwnedDescriptor
        do throws(Errno) {
            file = try Syscall.openFileNoFollow(name, in: base)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
            return []
        }
        guard try Syscall.status(of: file).isRegular else { throw .invalidArgument }
        var bytes: [UInt8] = []
        _ = try Syscall.read(file.rawValue, atMost: byteCountLimit, into: &bytes)
        return bytes
    }
}
