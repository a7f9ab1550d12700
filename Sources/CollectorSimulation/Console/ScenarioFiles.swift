import CSimulation

import struct SystemPackage.Errno
import struct SystemPackage.FileDescriptor
import struct SystemPackage.FilePath
import struct SystemPackage.FilePermissions

/// Scenario files on disk.
package enum ScenarioFiles {
    /// The files themselves and, for each folder, the files directly in it that end so, ordered by name.
    package static func expand(_ paths: [String], endings: [String] = [".scn"]) throws(FileError) -> [String]
    {
        var files: [String] = []
        for path in paths {
            guard let names = try names(inFolder: path) else {
                files.append(path)
                continue
            }
            let folder = path.hasSuffix("/") ? path : path + "/"
            files += names.filter { name in endings.contains { name.hasSuffix($0) } }.map { folder + $0 }
        }
        return files
    }

    /// The whole file, at most `ScenarioLimits.fileByteCount` and one byte, so that a longer one is seen to be too long.
    package static func read(_ path: String) throws(FileError) -> [UInt8] {
        let file = try open(path, .readOnly, [])
        defer { csim_close_stream(file.rawValue) }
        return ByteReader(descriptor: file.rawValue).rest(limit: ScenarioLimits.fileByteCount + 1)
    }

    /// Replaces the file's contents, or makes it.
    package static func write(_ text: String, to path: String) throws(FileError) {
        let file = try open(path, .writeOnly, [.create, .truncate])
        let writer = ByteWriter(descriptor: file.rawValue)
        writer.write(text.utf8)
        let isWritten = writer.flush()
        csim_close_stream(file.rawValue)
        guard isWritten else { throw FileError(path: path, reason: "cannot be written") }
    }

    /// The names in a folder; `nil` when the path is not a folder.
    private static func names(inFolder path: String) throws(FileError) -> [String]? {
        let folder: FileDescriptor
        do {
            folder = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .directory])
        } catch let error as Errno where error == .notDirectory {
            return nil
        } catch {
            throw FileError(path: path, reason: "cannot be opened: \(error)")
        }
        defer { csim_close_stream(folder.rawValue) }
        let list = csim_folder_names(folder.rawValue)
        guard list >= 0 else { throw FileError(path: path, reason: "cannot be listed") }
        defer { csim_close_stream(list) }
        let bytes = ByteReader(descriptor: list).rest(limit: 16 << 20)
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func open(
        _ path: String, _ mode: FileDescriptor.AccessMode, _ options: FileDescriptor.OpenOptions
    ) throws(FileError) -> FileDescriptor {
        do {
            let permissions: FilePermissions? =
                mode == .readOnly ? nil : [.ownerReadWrite, .groupRead, .otherRead]
            return try FileDescriptor.open(
                FilePath(path), mode, options: options.union(.closeOnExec), permissions: permissions)
        } catch {
            throw FileError(path: path, reason: "cannot be opened: \(error)")
        }
    }
}

/// A file that cannot be used, and why.
package struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    package var reason: String

    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    package var description: String { "\(path): \(reason)" }
    /// `EX_NOINPUT` of sysexits.h.
    package var exitCode: Int32 { 66 }
}
