import Glibc

extension SyscallPolicy {
    /// What a collector needs.
    ///
    /// Found by running it under `strace(1)` and under ``SeccompFilter/Action/log``, and held by the tests, which run the
    /// daemon under ``SeccompFilter/Action/enforce``. Names that one processor architecture does not have stand beside those
    /// that it has instead: `poll` and `ppoll`.
    ///
    /// A filter sees numbers, not what pointers lead to. Paths are therefore not limited here, nor what `openat2(2)` is
    /// asked for: that is up to the process's user, the capabilities that it keeps, and to what the service manager lets
    /// it see of the file system (`ProtectSystem=strict`). Landlock would do the rest, but a confined process may not
    /// read what `/proc` guards by ptrace access.
    package static let collector = SyscallPolicy(
        rules: memory + threads + signals + time + waiting + reading + files + writing + sockets + identity
            + opening,
        refusals: [
            // EACCES: the runtime logs to syslog(3) when it cannot raise a worker's priority, which takes CAP_SYS_NICE.
            Refusal(
                "socket", errno: EACCES,
                reason: "every socket is opened before the filter; libraries try to reach syslog(3)"),
            Refusal(
                "setpriority", errno: EACCES,
                reason: "the runtime's own pool raises its threads, and takes the kernel's no for an answer"),
            Refusal(
                "clone3", errno: ENOSYS,
                reason: "its flags lie in memory, where no filter sees them; libc then takes clone"),
            Refusal(
                "mmap", matches: [Match(2, .masked(mask: executable, executable))], limits: "with PROT_EXEC",
                errno: EACCES, reason: "libraries load modules late if they can"),
        ])

    // MARK: - The process itself

    /// `PROT_EXEC`
    private static let executable: UInt64 = 4

    private static let memory =
        group("memory", .always, ["brk", "madvise", "mremap", "munmap"]) + [
            Rule(
                "mmap", .always, arguments: [[Match(2, .masked(mask: executable, 0))]],
                limits: "without PROT_EXEC, once filtered", reason: "memory"),
            Rule(
                "mprotect", .always, arguments: [[Match(2, .masked(mask: executable, 0))]],
                limits: "without PROT_EXEC, once filtered", reason: "memory"),
        ]

    /// `CLONE_VM`, `FS`, `FILES`, `SIGHAND`, `THREAD`, `SYSVSEM`, `SETTLS`, `PARENT_SETTID`, `CHILD_CLEARTID`: what
    /// `pthread_create(3)` asks for.
    private static let threadFlags: UInt64 = 0x3d_0f00

    private static let threads =
        group(
            "threads start, wait for each other and end", .filtered,
            ["exit", "futex", "membarrier", "rseq", "sched_yield", "set_robust_list"])
        + group("the end", .always, ["exit_group"])
        + group(
            "the runtime's own pool, should a task run outside of the collector's threads", .filtered,
            ["rt_sigsuspend", "timerfd_create", "timerfd_settime"])
        + [
            Rule(
                "clone", .filtered, arguments: [[Match(0, .equal(threadFlags))]],
                limits: "threads of this process", reason: "threads start late"),
            Rule(
                "prlimit64", .always, arguments: [[Match(0, .equal(0)), Match(2, .equal(0))]],
                limits: "reading its own", reason: "the size of stacks"),
            Rule(
                "sched_setaffinity", .filtered, arguments: [[Match(0, .equal(0))]],
                limits: "of the calling thread", reason: "the fence visits each processor"),
            Rule(
                "sched_getaffinity", .always, arguments: [[Match(0, .equal(0))]],
                limits: "of the calling thread", reason: "the fence visits each processor"),
            Rule(
                // PR_SET_NAME, PR_GET_NAME; PR_SET_VMA is how allocators name their memory.
                "prctl", .always, arguments: any(0, [15, 16, 0x5356_4d41]),
                limits: "names of threads and memory, once filtered",
                reason: "fence and threads name themselves"),
        ]

    private static let signals =
        group("signals: masks and the descriptor", .always, ["rt_sigprocmask"])
        + group("signals: masks and the descriptor", .open, ["signalfd4"])
        + group("the end of a handler; a stop by SIGSTOP", .filtered, ["restart_syscall", "rt_sigreturn"])
        + [
            Rule(
                "tgkill", .filtered, arguments: [[Match(0, .ownProcess)]], limits: "itself",
                reason: "abort(3), and the end after a crash"),
            // 32 and 33 are libc's own; the signals of crashes keep the handler that tells about them.
            Rule(
                "rt_sigaction", .always, arguments: any(0, [32, 33]),
                limits: "signals of libc, once filtered",
                reason: "the first thread brings libc's handlers"),
            Rule(
                "sigaltstack", .always,
                reason: "a stack for the handler of crashes, and none at a thread's end"),
        ]

