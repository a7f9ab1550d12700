/// What the collector holds open below `/proc`: processes' folders, and files.
final class HandleTable {
    enum Handle {
        case directory(ProcessState)
        case file(OpenFile)
    }

    private var handles: [Int: Handle] = [:]
    /// Far from any real descriptor, so that a mix-up with one is noticed.
    private var nextToken = 1 << 30

    var count: Int { handles.count }

    func insert(_ handle: Handle) -> Int {
        defer { nextToken += 1 }
        handles[nextToken] = handle
        return nextToken
    }

    /// Harmless for a handle that was closed with all others.
    func remove(_ token: Int) { handles[token] = nil }

    /// The collector has ended.
    func closeAll() { handles.removeAll() }

    func process(_ token: Int) -> ProcessState {
        guard case .directory(let process) = handles[token] else {
            preconditionFailure("a process directory is open and belongs to the host that opened it")
        }
        return process
    }

    func file(_ token: Int) -> OpenFile {
        guard case .file(let file) = handles[token] else {
            preconditionFailure("a file is open and belongs to the host that opened it")
        }
        return file
    }
}
