/// The system calls that a process may make, each with the reason why it needs it.
package struct SyscallPolicy: Hashable, Sendable {
    /// One permission.
    package struct Rule: Hashable, Sendable {
        package var name: String
        /// Which of its arguments is restricted, and to which values; `nil` allows every call.
        package var restriction: Restriction?
        package var reason: String

        package init(_ name: String, restriction: Restriction? = nil, reason: String) {
            self.name = name
            self.restriction = restriction
            self.reason = reason
        }
    }

    /// The values that one argument may have.
    package struct Restriction: Hashable, Sendable {
        /// Counted from 0.
        package var argument: UInt32
        package var values: [UInt64]

        package init(argument: UInt32, values: [UInt64]) {
            self.argument = argument
            self.values = values
        }
    }

    /// A call that is made in good faith and must fail without noise.
    package struct Refusal: Hashable, Sendable {
        package var name: String
        package var errno: Int32
        package var reason: String

        package init(_ name: String, errno: Int32, reason: String) {
            self.name = name
            self.errno = errno
            self.reason = reason
        }
    }

    package var rules: [Rule]
    package var refusals: [Refusal]

    package init(rules: [Rule], refusals: [Refusal]) {
        self.rules = rules
        self.refusals = refusals
    }

    /// What a running collector needs, once its sockets are open and its privileges reduced.
    ///
    /// Not in it, among others: `connect`, `bind`, `execve`, `ptrace`, `bpf`, `mount`, `setuid`, `capset`, `kill`.
    /// Found by running it in the mode ``SeccompFilter/Action/log``.
    package static let collector = SyscallPolicy(
        rules: group("memory", ["brk", "madvise", "mmap", "mprotect", "mremap", "munmap"])
            + group(
                "threads of the runtime come and go for ever",
                [
                    "clone", "clone3", "exit", "exit_group", "futex", "get_robust_list", "getpid", "gettid",
                    "membarrier", "prlimit64", "rseq", "sched_yield", "set_robust_list", "set_tid_address",
                    "setpriority", "sigaltstack",
                ])
            + group(
                "signals: masks, the descriptor, aborting",
                [
                    "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend",
                    "signalfd4", "tgkill",
                ])
            + group(
                "clocks and waiting for a time",
                [
                    "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep",
                    "timerfd_create", "timerfd_settime",
                ])
            + group(
                "threads idle in epoll",
                [
                    "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2",
                    "poll", "ppoll",
                ])
            + group(
                "reading /proc, /sys and the configuration",
                [
                    "close", "fcntl", "fstat", "getdents64", "lseek", "newfstatat", "openat", "pidfd_open",
                    "pread64", "read", "readlink", "readlinkat", "statx",
                ])
            + group(
                "watching files and opening them below their roots",
                ["inotify_add_watch", "inotify_init1", "inotify_rm_watch", "openat2"])
            + group(
                "the process connector, on a socket that is open",
                ["getsockopt", "recvfrom", "recvmmsg", "recvmsg", "sendmsg", "sendto", "setsockopt"])
            + group("clients of the control socket", ["accept4", "shutdown"])
            + group("the fence visits each processor", ["sched_getaffinity", "sched_setaffinity"])
            + [
                // PR_SET_NAME, PR_GET_NAME; PR_SET_VMA is how allocators name their memory.
                Rule(
                    "prctl", restriction: Restriction(argument: 0, values: [15, 16, 0x5356_4d41]),
                    reason: "the fence and threads name themselves"),
                // TCGETS, TIOCGWINSZ, TCGETS2.
                Rule(
                    "ioctl", restriction: Restriction(argument: 1, values: [0x5401, 0x5413, 0x802c_542a]),
                    reason: "the table asks its terminal"),
            ]
            + group(
                "the durable file and output",
                [
                    "fdatasync", "fsync", "ftruncate", "mkdir", "mkdirat", "rename", "renameat", "renameat2",
                    "unlink", "unlinkat", "write", "writev",
                ])
            + group(
                "telemetry and entropy",
                ["getegid", "geteuid", "getgid", "getrandom", "getrusage", "getuid", "sysinfo", "uname"]),
        refusals: [
            // EACCES: the runtime logs to syslog(3) when it cannot raise a worker's priority, which takes CAP_SYS_NICE.
            Refusal("socket", errno: 13, reason: "every socket is opened before the filter")
        ])

    private static func group(_ reason: String, _ names: [String]) -> [Rule] {
        names.map { Rule($0, reason: reason) }
    }
}
