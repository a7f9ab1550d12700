import Glibc
import Hardening
import Testing

/// One thing that whoever has taken the daemon over would try.
struct Attempt: Sendable, Codable, CustomTestStringConvertible {
    enum Refusal: Sendable, Codable {
        /// The process ends.
        case end
        case errno(Int32)
    }

    var call: String
    var arguments: [UInt64]
    var refusal: Refusal
    var intention: String

    init(
        _ call: String, _ arguments: [UInt64] = [], _ refusal: Refusal = .end, to intention: String
    ) {
        self.call = call
        self.arguments = arguments
        self.refusal = refusal
        self.intention = intention
    }

    var testDescription: String { "\(call): \(intention)" }

    /// The number of the call; `nil` where the processor architecture does not have it.
    var number: Int32? { SeccompFilter.number(of: call) }

    /// Makes the call, with nothing between it and the kernel; a negated errno when it fails.
    func make() -> Int {
        guard let number, let symbol = unsafe dlsym(nil, "syscall") else { return 0 }
        typealias Call = @convention(c) (Int, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) -> Int
        let call = unsafe unsafeBitCast(symbol, to: Call.self)
        let a = arguments + Array(repeating: 0, count: 6)
        let result = call(Int(number), a[0], a[1], a[2], a[3], a[4], a[5])
        return result == -1 ? -Int(Glibc.errno) : result
    }
}

extension Attempt {
    private static let here = UInt64(bitPattern: Int64(AT_FDCWD))
    private static let own = UInt64(getpid())
    private static let parent = UInt64(getppid())

    /// Arguments do no harm should a call go through after all.
    static let all = programs + memory + kernel + files + sockets + identity + others

    private static let programs: [Attempt] = [
        Attempt("execve", to: "run a program"),
        Attempt("execveat", to: "run a program that is open"),
        Attempt("fork", to: "start a process"),
        Attempt("vfork", to: "start a process"),
        Attempt("clone", [UInt64(SIGCHLD)], to: "start a process"),
        Attempt("clone", [0x3d_0f00 | 0x1000_0000], to: "start a thread in a new user namespace"),
        Attempt("clone3", [0, 88], .errno(ENOSYS), to: "start a process, hidden from the filter"),
        Attempt("unshare", [0x1000_0000], to: "get a user namespace"),
        Attempt("setns", [UInt64.max], to: "enter a namespace"),
        Attempt("personality", [0x0040000], to: "switch address randomisation off"),
        Attempt("prctl", [4, 1], to: "become dumpable"),
        Attempt("prctl", [8, 1], to: "keep capabilities"),
        Attempt("prctl", [0x5961_6d61, UInt64.max], to: "let others trace it"),
        Attempt("seccomp", [2, 0, 0], to: "look for a filter of seccomp to change"),
        Attempt("rt_sigaction", [UInt64(SIGSYS), 0, 0, 8], to: "survive forbidden calls"),
        Attempt("landlock_create_ruleset", [0, 0, 1], to: "blind the collector"),
    ]

    private static let memory: [Attempt] = [
        Attempt("mmap", [0, 4_096, 7, 0x22, UInt64.max], .errno(EACCES), to: "write code and run it"),
        Attempt("mmap", [0, 4_096, 5, 0x22, UInt64.max], .errno(EACCES), to: "map code"),
        Attempt("mprotect", [0, 0, 5], to: "turn data into code"),
        Attempt("pkey_mprotect", [0, 0, 5, UInt64.max], to: "turn data into code"),
        Attempt("memfd_create", [0, 0], to: "make a file that is nowhere"),
        Attempt("memfd_secret", [0], to: "hide memory"),
        Attempt("userfaultfd", [0], to: "stop the kernel in the middle of a copy"),
        Attempt("shmget", [0, 4_096, 0o1000], to: "share memory"),
        Attempt("process_vm_readv", [parent], to: "read another process"),
        Attempt("process_vm_writev", [parent], to: "write into another process"),
        Attempt("process_madvise", [UInt64.max], to: "advise on another process"),
        Attempt("ptrace", [16, parent], to: "take another process over"),
        Attempt("kcmp", [own, own], to: "compare kernel objects"),
        Attempt("remap_file_pages", to: "use a call of the past"),
    ]

