package import Configuration
import EventModel
import HostSources

// MARK: - sources.filesystem

extension HostSettings {
    static let filesystemSource: [Setting] = [
        fileRoots.setting, fileExclude.setting, fileBaseline.setting, fileHash.setting,
        fileHashMaxSize.setting, fileHashRate.setting, fileMaxWatches.setting, fileSettle.setting,
        filePollInterval.setting, fileSaveInterval.setting, packageDatabase.setting,
    ]

    package static let fileRoots = TypedSetting.list(
        "sources.filesystem.roots", default: [], rule: .absolutePath, reload: .atRestart,
        "Folders that are watched with everything below them, other file systems excepted. Without any, "
            + "files are not watched.")
    package static let fileExclude = TypedSetting.list(
        "sources.filesystem.exclude", default: [], rule: fileRule, reload: .atRestart,
        "Files that make no events, and folders that are neither opened nor watched: an absolute path with all "
            + "below it, or a pattern for names such as *.swp.")
    package static let fileBaseline = TypedSetting.boolean(
        "sources.filesystem.baseline", default: false, reload: .atRestart,
        "Whether each file that is there at the first start makes an event of its own.")
    package static let fileHash = TypedSetting.boolean(
        "sources.filesystem.hash", default: true, reload: .whileRunning,
        "Whether the contents of a changed file are hashed (SHA-256) once it is closed.")
    package static let fileHashMaxSize = TypedSetting.byteCount(
        "sources.filesystem.hash_max_size", default: .mebibytes(64),
        range: .kibibytes(1) ... .gibibytes(1_024),
        reload: .whileRunning, "The largest file that is hashed.")
    package static let fileHashRate = TypedSetting.byteCount(
        "sources.filesystem.hash_rate", default: .mebibytes(32), range: .kibibytes(64) ... .gibibytes(16),
        reload: .whileRunning,
        "How much is read in a second for hashing. What waits longer than ten seconds is told without a hash."
    )
    package static let fileMaxWatches = TypedSetting.integer(
        "sources.filesystem.max_watches", default: 1_048_576, range: 1...16_777_216, unit: "folders",
        reload: .atRestart,
        "Most folders that are watched; further ones are looked at from time to time. The kernel's own "
            + "limit is fs.inotify.max_user_watches.")
    package static let fileSettle = TypedSetting.duration(
        "sources.filesystem.settle", default: .seconds(1), range: .milliseconds(1) ... .seconds(3_600),
        reload: .whileRunning,
        "How long a file may be written without being closed before it is told as modified.")
    package static let filePollInterval = TypedSetting.duration(
        "sources.filesystem.poll_interval", default: .seconds(60), range: .seconds(1) ... .seconds(86_400),
        reload: .whileRunning, "How often folders without a watch are looked at.")
    package static let fileSaveInterval = TypedSetting.duration(
        "sources.filesystem.save_interval", default: .seconds(300), range: .seconds(1) ... .seconds(86_400),
        reload: .whileRunning,
        "How often what is known of the files is kept, so that the next run can state what has changed "
            + "meanwhile. It is also kept when the collector stops.")

    package static let packageDatabase = TypedSetting.string(
        "sources.filesystem.package_database", default: DpkgDatabase.folder, rule: pathOrNothing,
        secrecy: .open,
        reload: .atRestart,
        "Where dpkg keeps its state. What it does to watched files is then one event, checked against the "
            + "packages' own checksums, and what does not match is raised. Empty: its changes are like any others."
    )

    private static let pathOrNothing = TextRule(expected: "an absolute path, or nothing") {
        $0.isEmpty || $0.utf8.first == 0x2f
    }
    private static let fileRule = TextRule(
        expected: "an absolute path, or a pattern for names such as *.swp without \"/\""
    ) { FileRules.isRule($0) }

    static func filesystemSettings(_ values: SettingsValues) -> FilesystemSourceSettings {
        var settings = FilesystemSourceSettings()
        for text in values[fileExclude] { _ = settings.rules.exclude(text) }
        settings.rules.excludeOwn(Array(values[stateDirectory].utf8))
        settings.reportsBaseline = values[fileBaseline]
        settings.hashes = values[fileHash]
        settings.hashSizeLimit = UInt64(values[fileHashMaxSize].bytes)
        settings.hashByteRate = UInt64(values[fileHashRate].bytes)
        settings.watchLimit = values[fileMaxWatches]
        settings.settleDelay = values[fileSettle]
        settings.pollInterval = values[filePollInterval]
        settings.saveInterval = values[fileSaveInterval]
        return settings
    }
}
