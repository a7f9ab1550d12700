/// Messages of the proc connector as Linux 6.18 on x86-64 sent them, one of each kind.
enum ConnectorCapture {
    static let listenAcknowledged = hex(
        """
        4c000000030000000000000000000000010000000100000000000000560000002800000000000000
        01000000d3881f1a58010000000000000000000000000000000000000000000000000000
        """)
    /// The answer to an operation that does not exist.
    static let refused = hex(
        """
        4c0000000300000001000000000000000100000001000000010000000a0000002800000000000000
        010000008f44241d58010000160000000000000000000000000000000000000000000000
        """)
    static let fork = hex(
        """
        4c000000030000000200000000000000010000000100000002000000000000002800000001000000
        01000000e1233420580100000a1b00000a1b0000331b0000331b00000000000000000000
        """)
    /// A thread: the child's ids differ.
    static let threadFork = hex(
        """
        4c000000030000001100000000000000010000000100000011000000000000002800000001000000
        010000004a52ec20580100000a1b00000a1b0000371b0000361b00000000000000000000
        """)
    static let comm = hex(
        """
        4c000000030000000300000000000000010000000100000003000000000000002800000000020000
        0100000069074f2058010000331b0000331b000061292052203120280a5c20ff00000000
        """)
    static let gid = hex(
        """
        4c000000030000000400000000000000010000000100000004000000000000002800000040000000
        010000002ece4f2058010000331b0000331b0000e8030000e90300000000000000000000
        """)
    static let uid = hex(
        """
        4c000000030000000500000000000000010000000100000005000000000000002800000004000000
        01000000cedf512058010000331b0000331b0000e8030000e90300000000000000000000
        """)
    static let session = hex(
        """
        4c000000030000000600000000000000010000000100000006000000000000002800000080000000
        010000006230522058010000331b0000331b000000000000000000000000000000000000
        """)
    static let exec = hex(
        """
        4c000000030000000900000000000000010000000100000009000000000000002800000002000000
        01000000996a792058010000331b0000331b000000000000000000000000000000000000
        """)
    /// `exit(3)`.
    static let exit = hex(
        """
        4c000000030000000c0000000000000001000000010000000c000000000000002800000000000080
        010000007218ad2058010000341b0000341b000000030000110000000a1b00000a1b0000
        """)
    /// A thread that is no leader: it signals nobody and the kernel names no parent.
    static let threadExit = hex(
        """
        4c000000030000001200000000000000010000000100000012000000000000002800000000000080
        01000000fee1f22058010000371b0000361b000000000000ffffffff0000000000000000
        """)
    static let coredump = hex(
        """
        4c000000030000000e0000000000000001000000010000000e000000000000002800000000000040
        01000000f62ec32058010000351b0000351b00000a1b00000a1b00000000000000000000
        """)
    static let attach = hex(
        """
        4c000000030000001400000000000000010000000100000014000000000000002800000000010000
        01000000b8670a2158010000381b0000381b00000a1b00000a1b00000000000000000000
        """)
    static let detach = hex(
        """
        4c000000030000001500000000000000010000000100000015000000000000002800000000010000
        01000000f89c0b2158010000381b0000381b000000000000000000000000000000000000
        """)

    static let all = [
        listenAcknowledged, refused, fork, threadFork, comm, gid, uid, session, exec, exit, threadExit,
        coredump,
        attach, detach,
    ]
}

