package import Backends
package import EventModel
import KernelFormats

// Everything that can happen to a simulated host. Each verb happens at once, at the present virtual time; use
// `schedule(at:_:)` for a later one. The semantics are total: a verb whose subject does not exist changes nothing, is
// counted in `skippedVerbCount` and says so by its result, so that every subset of a scenario's lines can run.

// MARK: - Before the run

extension SimulatedKernel {
    /// Adds a process that has been there since before the run: no message tells of it.
    ///
    /// - Returns: `nil` when the pid is taken or out of range, or the parent does not exist.
    @discardableResult
    package func addProcess(_ pid: ProcessID, _ template: ProcessTemplate) -> IncarnationID? {
        counted(world.addProcess(pid, template))
    }
}

// MARK: - The life of a process

extension SimulatedKernel {
    /// `fork(2)`: a child that is a copy of its parent. FORK.
    ///
    /// - Parameters:
    ///   - parent: A process, or one of its threads: the message then names that thread, `stat` of the child the process.
    ///   - pid: The pid wanted, as with `clone3(2)` and `set_tid`; `nil` takes the next free one.
    ///   - startTicks: Start time to force, in clock ticks since boot, to make two incarnations tie; `nil`: now.
    ///   - namespace: Whether the child is the first process of a pid namespace of its own (`CLONE_NEWPID`).
    /// - Returns: The child's pid; `nil` when there is no such parent, the pid is taken, or pids have run out.
    @discardableResult
    package func fork(
        parent: ProcessID, as pid: ProcessID? = nil, startTicks: UInt64? = nil,
        namespace: PIDNamespaceOfChild = .inherited
    ) -> ProcessID? {
        counted(world.fork(parent: parent, as: pid, startTicks: startTicks, namespace: namespace))
    }

    /// `execve(2)` by the only or first thread: all other threads end. [EXIT of other threads, UID, GID,] EXEC.
    ///
    /// To a reader the change has three steps: the program and an empty command line, the name, the command line.
    ///
    /// - Parameters:
    ///   - argv: Arguments; `nil` is the program's path alone, empty is an empty vector (which the kernel turns into
    ///     one empty argument since 5.18).
    ///   - comm: The name afterwards; `nil` is what the kernel makes of the program: the last component of the path.
    ///   - duration: From the first step to the message; `nil` draws from `WorldConfiguration.execDuration`.
    ///   - setUserID: The owner of a set-user-id program.
    @discardableResult
    package func exec(
        _ pid: ProcessID, _ program: ExecutableProgram, argv: [[UInt8]]? = nil, comm: [UInt8]? = nil,
        over duration: Duration? = nil, setUserID: UserID? = nil
    ) -> Bool {
        let request = ExecRequest(
            program: program, argv: argv, comm: comm, duration: duration, setUserID: setUserID)
        return counted(world.exec(pid, request))
    }

    /// `execve(2)` by a thread that is not the first: all others end, the first among them, and the caller takes over
    /// its thread id. EXIT of the others (one names the pid itself), then EXEC of the pid: not a death.
    @discardableResult
    package func execFromThread(
        _ tid: ProcessID, _ program: ExecutableProgram, argv: [[UInt8]]? = nil, comm: [UInt8]? = nil,
        over duration: Duration? = nil
    ) -> Bool {
        let request = ExecRequest(
            program: program, argv: argv, comm: comm, duration: duration, setUserID: nil)
        return counted(world.execFromThread(tid, request))
    }

    /// `exit_group(2)` or a deadly signal: every thread ends; the process stays as a zombie until it is reaped. EXIT
    /// for each thread. Children go to the nearest subreaper or init.
    @discardableResult
    package func exit(_ pid: ProcessID, _ status: ExitStatus = .exited(0)) -> Bool {
        counted(world.exit(pid, status))
    }

    /// `wait(2)` by the parent: the pid becomes free.
    ///
    /// - Returns: `false` when there is no such zombie.
    @discardableResult
    package func reap(_ pid: ProcessID) -> Bool { counted(world.reap(pid)) }

