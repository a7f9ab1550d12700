package import Backends

/// What happens in the world of a case; processes, threads and programs go by the names the case gives them.
package enum LitmusAction: Hashable, Sendable {
    /// `fork P -> C [pid-of=A] [namespace=new]`: `C` may take over the pid of the reaped `A`.
    case fork(parent: String, child: String, pidOf: String?, isInNewNamespace: Bool)
    /// `kthread K`: some kernel thread of the host.
    case kernelThread(String)
    /// `exec A PROGRAM [argv=[..]] [fill=N]`, also by a thread: `fill` adds an argument of N times `x`.
    case exec(String, program: [UInt8], arguments: [[UInt8]])
    /// `exec A PROGRAM over=10ms [argv=[..]]`: begins an exec that takes its time, and does not wait for its end.
    case beginExec(String, program: [UInt8], arguments: [[UInt8]], duration: Duration)
    /// `exec A memfd=LABEL [argv=[..]]`
    case execMemoryFile(String, label: [UInt8], arguments: [[UInt8]])
    /// `exit A [code=N]`: ends all threads.
    case exit(String, code: Int32)
    /// `kill A [signal=N]`
    case kill(String, signal: Int32)
    /// `reap A`: by whoever is its parent now.
    case reap(String)
    /// `thread A -> T`
    case createThread(process: String, thread: String)
    /// `exit-thread T`: of the leader as of any other thread.
    case exitThread(String)
    /// `comm A TEXT`
    case setComm(String, [UInt8])
    case setUser(String, UInt32)
    case setGroup(String, UInt32)
    case startSession(String)
    /// `attach A -> B`: `A` begins to trace `B`.
    case attach(tracer: String, tracee: String)
    case detach(tracer: String, tracee: String)
    /// `title A TEXT`: writes it over the argument area, clears the rest, and adds no NUL.
    case overwriteTitle(String, [UInt8])
    /// `nondumpable A`
    case makeNonDumpable(String)
    /// `unlink PROGRAM`
    case unlink([UInt8])
    /// `burst A xN`: forks N children that end and are reaped one after the other.
    case burst(String, count: Int)
    /// `burst-twice A xN`: as burst, from two children at a time.
    case burstTwice(String, count: Int)
    /// `observe-as UID`: the observer loses its rights; 0 gives them back.
    case observeAs(UInt32)
    /// `hidepid N`: the observer's `/proc` is mounted with `hidepid=N`.
    case hideProcesses(Int32)
    /// `ignore c`: ends the subscription, keeps the socket.
    case ignore(socket: String)
    /// `forge c`: another program sends a FORK message to the socket.
    case forge(socket: String)
    /// `sleep 20ms`
    case sleep(Duration)
    /// `clock step=+5s`: the administrator sets the wall clock.
    case stepWallClock(Duration)
    /// `clock suspend=8h`
    case suspend(Duration)
    /// `clock pause=10s`: a hypervisor stops the whole machine.
    case pauseMachine(Duration)
    /// Something that happens to files.
    case files(LitmusFileAction)
}

/// What is looked at, through `Backends` only.
package enum LitmusObservation: Hashable, Sendable {
    /// Something below `/proc/PID`: of a process by name, or within an open directory.
    package enum Base: Hashable, Sendable {
        case process(String)
        case handle(String)
    }

    /// Which part of a file the answer shows.
    package enum Projection: Hashable, Sendable {
        case text
        /// Only how many bytes.
        case size
        /// Only these fields of `stat`, `status` or `/proc/stat`.
        case fields([String])
    }

    /// `open A as d`
    case openDirectory(Base, handle: String)
    /// `open A/stat as f`
    case openFile(ProcessFile, in: Base, handle: String)
    /// `read f [count=N] [size | FIELD...] [as v]`
    case readHandle(String, count: Int?, Projection, label: String?)
    /// `read A/stat [count=N] [size | FIELD...] [as v]`: open, read to the end or once, close.
    case readFile(ProcessFile, in: Base, count: Int?, Projection, label: String?)
    /// `read host/stat FIELD [as v]`
    case readSystem(SystemFile, Projection, label: String?)
    /// `readlink A/exe`
    case readLink(ProcessLink, in: Base)
    /// `status A/exe links`
    case linkStatus(ProcessLink, in: Base)
    /// `open A/exe as f`: the contents of the program
    case openExecutable(in: Base, handle: String)
    /// `status f`: of an open file
    case fileStatus(String)
    /// `image A PROGRAM`: whether the path names, for A, the `same` file as A executes, or an `other` one
    case image(Base, program: [UInt8])
    /// `threads A`
    case threads(Base)
    /// `list`: which processes of the case `/proc` lists.
    case list
    /// `pidfd A as i`
    case pidFDInode(String, label: String?)
    /// `compare a b`
    case compare(String, String)
    /// `listen c [buffer=N]`: opens a connector socket, asks for that much room (else for plenty), subscribes.
    case listen(socket: String, bufferByteCount: Int?)
    /// `recv c [only=fork,exec] [detail]`
    case receive(String, only: [String], isDetailed: Bool)
    /// `drain c`: the order of successes and errors.
    case drain(String)
    /// `tally c [fork] [exit] [lost] ...`
    case tally(String, fields: [String])
    /// `ack c`: the answer to the subscription.
    case acknowledgement(String)
    /// `announce c`: a fence on each processor.
    case announce(String)
    /// `fence N`: a fence on one processor, which need not exist.
    case fence(UInt32)
    /// `room c SIZE`: what the kernel grants for a receive buffer.
    case room(String, byteCount: Int)
    /// `clock order`
    case clockOrder
    /// `clock wall|monotonic|boot|suspended as v`
    case clock(String, label: String?)
    /// `timer 5ms`
    case timer(Duration)
    /// `timers 3ms 1ms 1ms`: in which order they fire.
    case timers([Duration])
    /// `cancel-timer 5ms`
    case cancelTimer(Duration)
    /// `durable read`
    case durableRead
    /// `durable replace TEXT`
    case durableReplace([UInt8])
    /// Something about files.
    case files(LitmusFileObservation)
    /// Something done to or seen of stream sockets.
    case sockets(LitmusSocketStep)
}
