import Backends
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// What the files of `/proc` say, printed by the same types that sources read them with.
extension World {
    /// Where the strings of every program begin in its memory.
    private static let argumentAddress: UInt64 = 0x7ffc_0000_1000
    private static let codeAddress: UInt64 = 0x5555_5555_4000

    /// Appends the text of a file that belongs to a process.
    func print(_ file: ProcessFile, of process: ProcessState, into bytes: inout [UInt8]) throws(Errno) {
        switch file {
        case .stat: printStat(of: process, into: &bytes)
        case .status: printStatus(of: process, into: &bytes)
        case .comm: CommFile(name: process.comm).append(to: &bytes)
        case .cgroup: CgroupFile(unifiedPath: process.cgroup).append(to: &bytes)
        case .cmdline: bytes.append(contentsOf: process.visibleMemory?.commandLine ?? [])
        case .environ: bytes.append(contentsOf: process.visibleMemory?.environment ?? [])
        case .io:
            guard mayTrace(process) else { throw .permissionDenied }
            bytes.append(contentsOf: Self.ioText.utf8)
        case .statm:
            let total = process.virtualByteCount / ProcessState.pageByteCount
            let resident = process.residentPageCount
            bytes.append(
                contentsOf: "\(total) \(resident) \(resident / 2) \(total / 8) 0 \(total / 4) 0\n".utf8)
        case .limits: bytes.append(contentsOf: Self.limitsText.utf8)
        case .maps: bytes.append(contentsOf: maps(of: process))
        case .wchan:
            bytes.append(contentsOf: (mayTrace(process) && process.isAlive ? "do_epoll_wait" : "0").utf8)
        case .oomScore:
            bytes.append(contentsOf: "\(process.isZombie || process.isKernelThread ? 0 : 666)\n".utf8)
        case .smapsRollup:
            guard process.visibleMemory != nil else { throw .noSuchProcess }
            let kibibytes = process.residentPageCount * 4
            bytes.append(
                contentsOf:
                    "555555554000-7fff00000000 ---p 00000000 00:00 0 [rollup]\nRss: \(kibibytes) kB\nPss: \(kibibytes) kB\n"
                    .utf8)
        }
    }

    private func printStat(of process: ProcessState, into bytes: inout [UInt8]) {
        let key = printedTextKey(of: process)
        if process.statText.append(to: &bytes, for: key) { return }
        let start = bytes.count
        stat(of: process).append(to: &bytes)
        process.statText.keep(bytes[start...], for: key)
    }

    private func printStatus(of process: ProcessState, into bytes: inout [UInt8]) {
        let key = printedTextKey(of: process)
        if process.statusText.append(to: &bytes, for: key) { return }
        let start = bytes.count
        status(of: process).append(to: &bytes)
        bytes.append(contentsOf: Self.switchCountText.utf8)
        process.statusText.keep(bytes[start...], for: key)
    }

    private func printedTextKey(of process: ProcessState) -> PrintedText.Key {
        PrintedText.Key(
            version: process.version, areArgumentsVisible: process.memory?.areArgumentsVisible ?? false,
            isTraceable: mayTrace(process), isOwn: process.pid == ownProcessID)
    }

    private func stat(of process: ProcessState) -> ProcessStat {
        var stat = ProcessStat(pid: process.pid, comm: process.comm)
        stat.state = state(of: process)
        stat.ppid = process.ppid
        stat.pgrp = process.processGroup
        stat.session = process.session
        stat.flags = process.isKernelThread ? ProcessStat.kernelThreadFlag : 0x0040_0000
        stat.utime = ticks(process.userTime)
        stat.stime = ticks(process.systemTime)
        stat.threadCount = Int64(process.threads.count)
        stat.startTicks = process.startTicks
        stat.exitSignal = process.isKernelThread ? 0 : 17
        stat.processor = Int32(bitPattern: process.threads[0].processor)
        guard let memory = process.visibleMemory else {
            if mayTrace(process) { stat.exitCode = Int32(bitPattern: process.exitCode) }
            return stat
        }
        stat.vsize = process.virtualByteCount
        stat.rssPageCount = process.residentPageCount
        // Without the right to look, addresses are masked.
        stat.startcode = 1
        stat.endcode = 1
        guard mayTrace(process) else { return stat }
        stat.startcode = Self.codeAddress
        stat.endcode = Self.codeAddress + 0x1000
        stat.startstack = Self.argumentAddress - 0x1000
        let (argumentByteCount, stringByteCount) =
            memory.areArgumentsVisible ? (memory.argumentByteCount, memory.strings.count) : (0, 0)
        stat.argStart = Self.argumentAddress
        stat.argEnd = Self.argumentAddress + UInt64(argumentByteCount)
        stat.envStart = stat.argEnd
        stat.envEnd = Self.argumentAddress + UInt64(stringByteCount)
        return stat
    }

