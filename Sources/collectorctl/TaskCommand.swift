import ArgumentParser
import CollectorCore
import ControlPlane
import EventModel
import Presentation
import WireMessages

struct TaskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task", abstract: "Have the collector look something up now.",
        discussion: "What the collector cannot do at present is refused, see \"collectorctl capabilities\".",
        subcommands: [Processes.self, Tree.self, Executable.self, Hash.self, Files.self])

    static func name(of type: WireTaskType) -> String {
        switch type {
        case .enumerateProcesses: "processes"
        case .processTree: "tree"
        case .checkHash: "hash"
        case .verifyExecutable: "executable"
        case .listFiles: "files"
        case .unspecified, .UNRECOGNIZED: "unknown"
        }
    }

    struct Processes: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the processes that the collector knows.",
            discussion: "Conditions are joined by \"and\", repeated ones by \"or\".")

        @OptionGroup var common: CommonOptions
        @Option(parsing: .singleValue, help: "A pid. Repeatable.") var pid: [UInt32] = []
        @Option(parsing: .singleValue, help: "An effective user id. Repeatable.") var uid: [UInt32] = []
        @Option(parsing: .singleValue, help: "A whole name (comm). Repeatable.") var name: [String] = []
        @Option(help: ArgumentHelp("What the executable's path begins with.", valueName: "prefix"))
        var exe: String?

        func run() throws {
            var task = WireDetectionTask()
            task.type = .enumerateProcesses
            task.processFilter.pids = pid
            task.processFilter.uids = uid
            task.processFilter.names = name
            if let exe { task.processFilter.executablePrefix = exe }
            try TaskCommand.perform(task, common)
        }
    }

    struct Tree: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List a process and all that descend from it.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The pid at the root.") var pid: UInt32

        func run() throws {
            var task = WireDetectionTask()
            task.type = .processTree
            task.pid = pid
            try TaskCommand.perform(task, common)
        }
    }

    struct Executable: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have the executable of a process hashed, and compare it with what its path names now.",
            discussion: """
                The file that runs is hashed, be it replaced or deleted on disk: "same", "replaced" and "missing" say what its \
                path names for the process.

                    collectorctl task executable 4711
                    collectorctl task executable 4711 --expect 9f86d081884c7d65...
                    collectorctl task executable 4711 --json

                Takes the role control: root, or the collector's own user. Exits with 1 when there is no digest or it is not \
                the expected one; a file that was replaced is no failure.
                """,
            aliases: ["verify"])

        @OptionGroup var common: CommonOptions
        @Argument(help: "The pid.") var pid: UInt32
        @Option(help: ArgumentHelp("The digest that is expected, in hexadecimal.", valueName: "digest"))
        var expect: String?

        func run() throws {
            var task = WireDetectionTask()
            task.type = .verifyExecutable
            task.pid = pid
            if let expect { task.hashCheck.expected = expect }
            try TaskCommand.perform(task, common)
        }
    }

    struct Hash: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have a file below a watched root hashed, and compare the digest.",
            discussion:
                "Takes the role control: root, or the collector's own user. Exits with 1 when it does not match."
        )

        @OptionGroup var common: CommonOptions
        @Argument(help: "The file's absolute path.") var path: String
        @Option(help: ArgumentHelp("The digest that is expected, in hexadecimal.", valueName: "digest"))
        var expect: String?

        func run() throws {
            var task = WireDetectionTask()
            task.type = .checkHash
            task.hashCheck.path = path
            task.hashCheck.algorithm = HashAlgorithm.sha256.rawValue
            if let expect { task.hashCheck.expected = expect }
            try TaskCommand.perform(task, common)
        }
    }

    struct Files: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List files below the watched roots, as the collector knows them.",
            discussion: """
                Nothing is read from disk. The list is ordered by the bytes of the paths, and shows permissions, owner, group, \
                size, time of the last change and path.

                    collectorctl task files
                    collectorctl task files /etc/ssh/
                    collectorctl task files /usr/bin/ --json

                Takes the role control: root, or the collector's own user.
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "What the path begins with.") var prefix: String = "/"

        func run() throws {
            var task = WireDetectionTask()
            task.type = .listFiles
            task.fileFilter.pathPrefix = prefix
            try TaskCommand.perform(task, common)
        }
    }

    fileprivate static func perform(_ task: WireDetectionTask, _ common: CommonOptions) throws {
        var task = task
        task.timeoutMs = UInt32(min(common.timeout * 1_000, 10_000))
        try Console.run(common) { [task] console throws(CommandFailure) in
            let client = try await console.connect()
            let id = try console.attempt { () throws(ControlClientError) in try client.begin(.task(task)) }
            while let page = try await console.nextPage(client, id) {
                try console.show(page)
                if !page.isLast { client.nextPage(id) }
            }
        }
    }
}

extension Console {
    fileprivate func attempt<Value>(_ body: () throws(ControlClientError) -> Value) throws(CommandFailure)
        -> Value
    {
        do throws(ControlClientError) {
            return try body()
        } catch {
            throw CommandFailure(error, socket: options.socket)
        }
    }

    fileprivate func nextPage(_ client: ControlClient, _ id: UInt64) async throws(CommandFailure)
        -> WireTaskResult?
    {
        do throws(ControlClientError) {
            guard case .message(let message)? = try await client.next(id, until: deadline) else { return nil }
            return message.taskResult
        } catch {
            throw CommandFailure(error, socket: options.socket)
        }
    }

    fileprivate func show(_ page: WireTaskResult) throws(CommandFailure) {
        for message in page.processes {
            let process = try read { () throws(MessageError) in try ProcessEvent(message) }
            if options.isJSON {
                try writeJSON { CollectionEvent.process(process).appendJSON(to: &$0) }
            } else {
                try write([line(for: process)])
            }
        }
        for message in page.files {
            let file = try read { () throws(MessageError) in try FilesystemEvent(message) }
            if options.isJSON {
                try writeJSON { CollectionEvent.filesystem(file).appendJSON(to: &$0) }
            } else {
                try write([line(for: file)])
            }
        }
        if page.hasHash { try show(page.hash) }
    }

    /// The columns of `ps -eo pid,ppid,uid,comm,args`.
    private func line(for process: ProcessEvent) -> String {
        let arguments =
            process.commandLine.isEmpty
            ? process.executablePath ?? "" : process.commandLine.joined(separator: " ")
        let name = process.name ?? "?"
        let blanks = String(repeating: " ", count: max(0, Limits.commByteCount - name.utf8.count))
        return TerminalText.escape(
            "\(column(process.pid, 7)) \(column(process.ppid, 7)) \(column(process.uid, 6)) \(name)\(blanks) "
                + arguments)
    }

    /// The columns of `ls -ln`, with the time as RFC 3339 in UTC.
    private func line(for file: FilesystemEvent) -> String {
        let time = file.modifiedTime.map { String($0.description.prefix(19)) }
        return TerminalText.escape(
            "\(mode(of: file)) \(column(file.uid, 6)) \(column(file.gid, 6)) \(column(file.size, 12)) "
                + "\(column(time, 19)) \(file.path)")
    }

    /// `drwxr-xr-x`; question marks for what is not known.
    private func mode(of file: FilesystemEvent) -> String {
        let type =
            switch file.type {
            case .regular: "-"
            case .directory: "d"
            case .symlink: "l"
            case .fifo: "p"
            case .socket: "s"
            case .blockDevice: "b"
            case .characterDevice: "c"
            case nil: "?"
            }
        guard let permissions = file.permissions else { return type + String(repeating: "?", count: 9) }
        var text = type
        for (shift, special, marks) in [(6, 0o4000, "sS"), (3, 0o2000, "sS"), (0, 0o1000, "tT")] {
            let bits = permissions >> UInt16(shift)
            let isSpecial = permissions & UInt16(special) != 0
            text += bits & 4 != 0 ? "r" : "-"
            text += bits & 2 != 0 ? "w" : "-"
            let execute = bits & 1 != 0 ? "x" : "-"
            text += isSpecial ? String(bits & 1 != 0 ? marks.prefix(1) : marks.suffix(1)) : execute
        }
        return text
    }

    private func column(_ value: (some CustomStringConvertible)?, _ width: Int) -> String {
        let text = value.map { "\($0)" } ?? "-"
        return String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }

    private static func news(of onDisk: String) -> String {
        switch ImageOnDisk(rawValue: onDisk) {
        case .same: "on disk: the file that runs"
        case .replaced: "on disk: replaced, another file has the path"
        case .missing: "on disk: missing, nothing has the path"
        case nil: "on disk: \(onDisk)"
        }
    }

    private func show(_ hash: WireHashResult) throws(CommandFailure) {
        if options.isJSON {
            try writeJSON { bytes in
                JSONWriter.append(to: &bytes) { json in
                    json.beginObject()
                    json.member("record", "hash")
                    json.member("path", hash.path)
                    json.member("algorithm", hash.algorithm)
                    if hash.hasDigest { json.member("digest", hash.digest) }
                    if hash.hasIsMatch { json.member("matches", hash.isMatch) }
                    if hash.hasOnDisk { json.member("on_disk", hash.onDisk) }
                    if hash.hasObstacle { json.member("obstacle", hash.obstacle) }
                    json.endObject()
                }
            }
        } else if hash.hasDigest {
            try write([TerminalText.escape("\(hash.digest)  \(hash.path)")])
            if hash.hasOnDisk { try write([TerminalText.escape(Self.news(of: hash.onDisk))]) }
        }
        try flush()
        if hash.hasObstacle {
            throw CommandFailure(
                1, "\(hash.path.isEmpty ? "the executable" : hash.path) has no digest: \(hash.obstacle)")
        }
        if hash.hasIsMatch, !hash.isMatch { throw CommandFailure(1, "\(hash.path) is not what was expected") }
    }
}
