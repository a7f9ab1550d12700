import Glibc

/// Folders and files that a benchmark makes, changes and removes again, all below one folder of its own.
struct FileTree {
    let root: String

    /// Makes `folders` folders, a hundred to a parent, with one small file each.
    func make(folders: Int) throws {
        try makeFolder(root)
        for index in 0..<folders {
            if index % 100 == 0 { try makeFolder("\(root)/\(index / 100)") }
            let folder = "\(root)/\(index / 100)/folder\(index)"
            try makeFolder(folder)
            try write("\(folder)/file")
        }
    }

    /// Makes, writes, renames and removes `files` files, spread over the first `folders` folders.
    func churn(files: Int, folders: Int) throws {
        for index in 0..<files {
            let folder = index % folders
            let path = "\(root)/\(folder / 100)/folder\(folder)/\(index)"
            try write(path)
            guard unsafe rename(path, "\(path).b") == 0, unsafe unlink("\(path).b") == 0 else {
                throw BenchmarkError("cannot rename and remove \(path): errno \(errno)")
            }
        }
    }

    /// Makes `files` files in the first folder, as fast as one process can.
    func fill(files: Int) throws {
        for index in 0..<files { try write("\(root)/0/folder0/new\(index)") }
    }

    /// The files in the first folder.
    func paths() -> [String] {
        let folder = "\(root)/0/folder0"
        guard let stream = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(stream) }
        var paths: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name.hasPrefix("new") { paths.append("\(folder)/\(name)") }
        }
        return paths
    }

    func remove() {
        guard let program = Setup.program("rm") else { return }
        // What cannot be removed is named on standard error; nothing else depends on it.
        _ = try? Child(program, ["-rf", root], output: .nothing).wait()
    }

    private func makeFolder(_ path: String) throws {
        guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw BenchmarkError("cannot make the folder \(path): errno \(errno)")
        }
    }

    private func write(_ path: String) throws {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw BenchmarkError("cannot make \(path): errno \(errno)") }
        defer { close(file) }
        var byte: UInt8 = 0x78
        guard unsafe Glibc.write(file, &byte, 1) == 1 else {
            throw BenchmarkError("cannot write \(path): errno \(errno)")
        }
    }
}
