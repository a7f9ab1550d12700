import Backends
import CollectorCore
import Configuration
import EventModel
import KernelFormats
import LinuxBackends

import struct SystemPackage.Errno

/// Reads the settings of this host: files, environment, flags.
///
/// The files are read anew each time, environment and flags stay what they were when the process was started.
struct SettingsReader: Sendable {
    /// Where the host's own settings are.
    static let folder = "/etc/collector-core"
    /// A file that stands for all others.
    static let fileVariable = SettingsLayers.variablePrefix + "CONFIG"

    /// The only file, if one is named.
    private let file: String?
    /// That of the user, if there is a home.
    private let userFile: String?
    private let environment: [SettingsLayers.Variable]
    private let flags: [String]
    /// Which settings there are.
    let table: SettingsTable

    init(file: String?, flags: [String], sources: [SourceDefinition]) {
        table = HostSettings.table(adding: sources)
        self.file = file ?? Self.variable(Self.fileVariable)
        self.flags = flags
        environment = HostProcess.environment(prefix: SettingsLayers.variablePrefix).map {
            SettingsLayers.Variable(name: $0.name, value: $0.value)
        }
        let home = Self.absolute("HOME").map { $0 + "/.config" }
        userFile = (Self.absolute("XDG_CONFIG_HOME") ?? home).map { $0 + "/collector-core/config.toml" }
    }

    private static func variable(_ name: String) -> String? {
        HostProcess.environment(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Relative ones are invalid (XDG Base Directory Specification): what is read must not depend on where one stands.
    private static func absolute(_ name: String) -> String? {
        variable(name).flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    /// The files that are read, whether they exist or not, lowest first.
    var paths: [String] {
        if let file { return [file] }
        return [Self.folder + "/config.toml"] + (userFile.map { [$0] } ?? []) + [
            Self.folder + "/conf.d/*.toml"
        ]
    }

    /// The values that all layers give together.
    ///
    /// - Throws: ``SettingsError``: everything that is wrong.
    func read() throws(SettingsError) -> SettingsValues {
        var layers = SettingsLayers()
        layers.environment = environment
        layers.flags = flags
        var problems: [SettingsProblem] = []
        for (path, isOptional) in try candidates() {
            do throws(LinuxSettingsFile.Failure) {
                layers.files.append(
                    SettingsFile(
                        path: path,
                        bytes: try LinuxSettingsFile.read(path, byteCountLimit: SettingsLimits.fileByteCount))
                )
            } catch .failed(.noSuchFileOrDirectory) where isOptional {
                continue
            } catch {
                let hint = path == userFile ? "; it is found by HOME; --config PATH names another one" : ""
                problems.append(
                    SettingsProblem(
                        place: TerminalText.escape(path), message: Self.message(error, of: "file") + hint))
            }
        }
        do throws(SettingsError) {
            let values = try layers.values(in: table)
            guard !problems.isEmpty else { return values }
        } catch {
            problems += error.problems
        }
        throw SettingsError(problems: problems)
    }

    private func candidates() throws(SettingsError) -> [(path: String, isOptional: Bool)] {
        if let file { return [(file, false)] }
        let own = [Self.folder + "/config.toml"] + (userFile.map { [$0] } ?? [])
        return own.map { ($0, true) } + (try Self.dropIns(in: Self.folder + "/conf.d")).map { ($0, false) }
    }

    private static func message(_ failure: LinuxSettingsFile.Failure, of kind: String) -> String {
        switch failure {
        case .failed(let error): "cannot be read: \(error)"
        case .notRegular: "expected a regular file"
        case .tooLarge: "expected at most \(SettingsLimits.fileByteCount) bytes"
        case .changeableByOthers(let owner, let mode):
            "expected a \(kind) that only root or user \(HostProcess.effectiveUserID) can change, not one of user "
                + "\(owner) with mode \(String(mode, radix: 8)); see chown(1), chmod(1)"
        }
    }

    /// Files of a folder whose names end so and do not begin with a dot, in the order of their names' bytes.
    private static func dropIns(in folder: String) throws(SettingsError) -> [String] {
        let entries: [[UInt8]]
        do throws(Errno) {
            entries = try LinuxRootedDirectory(path: Array(folder.utf8)).names()
        } catch .noSuchFileOrDirectory {
            return []
        } catch {
            throw SettingsError(place: folder, message: "cannot be listed: \(error)")
        }
        do throws(LinuxSettingsFile.Failure) {
            try LinuxSettingsFile.checkFolder(folder)
        } catch {
            throw SettingsError(place: folder, message: message(error, of: "folder"))
        }
        let names = entries.filter { name in
            name.first != 0x2e && name.reversed().starts(with: ".toml".utf8.reversed())
        }.sorted { $0.lexicographicallyPrecedes($1) }
        guard names.count <= SettingsLimits.fileCount else {
            throw SettingsError(
                place: folder,
                message: "expected at most \(SettingsLimits.fileCount) files, not \(names.count)")
        }
        return names.map { folder + "/" + String(decoding: $0, as: UTF8.self) }
    }
}