    /// ``exit(_:_:)`` by a signal and, at once, ``reap(_:)``.
    @discardableResult
    package func killAndReap(_ pid: ProcessID, signal: UInt8 = 9) -> Bool {
        exit(pid, .signaled(signal, isCoreDumped: false)) && reap(pid)
    }

    /// A deadly signal whose action is to dump core. COREDUMP, then EXIT of each thread.
    ///
    /// - Parameter core: Whether a file is written (`RLIMIT_CORE`), which the exit code tells; COREDUMP comes anyway.
    @discardableResult
    package func coredump(_ pid: ProcessID, signal: UInt8 = 11, core: CoreFile = .written) -> Bool {
        counted(world.coredump(pid, signal: signal, core: core))
    }

    /// `prctl(PR_SET_CHILD_SUBREAPER)`: orphans below this process become its children.
    @discardableResult
    package func setSubreaper(_ pid: ProcessID) -> Bool { counted(world.setSubreaper(pid)) }
}

// MARK: - Threads

extension SimulatedKernel {
    /// `clone(2)` with `CLONE_THREAD`. FORK with a child that is not its own thread group.
    ///
    /// - Returns: The thread id; `nil` when there is no such live process or the id is taken.
    @discardableResult
    package func createThread(in pid: ProcessID, as tid: ProcessID? = nil) -> ProcessID? {
        counted(world.createThread(in: pid, as: tid))
    }

    /// `pthread_exit(3)`: the thread ends and, unless it is the first, is gone at once. EXIT of the thread id.
    ///
    /// When it is the first thread and others live on, the process looks like a zombie but is alive; when it is the
    /// last, the process ends.
    @discardableResult
    package func exitThread(_ tid: ProcessID, status: UInt8 = 0) -> Bool {
        counted(world.exitThread(tid, status: .exited(status)))
    }
}

// MARK: - Attributes

extension SimulatedKernel {
    /// `setresuid(2)` by one thread. UID, if anything changed; a new effective user makes the process not dumpable until
    /// its next exec.
    ///
    /// - Parameter tid: A thread id; a pid is its first thread, whose credentials `/proc/PID` shows.
    @discardableResult
    package func setUserID(_ tid: ProcessID, real: UserID, effective: UserID) -> Bool {
        counted(world.setUserID(tid, real: real, effective: effective))
    }

    /// `setresgid(2)` by one thread, as ``setUserID(_:real:effective:)``. GID, if anything changed.
    @discardableResult
    package func setGroupID(_ tid: ProcessID, real: GroupID, effective: GroupID) -> Bool {
        counted(world.setGroupID(tid, real: real, effective: effective))
    }

    /// `setsid(2)`. SID.
    ///
    /// - Returns: `false` also when the process leads a process group already (`EPERM`).
    @discardableResult
    package func setSession(_ pid: ProcessID) -> Bool { counted(world.setSession(pid)) }

    /// `prctl(PR_SET_NAME)` by one thread, cut to 15 bytes. COMM.
    ///
    /// - Parameter tid: A thread id; a pid is its first thread.
    @discardableResult
    package func setComm(_ tid: ProcessID, _ comm: [UInt8]) -> Bool { counted(world.setComm(tid, comm)) }

    /// `setproctitle(3)`: overwrites the argument vector in memory without a final NUL, so that a longer title runs
    /// into the environment and, if shorter than both, the environment shows. No message.
    @discardableResult
    package func setTitle(_ pid: ProcessID, _ title: [UInt8]) -> Bool { counted(world.setTitle(pid, title)) }

    /// `PTRACE_ATTACH`. PTRACE.
    @discardableResult
    package func ptraceAttach(_ pid: ProcessID, by tracer: ProcessID) -> Bool {
        counted(world.ptrace(pid, by: tracer))
    }

    /// `PTRACE_DETACH`. PTRACE with the tracer 0.
    @discardableResult
    package func ptraceDetach(_ pid: ProcessID) -> Bool { counted(world.ptrace(pid, by: nil)) }

    /// `prctl(PR_SET_DUMPABLE)`: without it, files below `/proc/PID` belong to root. No message.
    @discardableResult
    package func setDumpable(_ pid: ProcessID, _ isDumpable: Bool) -> Bool {
        counted(world.change(pid) { $0.isDumpable = isDumpable })
    }

