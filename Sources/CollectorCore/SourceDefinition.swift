public import Backends
public import Configuration
public import EventModel

public import struct SystemPackage.Errno

/// How a source is made: the one description from which a daemon and a simulator both compose it.
///
/// ```swift
/// extension SourceDefinition {
///     static let uptime = SourceDefinition("uptime") { host in Uptime(procfs: host.procfs) }
/// }
/// ```
public struct SourceDefinition: Sendable {
    public let name: SourceName
    /// What users can set, below `sources.NAME.`.
    public let settings: [Setting]
    private let make: @Sendable (any SourceHost) throws -> (any EventSource)?

    /// - Parameters:
    ///   - name: Lower-case letters, digits and `_`, as in a key of settings; something else traps.
    ///   - settings: Keys begin with `sources.NAME.`; what is set takes effect at the next start, so that each is declared
    ///     with `Setting.Reload.atRestart`. Something else traps.
    ///   - make: Opens all that the source needs through the host, and makes the source; `nil` when it has nothing to do by
    ///     its settings. Called once, before privileges are given up and before any thread runs; what it throws keeps the
    ///     whole composition from starting.
    public init(
        _ name: SourceName, settings: [Setting] = [],
        make: @escaping @Sendable (any SourceHost) throws -> (any EventSource)?
    ) {
        for setting in settings {
            precondition(
                setting.key.hasPrefix("sources.\(name.rawValue)."),
                "the settings of source \(name) begin with sources.\(name).: \(setting.key)")
            precondition(
                setting.reload == .atRestart, "a source's own settings take effect at restart: \(setting.key)"
            )
        }
        let isWord = name.rawValue.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f
        }
        precondition(isWord && !name.rawValue.isEmpty, "a source's name must be a word of [a-z0-9_]: \(name)")
        self.name = name
        self.settings = settings
        self.make = make
    }

    /// Opens what the source needs, and makes it.
    package func makeSource(on host: any SourceHost) throws -> (any EventSource)? {
        let source = try make(host)
        if let source {
            precondition(
                source.descriptor.name == name, "source \(source.descriptor.name) was defined as \(name)")
        }
        return source
    }
}

/// What a source may open of its host before it runs: the real one, or a simulated one.
///
/// Everything outside the process is behind one of these; a source that touches nothing else can be simulated. What is
/// opened stays open for as long as the source keeps it, over all of its runs.
public protocol SourceHost {
    /// The values of the source's settings.
    var settings: SettingsValues { get }
    /// That of the thread on which the source will run.
    var clock: any SystemClock { get }
    var procfs: any ProcFileSystem { get }

    /// A folder, by its absolute path, and all that lies below it.
    ///
    /// Such as `/sys/class/thermal` or `/var/spool`; a look through it never leads out of it.
    /// - Throws: ``SourceSetupError``: `ENOENT`, `ENOTDIR`, `EACCES`, `EMFILE`; `EINVAL` for a path that is not absolute.
    func rootedDirectory(_ path: String) throws(SourceSetupError) -> any RootedDirectory

    /// An inotify instance, read by the source's thread.
    ///
    /// - Throws: ``SourceSetupError``: `EMFILE` beyond `fs.inotify.max_user_instances`.
    func fileWatcher() throws(SourceSetupError) -> any FileWatcher

    /// A socket of the kernel's process connector, bound to its group, that has not asked for messages yet.
    ///
    /// - Throws: ``SourceSetupError``: `EPERM` without `CAP_NET_ADMIN`, `EPROTONOSUPPORT` without the connector.
    func connectorSocket() throws(SourceSetupError) -> any NetlinkSocket

    /// A small file of the source's own in the collector's folder for state, which outlives the process.
    ///
    /// - Parameter name: Letters, digits, `-` and `_`; something else traps.
    /// - Throws: ``SourceSetupError`` when the folder cannot be used.
    func durableFile(named name: String) throws(SourceSetupError) -> any DurableFile
}

/// Something that a source needs could not be opened.
public struct SourceSetupError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Such as `the folder /var/spool`.
    public var what: String
    public var error: Errno

    public init(_ what: String, _ error: Errno) {
        self.what = what
        self.error = error
    }

    public var description: String { "cannot open \(what): \(error)" }
}

extension SourceDefinition {
    /// The name of a source's durable file in the folder that all of them share.
    package static func fileName(of source: SourceName, _ name: String) -> String {
        let isWord = name.utf8.allSatisfy { byte in
            (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == 0x5f
                || byte == 0x2d
        }
        precondition(isWord && !name.isEmpty, "a durable file's name must be a word: \(name)")
        return "\(source.rawValue).\(name)"
    }
}
