import Backends
import EventModel

import struct SystemPackage.Errno

/// One open file of `/proc`.
struct OpenFile {
    private enum Name {
        case process(ProcessFile)
        case system(SystemFile)
    }

    private let file: Name
    /// `nil` for a file that belongs to no process.
    let process: ProcessState?
    /// The memory that `environ` holds on to from the moment of opening.
    private let pinnedMemory: AddressSpace?
    /// What the first read has made, for the files of which the kernel keeps a text (`seq_file`).
    var text: [UInt8] = []
    private var isTextMade = false
    private var position = 0

    init(_ file: ProcessFile, of process: ProcessState) {
        self.file = .process(file)
        self.process = process
        pinnedMemory = file == .environ ? process.visibleMemory : nil
    }

    init(_ file: SystemFile) {
        self.file = .system(file)
        process = nil
        pinnedMemory = nil
    }

    /// The file's name, as fault rules give it.
    var name: String {
        switch file {
        case .process(let file): file.rawValue
        case .system(let file): file.rawValue
        }
    }

    /// One `read(2)` at the file's position, appended to `bytes`.
    mutating func read(_ count: Int, from world: World, into bytes: inout [UInt8]) throws(Errno) {
        switch (file, process) {
        case (.process(.environ), _):
            // A process that is gone has no environment, which is no error.
            guard let pinnedMemory, !pinnedMemory.isGone else { return }
            deliver(count, of: pinnedMemory.environment, into: &bytes)
        case (.process(.cmdline), let process?):
            guard !process.isReaped else { throw .noSuchProcess }
            if let memory = process.visibleMemory { deliver(count, of: memory.commandLine, into: &bytes) }
        case (.process(.maps), let process?):
            guard !process.isReaped else { throw .noSuchProcess }
            text.removeAll(keepingCapacity: true)
            try world.print(.maps, of: process, into: &text)
            deliver(count, of: text[...], into: &bytes)
        case (.process(let file), let process):
            if !isTextMade, let process {
                guard !process.isReaped else { throw .noSuchProcess }
                try world.print(file, of: process, into: &text)
                isTextMade = true
            }
            deliver(count, of: text[...], into: &bytes)
        case (.system(let file), _):
            if !isTextMade {
                world.print(file, into: &text)
                isTextMade = true
            }
            deliver(count, of: text[...], into: &bytes)
        }
    }

    private mutating func deliver(_ count: Int, of content: ArraySlice<UInt8>, into bytes: inout [UInt8]) {
        let start = min(content.startIndex + position, content.endIndex)
        let end = min(start.addingReportingOverflow(count).overflow ? .max : start + count, content.endIndex)
        guard start < end else { return }
        bytes.append(contentsOf: content[start..<end])
        position += end - start
    }
}