/// Files of `/proc` as Linux 6.18 on x86-64 printed them.
enum ProcCapture {
    /// The fields behind the name, of a process that slept.
    static let statTail = """
         S 6880 6816 3096 0 -1 4194368 266 0 0 0 0 0 0 0 20 0 1 0 271307 18591744 2866 18446744073709551615 \
        94038116749312 94038116749653 140723995472752 0 0 0 0 16781312 2 1 0 0 17 0 0 0 0 0 0 94038117661008 \
        94038117661624 94038331361352 140723995474083 140723995474143 140723995474143 140723995475919 0

        """
    static let zombieStat = [UInt8](
        text: """
            6930 (plain) Z 6880 6816 3096 0 -1 4228172 266 0 0 0 0 0 0 0 20 0 1 0 271307 0 0 \
            18446744073709551615 0 0 0 0 0 0 0 16781312 2 1 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 9

            """)
    static let kernelThreadStat = [UInt8](
        text: """
            4 (kworker/R-rcu_gp) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 0 -20 1 0 30 0 0 18446744073709551615 \
            0 0 0 0 0 0 0 2147483647 0 1 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0

            """)
    /// Names that processes gave themselves.
    static let hostileNames: [[UInt8]] = [
        Array("plain".utf8), Array("a) R 1 (b".utf8), Array("with space".utf8), Array("nl\nx".utf8),
        Array(#"back\slash"#.utf8), [0xff, 0xfe, 0xc3], [], Array("((((()))))".utf8),
    ]

    static func stat(name: [UInt8]) -> [UInt8] {
        Array("6930 (".utf8) + name + Array(")".utf8) + statTail.utf8
    }

    /// A running process, whole file.
    static let status = """
        Name:\tcat
        Umask:\t0022
        State:\tR (running)
        Tgid:\t5862
        Ngid:\t0
        Pid:\t5862
        PPid:\t5856
        TracerPid:\t0
        Uid:\t0\t0\t0\t0
        Gid:\t0\t0\t0\t0
        FDSize:\t256
        Groups:\t\u{20}
        NStgid:\t5862
        NSpid:\t5862
        NSpgid:\t5856
        NSsid:\t3096
        Kthread:\t0
        VmPeak:\t    3060 kB
        VmSize:\t    3060 kB
        VmLck:\t       0 kB
        VmPin:\t       0 kB
        VmHWM:\t    1624 kB
        VmRSS:\t    1624 kB
        RssAnon:\t     112 kB
        RssFile:\t    1512 kB
        RssShmem:\t       0 kB
        VmData:\t     360 kB
        VmStk:\t     132 kB
        VmExe:\t      20 kB
        VmLib:\t    1528 kB
        VmPTE:\t      52 kB
        VmSwap:\t       0 kB
        HugetlbPages:\t       0 kB
        CoreDumping:\t0
        THP_enabled:\t1
        untag_mask:\t0xffffffffffffffff
        Threads:\t1
        SigQ:\t0/96343
        SigPnd:\t0000000000000000
        ShdPnd:\t0000000000000000
        SigBlk:\t0000000000000000
        SigIgn:\t0000000000000000
        SigCgt:\t0000000000000000
        CapInh:\t0000000000000000
        CapPrm:\t000001fffeffffff
        CapEff:\t000001fffeffffff
        CapBnd:\t000001fffeffffff
        CapAmb:\t0000000000000000
        NoNewPrivs:\t0
        Seccomp:\t0
        Seccomp_filters:\t0
        Speculation_Store_Bypass:\tvulnerable
        SpeculationIndirectBranch:\talways enabled
        Cpus_allowed:\t3
        Cpus_allowed_list:\t0-1
        Mems_allowed:\t00000000,00000001
        Mems_allowed_list:\t0
        voluntary_ctxt_switches:\t0
        nonvoluntary_ctxt_switches:\t0

        """
    /// A host that mounts both versions.
    static let hybridCgroup = """
        9:name=systemd:/
        8:pids:/
        7:blkio:/
        6:freezer:/
        5:devices:/
        4:memory:/user/1c7a8c51d913b221
        3:cpuset:/
        2:cpu,cpuacct:/
        1:net_cls:/
        0::/

        """
    static let systemStat = """
        cpu  4516 0 2594 232896 2325 0 28 37 0 0
        cpu0 2227 0 1103 117722 43 0 5 16 0 0
        cpu1 2288 0 1490 115174 2282 0 22 20 0 0
        intr 119889 0 0 0 1 1 16 0 242 57 0 31 1 24150 0 187 177 0 3297 5760 1 0
        ctxt 207279
        btime 1795240078
        processes 5866
        procs_running 1
        procs_blocked 1
        softirq 97073 0 17091 3 378 24150 0 2 31278 0 24171

        """
}