    /// Moves a process to another control group (v2). No message.
    @discardableResult
    package func setCgroup(_ pid: ProcessID, _ path: [UInt8]) -> Bool { counted(world.setCgroup(pid, path)) }

    /// Sets virtual and resident size, in bytes.
    @discardableResult
    package func setMemory(_ pid: ProcessID, virtualByteCount: UInt64, residentByteCount: UInt64) -> Bool {
        counted(
            world.change(pid) {
                $0.virtualByteCount = virtualByteCount
                $0.residentPageCount = residentByteCount / ProcessState.pageByteCount
            })
    }

    /// Adds CPU time in user and kernel mode.
    @discardableResult
    package func spendProcessorTime(_ pid: ProcessID, user: Duration, system: Duration = .zero) -> Bool {
        counted(
            world.change(pid) {
                $0.userTime += user
                $0.systemTime += system
            })
    }

    /// Removes the name of a file: processes that run it show it as deleted.
    ///
    /// - Returns: `false` when no file has this path.
    @discardableResult
    package func unlinkExecutable(_ path: [UInt8]) -> Bool { counted(world.unlink(path)) }
}

// MARK: - Many at once

extension SimulatedKernel {
    /// `count` children that fork, may exec, and exit, spread evenly over `duration` from now, each reaped at once.
    ///
    /// - Parameter program: What each child executes; `nil`: nothing.
    /// - Returns: `false` when there is no such parent.
    @discardableResult
    package func burst(
        parent: ProcessID, count: Int, over duration: Duration, executing program: ExecutableProgram? = nil
    ) -> Bool {
        guard counted(world.isAlive(parent)) else { return false }
        let spacing = duration.wholeNanoseconds / Int64(max(1, count))
        let start = now
        for index in 0..<max(0, count) {
            schedule(at: start.advanced(by: .nanoseconds(spacing * Int64(index)))) { kernel in
                guard let child = kernel.fork(parent: parent) else { return }
                // The steps of one short life share its slot, in order.
                if let program {
                    kernel.schedule(at: kernel.now.advanced(by: .nanoseconds(spacing / 4))) {
                        $0.exec(child, program, over: .zero)
                    }
                }
                kernel.schedule(at: kernel.now.advanced(by: .nanoseconds(spacing / 2))) {
                    $0.exit(child)
                    $0.reap(child)
                }
            }
        }
        return true
    }

    /// Writes `/proc/sys/kernel/ns_last_pid`: the next fork gets the first free pid after `pid`.
    @discardableResult
    package func setLastPID(_ pid: ProcessID) -> Bool { counted(world.pids.setLast(pid)) }
}

// MARK: - The host

extension SimulatedKernel {
    /// `clock_settime(2)`: moves `CLOCK_REALTIME` only. `btime` of `/proc/stat` moves with it.
    package func stepRealtime(by duration: Duration) { pump.stepRealtime(by: duration) }

    /// `adjtimex(2)`: from now on `CLOCK_MONOTONIC` and `CLOCK_REALTIME` run faster by this many parts in a million
    /// (-100 000 ... 100 000) than `CLOCK_MONOTONIC_RAW`.
    package func slew(partsPerMillion: Int64) { pump.slew(partsPerMillion: partsPerMillion) }

    /// Suspend to memory: `CLOCK_BOOTTIME` and `CLOCK_REALTIME` go on, `CLOCK_MONOTONIC` does not.
    package func suspend(for duration: Duration) { pump.suspend(for: duration) }

    /// A hypervisor stops the machine: all clocks jump, nothing runs meanwhile.
    package func pauseMachine(for duration: Duration) { pump.pauseMachine(for: duration) }

    /// Mounts procfs anew with another `hidepid`.
    package func setHidePID(_ mode: HidePID) { world.hidepid = mode }

    /// Another user-space process sends bytes to the collector's connector socket.
    ///
    /// - Parameter senderPort: Netlink port of the sender, not 0: only the kernel is 0.
    /// - Returns: `false` when there is no socket, or no room (the sender gets `EAGAIN`).
    @discardableResult
    package func forge(_ message: [UInt8], senderPort: UInt32) -> Bool {
        counted(world.connector.forge(message, senderPort: senderPort))
    }

