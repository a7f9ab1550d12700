import Backends
import EventModel

import struct SystemPackage.Errno

/// Keeps an open folder for later lines of the case.
final class DirectoryBox {
    let directory: ProcessDirectory

    init(_ directory: consuming ProcessDirectory) { self.directory = directory }
}

/// Keeps an open file for later lines of the case.
final class FileBox {
    let file: ProcFile
    /// What it is a file of, which tells how to find its fields.
    let format: ProcFormat

    init(_ file: consuming ProcFile, format: ProcFormat) {
        self.file = file
        self.format = format
    }
}

extension LitmusInterpreter {
    func procAnswer(to observation: LitmusObservation) throws(Errno) -> String {
        switch observation {
        case .openDirectory(let base, let handle):
            directories[handle] = DirectoryBox(try openDirectory(base))
            return "ok"
        case .openFile(let file, let base, let handle):
            files[handle] = FileBox(try open(file, in: base), format: ProcFormat(file))
            return "ok"
        case .readHandle(let handle, let count, let projection, let label):
            guard let box = files[handle] else { return "not open" }
            let bytes = try read(box.file, count: count)
            return keep(describe(bytes, projection, box.format, prefersValue: label != nil), as: label)
        case .readFile(let file, let base, let count, let projection, let label):
            let bytes = try read(try open(file, in: base), count: count)
            return keep(describe(bytes, projection, ProcFormat(file), prefersValue: label != nil), as: label)
        case .readSystem(let file, let projection, let label):
            let bytes = try read(try proc().open(file), count: nil)
            return keep(describe(bytes, projection, .lines, prefersValue: label != nil), as: label)
        case .readLink(let link, let base):
            return try target(of: link, in: base)
        case .linkStatus(let link, let base):
            return try status(of: link, in: base)
        case .openExecutable(let base, let handle):
            files[handle] = FileBox(try openExecutable(of: base), format: .other)
            return "ok"
        case .fileStatus(let handle):
            guard let box = files[handle] else { return "not open" }
            let status = try proc().status(of: box.file)
            return Self.describe(links: status.linkCount, mode: status.mode, size: status.size)
        case .image(let base, let program):
            return try compareImage(of: base, with: program)
        case .threads(let base):
            var tids: [ProcessID] = []
            try with(base) { (directory) throws(Errno) in try proc().threadIDs(in: directory, into: &tids) }
            return "[" + tids.map { names.text(of: $0) }.sorted().joined(separator: " ") + "]"
        case .list:
            var pids: [ProcessID] = []
            try proc().processIDs(into: &pids)
            let seen = names.processes.filter { pids.contains($0.id) && names.name(of: $0.id) == $0.name }
            return "[" + seen.map(\.name).joined(separator: " ") + "]"
        case .pidFDInode(let name, let label):
            guard let pid = names.id(of: name) else { return "not a process" }
            let inode = try proc().pidFDInode(of: pid)
            return label == nil ? "ok" : keep(String(inode), as: label)
        default:
            return "not about /proc"
        }
    }

    // MARK: - Handles

    private func openDirectory(_ base: LitmusObservation.Base) throws(Errno) -> ProcessDirectory {
        guard case .process(let name) = base, let pid = names.id(of: name) else {
            throw .noSuchFileOrDirectory
        }
        return try proc().openProcess(pid)
    }

    /// Calls `body` with the folder of a process, or with a folder that a line keeps open.
    private func with(
        _ base: LitmusObservation.Base, _ body: (borrowing ProcessDirectory) throws(Errno) -> Void
    ) throws(Errno) {
        if case .handle(let name) = base, let box = directories[name] {
            try body(box.directory)
        } else {
            let directory = try openDirectory(base)
            try body(directory)
        }
    }

    private func open(_ file: ProcessFile, in base: LitmusObservation.Base) throws(Errno) -> ProcFile {
        let proc = try proc()
        if case .handle(let name) = base, let box = directories[name] {
            return try proc.open(file, in: box.directory)
        }
        let directory = try openDirectory(base)
        return try proc.open(file, in: directory)
    }

    private func read(_ file: borrowing ProcFile, count: Int?) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        if let count {
            _ = try proc().read(file, count: count, into: &bytes)
        } else {
            _ = try proc().readAll(file, limit: LitmusLimits.readByteCount, into: &bytes)
        }
        return bytes
    }

    // MARK: - Links

    private func target(of link: ProcessLink, in base: LitmusObservation.Base) throws(Errno) -> String {
        var target: [UInt8] = []
        try with(base) { (directory) throws(Errno) in
            try proc().readLink(link, in: directory, into: &target)
        }
        if target.starts(with: world.programPrefix) { target.removeFirst(world.programPrefix.count) }
        // Namespaces are numbered anew with each boot.
        if let bracket = target.firstIndex(of: .openBracket), target.last == .closeBracket {
            target.replaceSubrange(bracket..., with: Array("[N]".utf8))
        }
        return Printer.quoted(target)
    }

    private func status(of link: ProcessLink, in base: LitmusObservation.Base) throws(Errno) -> String {
        var result = ""
        try with(base) { (directory) throws(Errno) in
            let status = try proc().status(of: link, in: directory)
            result = Self.describe(links: status.linkCount, mode: status.mode, size: status.size)
        }
        return result
    }

    private static func describe(links: UInt64, mode: UInt32, size: UInt64) -> String {
        let isRegular = mode & 0o170000 == 0o100000
        return "links=\(links) \(isRegular ? "regular" : "other") size\(size > 0 ? ">0" : "=0")"
    }

    // MARK: - Programs

    private func openExecutable(of base: LitmusObservation.Base) throws(Errno) -> ProcFile {
        let proc = try proc()
        if case .handle(let name) = base, let box = directories[name] {
            return try proc.openExecutable(in: box.directory)
        }
        let directory = try openDirectory(base)
        return try proc.openExecutable(in: directory)
    }

    private func compareImage(
        of base: LitmusObservation.Base, with program: [UInt8]
    ) throws(Errno) -> String {
        var isSame = false
        try with(base) { (directory) throws(Errno) in
            let image = try proc().openExecutable(in: directory)
            let running = try proc().status(of: image)
            let named = try proc().status(ofPath: world.programPrefix + program, in: directory)
            isSame = running.device == named.device && running.inode == named.inode
        }
        return isSame ? "same" : "other"
    }

    // MARK: - Contents

    private func describe(
        _ bytes: [UInt8], _ projection: LitmusObservation.Projection, _ format: ProcFormat, prefersValue: Bool
    ) -> String {
        switch projection {
        case .text: return Printer.quoted(bytes)
        case .size: return prefersValue ? "\(bytes.count)" : "bytes=\(bytes.count)"
        case .fields(let fields):
            let texts = fields.map { field in
                let value = format.field(field, in: bytes, names: names) ?? "missing"
                return prefersValue ? value : "\(field)=\(value)"
            }
            return texts.joined(separator: " ")
        }
    }
}
