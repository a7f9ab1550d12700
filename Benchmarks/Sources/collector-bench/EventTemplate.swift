import EventModel

/// Makes events of the size that a busy host makes: ten strings of more than 15 bytes, which is more than a `String`
/// holds without memory of its own.
struct EventTemplate {
    static let stringCount = 10

    private let exe = Array("/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus".utf8)
    private let cgroup = Array("/system.slice/docker-4f1c2a9be07d.scope".utf8)
    private let hash = Array("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".utf8)
    private let arguments = [
        "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus", "-I/usr/include/x86_64-linux-gnu",
        "-D_FORTIFY_SOURCE=2 -DNDEBUG",
        "-fstack-protector-strong", "--param=ssp-buffer-size=4", "-ffile-prefix-map=/build/src=.",
        "source/main/collector.cc",
    ].map { Array($0.utf8) }
    private let name = Array("cc1plus".utf8)
    private let source: SourceName = "bench"

    /// A fresh event: every string is decoded from bytes, as a source does it.
    func event(_ number: Int, kind: EventKind, uid: UserID) -> Event {
        let time = Instant(nanoseconds: Int64(truncatingIfNeeded: number) * 1_000)
        return Event(
            source: source, kind: kind, origin: .emitted, time: WallTime(nanoseconds: time.nanoseconds),
            monotonic: time, subject: .process(process(number, at: time, uid: uid)), escaped: [])
    }

    private func process(_ number: Int, at time: Instant, uid: UserID) -> ProcessEvent {
        let identity = ProcessIdentity(
            pid: ProcessID(Int32(truncatingIfNeeded: number)),
            birth: .fork(processor: 0, sequence: UInt32(truncatingIfNeeded: number), timestamp: time))
        var process = ProcessEvent(identity: identity)
        process.ppid = ProcessID(1)
        process.name = KernelText.decode(name).text
        process.executablePath = KernelText.decode(exe).text
        process.commandLine = arguments.map { KernelText.decode($0).text }
        process.cgroup = KernelText.decode(cgroup).text
        process.executableHash = KernelText.decode(hash).text
        process.hashAlgorithm = .sha256
        process.uid = uid
        process.gid = GroupID(1_000)
        process.provenance.name = .verified
        process.provenance.exe = .verified
        process.provenance.cmdline = .verified
        process.provenance.cgroup = .inherited
        return process
    }

    /// The `number`-th of a mix: half executions, half ends; every second pair by root.
    func mixed(_ number: Int) -> Event {
        event(
            number, kind: number & 1 == 0 ? .processExec : .processExit,
            uid: UserID(number & 2 == 0 ? 0 : 1_000))
    }
}