    /// Another listener subscribes to the process connector (or leaves): keeps the kernel's counter up, and its
    /// acknowledgement takes a sequence number.
    package func addForeignListener() { world.connector.control(.listen, by: nil, in: world) }

    /// See ``addForeignListener()``.
    package func removeForeignListener() { world.connector.control(.ignore, by: nil, in: world) }

    /// The collector has ended and starts again as another process: its sockets and handles are gone, its listener count
    /// is not, and its files are as the disk has them. The old pid is free, a new one taken.
    ///
    /// - Returns: The new pid of the collector.
    @discardableResult
    package func restartCollector() -> ProcessID? { counted(world.restartCollector()) }

    /// Delivers a signal to the collector; a signal that is pending already is not queued twice.
    package func signalCollector(_ signal: HostSignal) { world.signals.deliver(signal) }
}

// MARK: - Values that verbs take

/// How a process ends.
package enum ExitStatus: Hashable, Sendable {
    case exited(UInt8)
    case signaled(UInt8, isCoreDumped: Bool)

    /// The word of `wait(2)` and of the EXIT message: status in bits 8-15, core flag in bit 7, signal in bits 0-6.
    package var code: UInt32 {
        switch self {
        case .exited(let status): UInt32(status) << 8
        case .signaled(let signal, let isCoreDumped): UInt32(signal & 0x7f) | (isCoreDumped ? 0x80 : 0)
        }
    }
}

/// Whether a core dump leaves a file.
package enum CoreFile: Hashable, Sendable {
    case written
    /// Forbidden by `RLIMIT_CORE`, which is 0 on most hosts.
    case suppressed
}

/// In which pid namespace a child lives.
package enum PIDNamespaceOfChild: Hashable, Sendable {
    case inherited
    /// One of its own, in which it is pid 1.
    case new
}

/// What an `execve(2)` runs.
package enum ExecutableProgram: Hashable, Sendable {
    /// A file by its path; made if there is none.
    case file([UInt8])
    /// A file that has been unlinked before it is executed through a descriptor.
    case deletedFile([UInt8])
    /// A file of `memfd_create(2)` with this name.
    case memory([UInt8])

    package static func file(_ path: String) -> Self { .file(Array(path.utf8)) }
    package static func deletedFile(_ path: String) -> Self { .deletedFile(Array(path.utf8)) }
    package static func memory(_ name: String) -> Self { .memory(Array(name.utf8)) }
}

/// A process as it is when the run starts.
package struct ProcessTemplate: Hashable, Sendable {
    package var ppid = ProcessID(1)
    /// `nil`: a kernel thread, or a process of which only the name is known.
    package var program: ExecutableProgram?
    /// `nil`: the program's path alone.
    package var argv: [[UInt8]]?
    package var environment: [[UInt8]] = [Array("PATH=/usr/bin:/bin".utf8)]
    /// `nil`: the last component of the program's path.
    package var comm: [UInt8]?
    package var uid = UserID(0)
    package var gid = GroupID(0)
    /// `nil`: the parent's.
    package var session: ProcessID?
    package var cgroup: [UInt8] = Array("/".utf8)
    /// Clock ticks since boot; `nil`: the start of the run.
    package var startTicks: UInt64?
    package var isKernelThread = false
    package var isDumpable = true
    /// The pid within each pid namespace below the initial one, outermost first.
    package var innerPIDs: [ProcessID] = []
    /// Threads beside the first.
    package var extraThreadCount = 0

    package init() {}

    /// A process that runs the program at `path`.
    package init(path: String, ppid: ProcessID = ProcessID(1), uid: UserID = UserID(0)) {
        program = .file(path)
        self.ppid = ppid
        self.uid = uid
    }

    /// A kernel thread.
    package static func kernelThread(_ comm: String) -> Self {
        var template = Self()
        template.comm = Array(comm.utf8)
        template.isKernelThread = true
        template.ppid = ProcessID(2)
        return template
    }
}