    private func state(of process: ProcessState) -> TaskState {
        if process.isLeaderDead { return .zombie }
        if process.tracer != nil { return .tracingStop }
        return process.pid == ownProcessID ? .running : .sleeping
    }

    private func ticks(_ duration: Duration) -> UInt64 {
        UInt64(max(0, duration.wholeNanoseconds)) / (1_000_000_000 / configuration.clockTicksPerSecond)
    }

    private func status(of process: ProcessState) -> ProcessStatus {
        var status = ProcessStatus()
        status.name = process.comm
        status.state = state(of: process)
        status.tgid = process.pid
        status.pid = process.pid
        status.ppid = process.ppid
        status.tracerPid = process.tracer ?? ProcessID(0)
        status.uid = .init(
            real: process.realUID, effective: process.effectiveUID, saved: process.effectiveUID,
            fileSystem: process.effectiveUID)
        status.gid = .init(
            real: process.realGID, effective: process.effectiveGID, saved: process.effectiveGID,
            fileSystem: process.effectiveGID)
        status.namespaceTgids = [process.pid] + process.innerPIDs
        status.namespacePids = [process.pid] + process.innerPIDs
        status.namespacePgids = [process.processGroup]
        status.namespaceSessions = [process.session]
        if configuration.kernel >= KernelVersion(major: 6, minor: 7) {
            status.kthread = process.isKernelThread ? 1 : 0
        }
        if process.visibleMemory != nil {
            status.vmPeak = process.virtualByteCount / 1_024
            status.vmSize = process.virtualByteCount / 1_024
            status.vmHWM = process.residentPageCount * 4
            status.vmRSS = process.residentPageCount * 4
            status.vmSwap = 0
        }
        status.threadCount = UInt32(process.threads.count)
        let capabilities = ProcessStatus.CapabilitySet(
            rawValue: process.effectiveUID.rawValue == 0 ? 0x1ff_ffff_ffff : 0)
        status.inheritable = ProcessStatus.CapabilitySet(rawValue: 0)
        status.permitted = capabilities
        status.effective = capabilities
        status.bounding = ProcessStatus.CapabilitySet(rawValue: 0x1ff_ffff_ffff)
        status.ambient = ProcessStatus.CapabilitySet(rawValue: 0)
        status.noNewPrivs = 0
        status.seccomp = 0
        status.seccompFilters = 0
        return status
    }

    private func maps(of process: ProcessState) -> [UInt8] {
        guard let program = process.visibleMemory?.program else { return [] }
        // A newline in a path is escaped here, unlike in the link (`seq_file_path`).
        var path: [UInt8] = []
        for byte in program.linkText {
            if byte == 0x0a { path += Array("\\012".utf8) } else { path.append(byte) }
        }
        return Array("555555554000-555555555000 r-xp 00000000 fe:01 \(program.inode) ".utf8) + path + [0x0a]
    }

    /// Appends the text of a file that belongs to no process.
    func print(_ file: SystemFile, into bytes: inout [UInt8]) {
        let bootNanoseconds = UInt64(max(0, pump.bootTime.nanoseconds))
        switch file {
        case .stat:
            var stat = SystemStat()
            var times = SystemStat.Times()
            times.idle = currentTicks
            stat.total = times
            stat.processors = (0..<configuration.processorCount).map {
                SystemStat.Processor(id: $0, times: times)
            }
            stat.interruptCount = currentTicks
            stat.contextSwitchCount = currentTicks
            // The kernel computes it from the clocks of now: it moves when the wall clock is stepped.
            stat.bootTime = UInt64(max(0, pump.bootWall.nanoseconds / 1_000_000_000))
            stat.forkCount = forkCount
            stat.runningCount = 1
            stat.blockedCount = 0
            stat.softInterruptCount = 0
            stat.append(to: &bytes)
        case .uptime:
            let hundredths = bootNanoseconds / 10_000_000
            UptimeFile(uptimeHundredths: hundredths, idleHundredths: hundredths).append(to: &bytes)
        case .memoryInformation:
            bytes.append(
                contentsOf:
                    "MemTotal:       16384000 kB\nMemFree:         8192000 kB\nMemAvailable:   12288000 kB\n"
                    .utf8)
        case .bootID:
            BootIDFile(configuration.bootID).append(to: &bytes)
        case .pidMaximum:
            PIDMaximumFile(UInt32(pids.maximum)).append(to: &bytes)
        }
    }

    private static let switchCountText = "voluntary_ctxt_switches:\t1\nnonvoluntary_ctxt_switches:\t0\n"

    private static let ioText = """
        rchar: 0
        wchar: 0
        syscr: 0
        syscw: 0
        read_bytes: 0
        write_bytes: 0
        cancelled_write_bytes: 0

        """

    private static let limitsText = """
        Limit                     Soft Limit           Hard Limit           Units     
        Max cpu time              unlimited            unlimited            seconds   
        Max open files            1024                 1048576              files     

        """
}
