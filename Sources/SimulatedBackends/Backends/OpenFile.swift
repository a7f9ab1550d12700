import Backends
import EventModel

import struct SystemPackage.Errno

/// One open file of `/proc`, or the program behind `exe`.
struct OpenFile {
    private enum Name {
        case process(ProcessFile)
        case system(SystemFile)
        case executable(SimulatedFile)
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

    /// The program of a process.
    init(_ program: SimulatedFile, of process: ProcessState) {
        file = .executable(program)
        self.process = process
        pinnedMemory = nil
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
        case .executable: ProcessLink.exe.rawValue
        }
    }

    /// What faults and traces call a read of it.
    var readOperation: BackendOperation {
        if case .executable = file { .imageRead } else { .procfsRead }
    }

    /// What `statx(2)` tells; files of `/proc` itself are empty to it.
    var status: FileStatus {
        if case .executable(let program) = file { return program.status }
        return FileStatus(
            device: Self.procDevice, inode: 0, mode: 0o100444, linkCount: 1, uid: UserID(0), gid: GroupID(0),
            size: 0, modified: WallTime(nanoseconds: 0), changed: WallTime(nanoseconds: 0), mountID: 0)
    }

    private static let procDevice: UInt64 = 0x15

    /// One `read(2)` at the file's position, appended to `bytes`.
    mutating func read(_ count: Int, from world: World, into bytes: inout [UInt8]) throws(Errno) {
        switch (file, process) {
        case (.executable(let program), _):
            // What is open outlives the process.
            let start = bytes.count
            program.content.read(at: UInt64(position), count: count, into: &bytes)
            position += bytes.count - start
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
