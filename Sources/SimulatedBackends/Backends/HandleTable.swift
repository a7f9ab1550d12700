import Backends

import struct SystemPackage.Errno

/// What the collector holds open below `/proc`: processes' folders, and files.
///
/// A slot for each handle, used again with its buffer after the handle was closed; the generation in a token tells
/// the handles of one slot apart.
struct HandleTable {
    private struct Slot {
        var generation = 0
        var process: ProcessState?
        var file: OpenFile?
        /// Room for the text of a file.
        var buffer: [UInt8] = []
        var isOpen = false

        mutating func open(_ file: consuming OpenFile) {
            swap(&file.text, &buffer)
            self.file = file
            isOpen = true
        }

        mutating func close() {
            if var file = file.take() {
                file.text.removeAll(keepingCapacity: true)
                swap(&file.text, &buffer)
            }
            process = nil
            isOpen = false
            generation += 1
        }
    }

    private var slots: [Slot] = []
    private var freeSlots: [Int] = []

    /// Far from any real descriptor, so that a mix-up with one is noticed.
    private static let firstToken = 1 << 30
    private static let generationShift = 32

    var count: Int { slots.count - freeSlots.count }

    /// Opens the folder of a process.
    mutating func insert(_ process: ProcessState) -> Int {
        let index = takeSlot()
        slots[index].process = process
        slots[index].isOpen = true
        return token(index)
    }

    /// Opens a file.
    mutating func insert(_ file: consuming OpenFile) -> Int {
        let index = takeSlot()
        slots[index].open(file)
        return token(index)
    }

    /// Harmless for a handle that was closed with all others.
    mutating func remove(_ token: Int) {
        if let index = index(of: token) { close(index) }
    }

    /// The collector has ended.
    mutating func closeAll() {
        for index in slots.indices where slots[index].isOpen { close(index) }
    }

    func process(_ token: Int) -> ProcessState {
        guard let index = index(of: token), let process = slots[index].process else {
            preconditionFailure("a process directory is open and belongs to the host that opened it")
        }
        return process
    }

    /// What a file belongs to, its name as fault rules give it, and what they call a read of it.
    func subject(ofFile token: Int) -> (process: ProcessState?, name: String, read: BackendOperation) {
        let file = file(token)
        return (file.process, file.name, file.readOperation)
    }

    func file(_ token: Int) -> OpenFile {
        guard let index = index(of: token), let file = slots[index].file else {
            preconditionFailure("a file is open and belongs to the host that opened it")
        }
        return file
    }

    /// One `read(2)` at a file's position, appended to `bytes`.
    ///
    /// - Throws: also `EBADF` when the collector has ended meanwhile.
    mutating func read(_ token: Int, _ count: Int, from world: World, into bytes: inout [UInt8])
        throws(Errno)
    {
        guard let index = index(of: token), var file = slots[index].file.take() else {
            throw .badFileDescriptor
        }
        defer { slots[index].file = file }
        try file.read(count, from: world, into: &bytes)
    }

    private mutating func takeSlot() -> Int {
        if let free = freeSlots.popLast() { return free }
        slots.append(Slot())
        return slots.count - 1
    }

    private mutating func close(_ index: Int) {
        slots[index].close()
        freeSlots.append(index)
    }

    private func token(_ index: Int) -> Int {
        slots[index].generation << Self.generationShift | Self.firstToken | index
    }

    private func index(of token: Int) -> Int? {
        let index = token & (Self.firstToken - 1)
        guard index < slots.count, slots[index].isOpen, self.token(index) == token else { return nil }
        return index
    }
}