    private static let kernel: [Attempt] = [
        Attempt("bpf", [UInt64.max], to: "run code in the kernel"),
        Attempt("perf_event_open", [0, 0, UInt64.max, UInt64.max], to: "measure the kernel"),
        Attempt("init_module", to: "load a module"),
        Attempt("finit_module", [UInt64.max], to: "load a module"),
        Attempt("delete_module", to: "remove a module"),
        Attempt("kexec_load", [0, 0, 0, UInt64.max], to: "start another kernel"),
        Attempt("kexec_file_load", [UInt64.max, UInt64.max], to: "start another kernel"),
        Attempt("io_uring_setup", [0], to: "have calls made behind the filter"),
        Attempt("io_setup", [0], to: "read without reading"),
        Attempt("iopl", [0], to: "reach devices"),
        Attempt("ioperm", [0, 0, 0], to: "reach devices"),
        Attempt("modify_ldt", [3], to: "change segments"),
        Attempt("reboot", [0], to: "stop the host"),
        Attempt("syslog", [9], to: "read the kernel's log"),
        Attempt("add_key", to: "leave a key"),
        Attempt("request_key", to: "have a program started by the kernel"),
        Attempt("keyctl", [UInt64.max], to: "read keys"),
        Attempt("lookup_dcookie", [0, 0, 0], to: "learn paths"),
        Attempt("acct", [1], to: "account processes into a file"),
        Attempt("quotactl", [UInt64.max], to: "change quotas"),
        Attempt("swapon", to: "swap to a file"),
        Attempt("swapoff", to: "stop swapping"),
    ]

    private static let files: [Attempt] = [
        Attempt("mount", to: "mount"),
        Attempt("umount2", to: "unmount"),
        Attempt("move_mount", [UInt64.max], to: "move a mount"),
        Attempt("open_tree", [UInt64.max], to: "copy a mount"),
        Attempt("fsopen", to: "make a file system"),
        Attempt("pivot_root", to: "change the root"),
        Attempt("chroot", to: "change the root"),
        Attempt("chdir", to: "go elsewhere"),
        Attempt("mknodat", [here], to: "make a device"),
        Attempt("symlinkat", [0, here], to: "make a link"),
        Attempt("linkat", [here, 0, here], to: "keep a file"),
        Attempt("fchmod", [UInt64.max, 0o4755], to: "make a program privileged"),
        Attempt("fchownat", [here], to: "give a file away"),
        Attempt("fsetxattr", [UInt64.max], to: "give a program capabilities"),
        Attempt("truncate", to: "empty a file"),
        Attempt("openat", [here, 0, UInt64(O_WRONLY | O_CREAT | O_TRUNC)], to: "overwrite a file"),
        Attempt("openat", [here, 0, UInt64(O_RDWR)], to: "change a file"),
        Attempt("open_by_handle_at", [UInt64.max], to: "open a file without its path"),
        Attempt("name_to_handle_at", [here], to: "learn a file's handle"),
        Attempt("fanotify_init", [0xffff_ffff], to: "hold back other processes"),
        Attempt("ioctl", [0, 0x5412], to: "type into the terminal"),
        Attempt("fcntl", [0, 0, 100], to: "copy a descriptor"),
        Attempt("dup2", [0, 0], to: "copy a descriptor"),
    ]

    private static let sockets: [Attempt] = [
        Attempt("socket", [2, 1], .errno(EACCES), to: "reach the network, AF_INET"),
        Attempt("socket", [10, 1], .errno(EACCES), to: "reach the network, AF_INET6"),
        Attempt("socket", [17, 3], .errno(EACCES), to: "read the network, AF_PACKET"),
        Attempt("socket", [40, 1], .errno(EACCES), to: "reach the hypervisor, AF_VSOCK"),
        Attempt("socket", [1, 1], .errno(EACCES), to: "reach other daemons, AF_UNIX"),
        Attempt("socket", [16, 3], .errno(EACCES), to: "configure the kernel, AF_NETLINK"),
        Attempt("socketpair", [1, 1], to: "pass descriptors"),
        Attempt("connect", [UInt64.max], to: "reach other daemons"),
        Attempt("bind", [UInt64.max], to: "wait for others"),
        Attempt("listen", [UInt64.max], to: "wait for others"),
        Attempt("setsockopt", [UInt64.max, 1, 26], to: "attach a filter to a socket"),
        Attempt("getsockopt", [UInt64.max, 6, 11], to: "ask the network"),
        Attempt("sendmsg", [UInt64.max], to: "pass descriptors"),
        Attempt("recvmsg", [UInt64.max], to: "take descriptors"),
        Attempt("pidfd_getfd", [UInt64.max], to: "take another process's descriptor"),
    ]

    private static let identity: [Attempt] = [
        Attempt("setuid", [0], to: "become root again"),
        Attempt("setresuid", [0, 0, 0], to: "become root again"),
        Attempt("setgid", [0], to: "become root's group"),
        Attempt("setgroups", [0], to: "change groups"),
        Attempt("capset", to: "regain capabilities"),
        Attempt("prlimit64", [0, 7, 1], to: "raise a limit"),
        Attempt("prlimit64", [parent, 7, 0], to: "look at another process's limits"),
        Attempt("setrlimit", [7], to: "raise a limit"),
        Attempt("setpriority", [0, 0, 19], .errno(EACCES), to: "change its priority"),
        Attempt("sched_setscheduler", [0, 99], to: "take a processor"),
        Attempt("sched_setaffinity", [parent, 0], to: "move another process"),
    ]

