public import Backends
import KernelFormats

public import struct SystemPackage.Errno

extension RootedDirectory {
    /// The names in a folder, without `.` and `..`, in the order of the file system.
    ///
    /// Not a snapshot, see `readEntries(of:count:into:)`. Names are any bytes but NUL and slash.
    ///
    /// - Parameters:
    ///   - path: Relative to the root; empty for the root itself.
    ///   - limit: Most names.
    /// - Throws: What opening and listing it throw; `E2BIG` beyond the limit.
    public func names(in path: String = "", limit: Int = 100_000) throws(Errno) -> [[UInt8]] {
        let folder = try open(Array(path.utf8), as: .folder)
        var names: [[UInt8]] = []
        var bytes: [UInt8] = []
        while try readEntries(of: folder, count: 32_768, into: &bytes) > 0 {
            var reader = DirectoryEntryReader(at: 0, count: bytes.count)
            // What the kernel gives is well formed; the rest of what is not would be left out.
            while let entry = try? reader.next(in: bytes.span) {
                guard !entry.isSelfOrParent else { continue }
                guard names.count < limit else { throw .argListTooLong }
                names.append(entry.name)
            }
            bytes.removeAll(keepingCapacity: true)
        }
        return names
    }

    /// The whole contents of a small file, such as one below `/sys`.
    ///
    /// - Parameters:
    ///   - path: Relative to the root.
    ///   - limit: Most bytes.
    /// - Throws: What opening and reading it throw; `EFBIG` beyond the limit.
    public func contents(of path: String, limit: Int = 65_536) throws(Errno) -> [UInt8] {
        let file = try open(Array(path.utf8), as: .contents)
        var bytes: [UInt8] = []
        while try read(file, at: UInt64(bytes.count), count: limit + 1 - bytes.count, into: &bytes) > 0 {
            guard bytes.count <= limit else { throw .fileTooLarge }
        }
        return bytes
    }
}
