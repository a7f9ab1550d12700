import Backends
import EventModel

import struct SystemPackage.Errno

/// One open file of `/proc`.
final class OpenFile {
    private enum Kind {
        case process(ProcessFile, ProcessState)
        case system(SystemFile)
    }

    private let kind: Kind
    /// The memory that `environ` holds on to from the moment of opening.
    private let pinnedMemory: AddressSpace?
    /// What the first read has made, for the files of which the kernel keeps a text (`seq_file`).
    private var text: [UInt8]?
    private var position = 0

    init(_ file: ProcessFile, of process: ProcessState) {
        kind = .process(file, process)
        pinnedMemory = file == .environ ? process.visibleMemory : nil
    }

    init(_ file: SystemFile) {
        kind = .system(file)
        pinnedMemory = nil
    }

    var process: ProcessState? {
        if case .process(_, let process) = kind { process } else { nil }
    }

    /// The file's name, as fault rules give it.
    var name: String {
        switch kind {
        case .process(let file, _): file.rawValue
        case .system(let file): file.rawValue
        }
    }

    /// One `read(2)` at the file's position.
    func read(_ count: Int, from world: World) throws(Errno) -> ArraySlice<UInt8> {
        let content = try content(from: world)
        let start = min(position, content.count)
        let chunk = content.dropFirst(start).prefix(count)
        position += chunk.count
        return chunk
    }

    private func content(from world: World) throws(Errno) -> ArraySlice<UInt8> {
        switch kind {
        case .process(.environ, _):
            // A process that is gone has no environment, which is no error.
            guard let memory = pinnedMemory, !memory.isGone else { return [] }
            return memory.environment
        case .process(.cmdline, let process):
            guard !process.isReaped else { throw .noSuchProcess }
            return process.visibleMemory?.commandLine ?? []
        case .process(.maps, let process):
            guard !process.isReaped else { throw .noSuchProcess }
            return try world.text(of: .maps, process)[...]
        case .process(let file, let process):
            if let text { return text[...] }
            guard !process.isReaped else { throw .noSuchProcess }
            let made = try world.text(of: file, process)
            text = made
            return made[...]
        case .system(let file):
            if let text { return text[...] }
            let made = world.text(of: file)
            text = made
            return made[...]
        }
    }
}