    private static let others: [Attempt] = [
        Attempt("kill", [1, 0], to: "signal process 1"),
        Attempt("kill", [parent, 0], to: "signal its parent"),
        Attempt("tgkill", [parent, parent, 0], to: "signal a thread of another process"),
        Attempt("tkill", [parent, 0], to: "signal another process"),
        Attempt("rt_sigqueueinfo", [parent, 0], to: "signal another process"),
        Attempt("pidfd_send_signal", [UInt64.max, 0], to: "signal another process"),
        Attempt("settimeofday", to: "set the clock"),
        Attempt("clock_settime", [UInt64.max], to: "set the clock"),
        Attempt("adjtimex", to: "bend the clock"),
        Attempt("clock_adjtime", [UInt64.max], to: "bend the clock"),
        Attempt("sethostname", [0, UInt64.max], to: "rename the host"),
        Attempt("setdomainname", [0, UInt64.max], to: "rename the domain"),
        Attempt("vhangup", to: "hang up the terminal"),
        Attempt("getppid", to: "do what is merely not needed"),
    ]
}

/// What whoever has taken the daemon over can do, from inside a process in the daemon's own sandbox.
struct SandboxTests {
    private static let possible = Attempt.all.filter { $0.number != nil }
    static let ends = possible.filter { if case .end = $0.refusal { true } else { false } }
    static let failures = possible.filter { if case .errno = $0.refusal { true } else { false } }

    @Test func `at least 100 attempts are made`() {
        #expect(Self.possible.count >= 100)
    }

    private static func enter() throws {
        let kept: CapabilitySet = [.netAdmin, .sysPtrace, .dacReadSearch]
        try Sandbox(capabilities: kept, filter: .enforce).enterThread()
    }

    @Test(arguments: ends)
    func `an attempt ends the process`(attempt: Attempt) async {
        await #expect(processExitsWith: .signal(SIGSYS)) { [attempt] in
            try SandboxTests.enter()
            _exit(Int32(truncatingIfNeeded: attempt.make()) == 0 ? 0 : 1)
        }
    }

    @Test(arguments: failures)
    func `an attempt fails, and the process goes on`(attempt: Attempt) async {
        await #expect(processExitsWith: .exitCode(7)) { [attempt] in
            try SandboxTests.enter()
            guard case .errno(let expected) = attempt.refusal else { return }
            _exit(attempt.make() == -Int(expected) ? 7 : 1)
        }
    }

    @Test func `a call of another architecture ends the process`() async {
        await #expect(processExitsWith: .signal(SIGSYS)) {
            try SandboxTests.enter()
            // The bit that marks calls of x32; elsewhere a number that nothing has.
            let number = SeccompFilter.number(of: "getpid") ?? 0
            _exit(SandboxTests.makeRaw(0x4000_0000 | number) < 0 ? 1 : 0)
        }
    }

    @Test func `a call that is newer than the library fails as on a kernel without it`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            try SandboxTests.enter()
            let newest = (Int32(0)..<1_024).last { SeccompFilter.name(ofCall: $0) != nil } ?? 0
            _exit(SandboxTests.makeRaw(newest + 1) == -ENOSYS ? 7 : 1)
        }
    }

    @Test func `threads still start, and memory comes and goes`() async {
        await #expect(processExitsWith: .success) {
            try SandboxTests.enter()
            for _ in 0..<4 {
                var thread = pthread_t()
                let result = unsafe pthread_create(
                    &thread, nil,
                    { _ in
                        let bytes = [UInt8](repeating: 1, count: 8 << 20)
                        return unsafe UnsafeMutableRawPointer(bitPattern: bytes.count)
                    }, nil)
                #expect(result == 0)
                var value: UnsafeMutableRawPointer?
                let joined = unsafe pthread_join(thread, &value)
                #expect(joined == 0)
                let count = UInt(bitPattern: value)
                #expect(count == 8 << 20)
            }
        }
    }

    private static func makeRaw(_ number: Int32) -> Int32 {
        guard let symbol = unsafe dlsym(nil, "syscall") else { return 0 }
        typealias Call = @convention(c) (Int) -> Int
        let result = unsafe unsafeBitCast(symbol, to: Call.self)(Int(number))
        return result == -1 ? -Glibc.errno : Int32(truncatingIfNeeded: result)
    }
}
