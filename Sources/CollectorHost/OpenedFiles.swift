import Backends
import Configuration
import HostSources
import LinuxBackends

import struct SystemPackage.Errno

/// What the filesystem source needs of the outside.
struct OpenedFiles {
    let thread: LinuxThread
    let endpoints: FilesystemSource.Endpoints
    /// How many folders the kernel lets this user watch; `nil` when it cannot be read.
    let kernelWatchLimit: UInt64?

    /// Longest kept index in bytes: about three million files.
    private static let indexByteCountLimit = 256 << 20

    /// - Returns: `nil` when no folder is to be watched.
    static func open(_ values: SettingsValues) throws(HostError) -> OpenedFiles? {
        let paths = distinct(values[HostSettings.fileRoots])
        guard !paths.isEmpty else { return nil }
        let thread = try OpenedHost.attempt("a thread") { () throws(Errno) in
            try LinuxThread(name: "source-files")
        }
        let watcher = try openWatcher(on: thread)
        var roots: [any RootedDirectory] = []
        for path in paths {
            roots.append(
                try OpenedHost.attempt("the folder \(path) of \(HostSettings.fileRoots.key)") {
                    () throws(Errno) in
                    try LinuxRootedDirectory(path: Array(path.utf8))
                })
        }
        let index = try OpenedHost.stateFile(
            "filesystem.index", in: values[HostSettings.stateDirectory],
            byteCountLimit: Self.indexByteCountLimit)
        return OpenedFiles(
            thread: thread,
            endpoints: FilesystemSource.Endpoints(
                watcher: watcher, roots: roots, packageDatabase: try packageDatabase(values), index: index),
            kernelWatchLimit: watchLimits.map(\.value).min())
    }

    private static func openWatcher(on thread: LinuxThread) throws(HostError) -> LinuxFileWatcher {
        do throws(Errno) {
            return try LinuxFileWatcher(on: thread)
        } catch {
            // inotify_init(2) has one error for this process's limit and for the user's.
            let isOfUser = error == .tooManyOpenFiles && HostProcess.mayOpenMore
            throw HostError(
                error == .permissionDenied ? .permission : .unavailable,
                "cannot open inotify: "
                    + (isOfUser ? "user \(HostProcess.effectiveUserID) has all instances" : "\(error)"),
                cause: error,
                fix: isOfUser
                    ? "sysctl -w fs.inotify.max_user_instances=1024 user.max_inotify_instances=1024" : nil)
        }
    }

    /// - Returns: `nil` when it is not wanted, or this host has none.
    private static func packageDatabase(_ values: SettingsValues) throws(HostError) -> LinuxRootedDirectory? {
        let path = values[HostSettings.packageDatabase]
        guard !path.isEmpty else { return nil }
        do throws(Errno) {
            return try LinuxRootedDirectory(path: Array(path.utf8))
        } catch {
            // Most hosts without dpkg have never heard of it.
            if error == .noSuchFileOrDirectory, path == DpkgDatabase.folder { return nil }
            throw HostError(
                error == .permissionDenied ? .permission : .unavailable,
                "cannot open the folder \(path) of \(HostSettings.packageDatabase.key): \(error)",
                cause: error)
        }
    }

    /// Without slashes at the end, and none twice, in their order.
    private static func distinct(_ paths: [String]) -> [String] {
        var distinct: [String] = []
        for path in paths {
            var path = Substring(path)
            while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
            if !distinct.contains(String(path)) { distinct.append(String(path)) }
        }
        return distinct
    }

    /// The kernel's limits on watches by their sysctl(8) names: for each user, and for each user of a user namespace.
    static var watchLimits: [(name: String, value: UInt64)] {
        let names = [("fs/inotify", "max_user_watches"), ("user", "max_inotify_watches")]
        return names.compactMap { folder, name in
            number(in: "/proc/sys/" + folder, name).map {
                (folder.split(separator: "/").joined(separator: ".") + "." + name, $0)
            }
        }
    }

    private static func number(in folder: String, _ name: String) -> UInt64? {
        var bytes: [UInt8] = []
        do throws(Errno) {
            let folder = try LinuxRootedDirectory(path: Array(folder.utf8))
            let file = try folder.open(Array(name.utf8), as: .contents)
            _ = try folder.read(file, at: 0, count: 32, into: &bytes)
        } catch {
            // It is only shown.
            return nil
        }
        let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first
        return text.flatMap { UInt64($0) }
    }
}