    private static let time =
        group(
            "clocks, where the kernel gives no way around a call", .always,
            ["clock_getres", "clock_gettime", "gettimeofday"])
        + group("waiting for a time", .filtered, ["clock_nanosleep", "nanosleep"])

    private static let waiting =
        group("threads idle in epoll", .always, ["epoll_create1", "epoll_ctl", "eventfd2"])
        + group(
            "threads idle in epoll", .filtered, ["epoll_pwait", "epoll_pwait2", "epoll_wait"])
        + group("output waits for its reader", .filtered, ["poll", "ppoll"])

    // MARK: - Files

    /// Flags with which a file could be changed, emptied or made (`O_ACCMODE`, `O_CREAT`, `O_TRUNC`, `O_APPEND`, and
    /// what `O_TMPFILE` adds to `O_DIRECTORY`), which are the same on both architectures.
    private static let writingFlags: UInt64 = 0o3 | 0o100 | 0o1000 | 0o2000 | 0o20_000_000

    private static let reading =
        group(
            "reading /proc, /sys, settings and files", .always,
            ["close", "getdents64", "newfstatat", "pread64", "read"])
        + group("reading /proc, /sys, settings and files", .filtered, ["fstat", "readlinkat", "statx"])
        + group("where standard input stands, at the end", .stop, ["lseek"])
        + group("identity of a process that may end", .always, ["pidfd_open"])
        + [
            Rule(
                "openat", .always,
                arguments: [
                    [Match(2, .masked(mask: writingFlags, 0))],
                    [Match(2, .equal(UInt64(O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)))],
                ], limits: "reading, and files that are new",
                reason: "reading /proc, settings and files; the copy that replaces a file of state"),
            Rule(
                // TCGETS, TIOCGWINSZ, TCGETS2.
                "ioctl", .always, arguments: any(1, [0x5401, 0x5413, 0x802c_542a]),
                limits: "questions to a terminal", reason: "the width of the table"),
            Rule(
                // F_GETFD, F_GETFL, F_GETLK.
                "fcntl", .always, arguments: any(1, [1, 3, 5]), limits: "questions",
                reason: "whether dpkg holds its lock"),
        ]

    private static let files =
        group("watching files", .always, ["inotify_init1"])
        + group("watching files", [.start, .run, .reload], ["inotify_add_watch", "inotify_rm_watch"])
        + group(
            "opening files strictly below their roots; its flags lie in memory, where no filter sees them",
            .always, ["openat2"])

    private static let writing =
        group("output, the durable files, waking a thread", .always, ["write"])
        + group(
            "the durable files", .always, ["fsync", "renameat", "renameat2"])
        + group("the durable files, the socket's name", .always, ["unlinkat"])
        + group("libc's last words before it aborts", .filtered, ["writev"])

    // MARK: - Sockets and the rest

    private static let sockets =
        group("the process connector, on a socket that is open", .filtered, ["recvmmsg"])
        + group("clients of the sockets", [.run, .reload, .stop], ["accept4", "recvfrom"])
        + group("clients, the fence, the service manager; on sockets that are open", .always, ["sendto"])
        + [
            Rule(
                "getsockopt", .always, arguments: [[Match(1, .equal(UInt64(SOL_SOCKET)))]],
                limits: "options of sockets in general", reason: "who a client is; the receive buffer")
        ]

    private static let identity =
        group("telemetry", .filtered, ["getrusage"])
        + group(
            "who it is", .always, ["geteuid", "getpid", "gettid", "uname"])
        + group("seeds of hashing, entropy", .always, ["getrandom"])
        + group("libc asks for the host's memory before it sorts much", .filtered, ["sysinfo"])

    /// What is over before the filter.
    private static let opening =
        group(
            "the program and its libraries are loaded", .open,
            ["access", "arch_prctl", "execve", "faccessat", "readlink", "set_tid_address"])
        + group(
            "sockets and their names", .open,
            ["bind", "chmod", "connect", "fchmodat", "fchownat", "flock", "listen", "setsockopt", "socket"])
        + group("folders for state and sockets", .open, ["mkdir", "mkdirat"])
        + group("privileges are given up, the filter is installed", .open, ["capget", "capset", "seccomp"])

    // MARK: - Making rows

    private static func group(_ reason: String, _ phases: Phases, _ names: [String]) -> [Rule] {
        names.map { Rule($0, phases, reason: reason) }
    }

    /// Any of some values of one argument.
    private static func any(_ argument: UInt32, _ values: [UInt64]) -> [[Match]] {
        values.map { [Match(argument, .equal($0))] }
    }
}
