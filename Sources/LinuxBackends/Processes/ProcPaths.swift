import Backends

// Literals, because a call then needs no String and no copy of a name.

extension ProcessFile {
    var path: StaticString {
        switch self {
        case .stat: "stat"
        case .status: "status"
        case .cmdline: "cmdline"
        case .comm: "comm"
        case .cgroup: "cgroup"
        case .environ: "environ"
        case .io: "io"
        case .statm: "statm"
        case .limits: "limits"
        case .maps: "maps"
        case .wchan: "wchan"
        case .oomScore: "oom_score"
        case .smapsRollup: "smaps_rollup"
        }
    }
}

extension ProcessLink {
    var path: StaticString {
        switch self {
        case .exe: "exe"
        case .cwd: "cwd"
        case .root: "root"
        case .pidNamespace: "ns/pid"
        case .networkNamespace: "ns/net"
        }
    }
}

extension SystemFile {
    var path: StaticString {
        switch self {
        case .stat: "stat"
        case .uptime: "uptime"
        case .memoryInformation: "meminfo"
        case .bootID: "sys/kernel/random/boot_id"
        case .pidMaximum: "sys/kernel/pid_max"
        }
    }
}
