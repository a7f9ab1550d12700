import CSimulation
import EventModel

import struct SystemPackage.Errno

/// A process, or a thread of one, that does on this host what it is told.
final class Puppet {
    /// Executing loads this whole program anew, which takes its time on a busy host.
    private static let executionMilliseconds: Int32 = 10_000
    /// Twenty thousand forks take seconds.
    private static let burstMilliseconds: Int32 = 30_000

    /// Its process.
    let process: ProcessID
    /// Its thread: the pid for the first one.
    let task: ProcessID
    private let channel: ChannelDescriptor
    private let pidFD: ChannelDescriptor
    /// Whether the whole process has ended, so that it can be told nothing more.
    var hasEnded = false
    /// Whether its EXIT has been sent, or it has become another one by an exec.
    var isOver = false

    private init(process: ProcessID, task: ProcessID, channel: ChannelDescriptor, pidFD: ChannelDescriptor) {
        self.process = process
        self.task = task
        self.channel = channel
        self.pidFD = pidFD
    }

    /// The first one: it adopts the orphans of all others and has a session of its own.
    static func launch() throws(LitmusFailure) -> Puppet {
        let (pid, channel) = try PuppetSystem.launch()
        let puppet = Puppet(process: pid, task: pid, channel: channel, pidFD: try PuppetSystem.openPIDFD(pid))
        try puppet.ask(CSIM_PUPPET_ADOPT)
        try puppet.startSession()
        try puppet.setComm(Array("root".utf8))
        return puppet
    }

    // MARK: - Life

    func fork(as pid: ProcessID?, inNewNamespace: Bool) throws(LitmusFailure) -> Puppet {
        let (ours, theirs) = try PuppetSystem.makeChannel()
        let verb = inNewNamespace ? CSIM_PUPPET_FORK_IN_NEW_NAMESPACE : CSIM_PUPPET_FORK
        let child = ProcessID(try ask(verb, number(pid?.rawValue ?? 0), passing: theirs))
        return Puppet(process: child, task: child, channel: ours, pidFD: try PuppetSystem.openPIDFD(child))
    }

    func makeThread() throws(LitmusFailure) -> Puppet {
        let (ours, theirs) = try PuppetSystem.makeChannel()
        let thread = ProcessID(try ask(CSIM_PUPPET_THREAD, passing: theirs))
        return Puppet(process: process, task: thread, channel: ours, pidFD: pidFD)
    }

    func exec(_ path: [UInt8], _ arguments: [[UInt8]]) throws(LitmusFailure) {
        try ask(CSIM_PUPPET_EXEC, [path] + arguments, within: Self.executionMilliseconds)
    }

    func execMemoryFile(_ label: [UInt8], _ arguments: [[UInt8]]) throws(LitmusFailure) {
        try ask(CSIM_PUPPET_EXEC_MEMFD, [label] + arguments, within: Self.executionMilliseconds)
    }

    /// The first thread of its process from now on, after an exec by this one.
    func asLeader(of former: Puppet) -> Puppet {
        Puppet(process: process, task: process, channel: channel, pidFD: former.pidFD)
    }

    func exit(_ code: Int32) throws(LitmusFailure) {
        try PuppetSystem.tell(channel, message(CSIM_PUPPET_EXIT, number(code)), to: "exit")
        try waitForEnd()
    }

    func signal(_ signal: Int32) throws(LitmusFailure) {
        try PuppetSystem.signal(pidFD, signal)
        try waitForEnd()
    }

    func exitThread() throws(LitmusFailure) {
        try PuppetSystem.tell(channel, message(CSIM_PUPPET_EXIT_THREAD, []), to: "end a thread")
        if task == process {
            try PuppetSystem.waitForZombie(process)
        } else {
            try PuppetSystem.waitForThreadEnd(task, of: process)
        }
    }

    func reap(_ child: Puppet) throws(LitmusFailure) {
        try ask(CSIM_PUPPET_REAP, number(child.process.rawValue))
    }

