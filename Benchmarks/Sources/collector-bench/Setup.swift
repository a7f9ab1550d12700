import EventModel
import Glibc

/// What all benchmarks of one run share: how much to measure, the programs, a folder for what they write.
struct Setup {
    let effort: Effort
    /// How long `exec-rate` lasts, if not as usual.
    let seconds: Int?
    let scratchFolder: String
    private let ownFolder: String
    private let chosenCollectord: String?

    init(effort: Effort, seconds: Int?, collectord: String?) throws {
        self.effort = effort
        self.seconds = seconds
        chosenCollectord = collectord
        guard let own = Self.resolve("/proc/self/exe"), let slash = own.lastIndex(of: "/") else {
            throw BenchmarkError("cannot tell where this executable lies: is /proc mounted?")
        }
        ownFolder = String(own[..<slash])
        scratchFolder = "\(ownFolder)/bench-\(getpid())"
        guard unsafe mkdir(scratchFolder, 0o700) == 0 else {
            throw BenchmarkError("cannot make the folder \(scratchFolder): errno \(errno)")
        }
    }

    func repetitions(short: Int, full: Int) -> Int { effort == .short ? short : full }

    /// Removes the scratch folder and the files in it; the benchmarks make no folders but the daemon's state.
    func removeScratchFolder() {
        for name in [
            "state/run", "state/process.cursor", "state/filesystem.index", "events", "errors", "peer",
            "output", "bytes",
        ] {
            unsafe unlink("\(scratchFolder)/\(name)")
        }
        unsafe rmdir("\(scratchFolder)/state")
        unsafe rmdir(scratchFolder)
    }

    // MARK: - Programs

    /// The release build of the daemon.
    func collectord() throws -> String {
        guard geteuid() == 0 else { throw Skip(reason: "the kernel's process connector takes root") }
        let path = chosenCollectord ?? "\(ownFolder)/collectord"
        guard unsafe access(path, X_OK) == 0 else {
            throw Skip(reason: "no \(path); build it for release, or name it with --collectord PATH")
        }
        return path
    }

    /// The program that the benchmarks watch, and that is the barest watcher, compiled now unless that was done before.
    ///
    /// It is C and static, so that executing it costs next to nothing and what is measured is the watching. It lies
    /// beside this executable and not in `/tmp`, where executing it would be suspicious and cost an event more.
    func workload() throws -> String {
        let folder = Self.packageFolder + "Workload/"
        let sources = ["workload.c", "bare.c"].map { folder + $0 }
        let product = "\(ownFolder)/bench-workload"
        let written = (sources + [folder + "workload.h"]).map(Self.modificationTime)
        if let made = Self.modificationTime(product), written.allSatisfy({ $0.map { made > $0 } ?? false }) {
            return product
        }
        guard let compiler = Self.compiler() else {
            throw Skip(reason: "no C compiler beside swift or in PATH; apt-get install clang")
        }
        let child = try Child(compiler, ["-O2", "-static", "-o", product] + sources, output: .inherited)
        guard child.wait().isSuccess else {
            throw Skip(reason: "\(compiler) cannot build \(folder) statically; apt-get install libc6-dev")
        }
        return product
    }

    /// The first executable of that name in `PATH`.
    static func program(_ name: String) -> String? {
        guard let path = unsafe getenv("PATH") else { return nil }
        return unsafe String(cString: path).split(separator: ":").map { "\($0)/\(name)" }
            .first { unsafe access($0, X_OK) == 0 }
    }

    /// The clang of the Swift toolchain, which is there wherever this was built; else the system's compiler.
    private static func compiler() -> String? {
        if let swift = program("swift").flatMap(resolve), let slash = swift.lastIndex(of: "/") {
            let clang = swift[..<slash] + "/clang"
            if unsafe access(String(clang), X_OK) == 0 { return String(clang) }
        }
        return program("clang") ?? program("cc")
    }

    /// `Benchmarks/` of the repository that this was built from.
    static var packageFolder: String {
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
            + "/"
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Seconds since 1970, for comparing two files.
    private static func modificationTime(_ path: String) -> Int? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? status.st_mtim.tv_sec : nil
    }
}