    private func waitForEnd() throws(LitmusFailure) {
        try PuppetSystem.waitForEnd(pidFD)
    }

    // MARK: - Attributes

    func setComm(_ comm: [UInt8]) throws(LitmusFailure) { try ask(CSIM_PUPPET_COMM, [comm]) }
    func setUser(_ id: UInt32) throws(LitmusFailure) {
        try ask(CSIM_PUPPET_SETUID, number(Int32(bitPattern: id)))
    }
    func setGroup(_ id: UInt32) throws(LitmusFailure) {
        try ask(CSIM_PUPPET_SETGID, number(Int32(bitPattern: id)))
    }
    func startSession() throws(LitmusFailure) { try ask(CSIM_PUPPET_SETSID) }
    func makeNonDumpable() throws(LitmusFailure) { try ask(CSIM_PUPPET_NOT_DUMPABLE) }
    func overwriteTitle(_ title: [UInt8]) throws(LitmusFailure) { try ask(CSIM_PUPPET_TITLE, [title]) }

    func attach(to tracee: Puppet) throws(LitmusFailure) {
        try ask(CSIM_PUPPET_ATTACH, number(tracee.process.rawValue))
    }

    func detach(from tracee: Puppet) throws(LitmusFailure) {
        try ask(CSIM_PUPPET_DETACH, number(tracee.process.rawValue))
    }

    // MARK: - Sockets

    /// Connects to a listener; the error, if there is one, is the kernel's answer.
    func connect(to path: [UInt8]) throws(LitmusFailure) -> Errno? {
        try attempt(CSIM_PUPPET_CONNECT, [path])
    }

    /// Sends a text with a descriptor along.
    func sendDescriptor(with text: [UInt8]) throws(LitmusFailure) -> Errno? {
        try attempt(CSIM_PUPPET_SEND_DESCRIPTOR, [text])
    }

    private func attempt(_ verb: csim_puppet_verb, _ fields: [[UInt8]]) throws(LitmusFailure) -> Errno? {
        PuppetSystem.attempt(channel, try message(verb, fields))
    }

    // MARK: - Many at once

    func burst(_ count: Int) throws(LitmusFailure) {
        try ask(CSIM_PUPPET_BURST, number(Int32(clamping: count)), within: Self.burstMilliseconds)
    }

    func burstTwice(_ count: Int) throws(LitmusFailure) {
        try ask(CSIM_PUPPET_BURST_TWICE, number(Int32(clamping: count)), within: Self.burstMilliseconds)
    }

    // MARK: - Teardown, where a puppet that is gone already is as good

    func kill() { try? PuppetSystem.signal(pidFD, 9) }
    func reapAll() { _ = try? ask(CSIM_PUPPET_REAP_ALL) }
    func reapFromHere() { PuppetSystem.reapChild(process) }

    // MARK: - Messages

    @discardableResult
    private func ask(
        _ verb: csim_puppet_verb, _ fields: [[UInt8]] = [], passing passed: ChannelDescriptor? = nil,
        within milliseconds: Int32 = LitmusLimits.actionMilliseconds
    ) throws(LitmusFailure) -> Int32 {
        let purpose = "have a process act (verb \(verb.rawValue))"
        return try PuppetSystem.request(
            channel, message(verb, fields), passing: passed, within: milliseconds, to: purpose)
    }

    private func message(_ verb: csim_puppet_verb, _ fields: [[UInt8]]) throws(LitmusFailure) -> [UInt8] {
        var bytes = [UInt8(truncatingIfNeeded: verb.rawValue)]
        for field in fields {
            guard !field.contains(0) else { throw LitmusFailure("a text of an action holds a NUL") }
            bytes += field + [0]
        }
        return bytes
    }

    private func number(_ number: Int32) -> [[UInt8]] { [Array(String(number).utf8)] }
}
