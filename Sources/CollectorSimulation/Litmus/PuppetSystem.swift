import CSimulation
import EventModel

import struct SystemPackage.Errno

/// The calls to `puppet.c`, one function each: all unsafe code of the suite is here.
enum PuppetSystem {
    /// Why puppets cannot act on this host; `nil` when they can.
    static var obstacle: String? {
        switch csim_real_kernel_obstacle() {
        case CSIM_OBSTACLE_NONE: nil
        case CSIM_OBSTACLE_NOT_ROOT: "it takes root"
        case CSIM_OBSTACLE_CAPABILITIES:
            "it takes the capabilities kill, setuid, setgid, sys_ptrace and sys_admin"
        default: "it takes the initial pid and user namespaces, not those of a container"
        }
    }

    /// Starts the first puppet and returns its pid and channel.
    static func launch() throws(LitmusFailure) -> (ProcessID, ChannelDescriptor) {
        var channel: Int32 = -1
        let pid = unsafe try checked(csim_puppet_launch(&channel), "start a puppet")
        return (ProcessID(pid), ChannelDescriptor(channel))
    }

    static func makeChannel() throws(LitmusFailure) -> (ours: ChannelDescriptor, theirs: ChannelDescriptor) {
        var ours: Int32 = -1
        var theirs: Int32 = -1
        unsafe try checked(csim_puppet_channel(&ours, &theirs), "make a channel")
        return (ChannelDescriptor(ours), ChannelDescriptor(theirs))
    }

    /// Sends a request, with a descriptor if the verb takes one, and waits for the answer.
    static func request(
        _ channel: ChannelDescriptor, _ request: [UInt8], passing passed: ChannelDescriptor? = nil,
        within milliseconds: Int32 = LitmusLimits.actionMilliseconds, to purpose: String
    ) throws(LitmusFailure) -> Int32 {
        var value: Int32 = 0
        let result = unsafe csim_puppet_request(
            channel.rawValue, request, Int32(request.count), passed?.rawValue ?? -1, milliseconds, &value)
        try checked(result, purpose)
        return value
    }

    /// Sends a request whose failure is an answer.
    static func attempt(_ channel: ChannelDescriptor, _ request: [UInt8]) -> Errno? {
        var value: Int32 = 0
        let result = unsafe csim_puppet_request(
            channel.rawValue, request, Int32(request.count), -1, LitmusLimits.actionMilliseconds, &value)
        return result < 0 ? Errno(rawValue: -result) : nil
    }

    static func tell(_ channel: ChannelDescriptor, _ request: [UInt8], to purpose: String)
        throws(LitmusFailure)
    {
        unsafe try checked(csim_puppet_tell(channel.rawValue, request, Int32(request.count)), purpose)
    }

    static func openPIDFD(_ pid: ProcessID) throws(LitmusFailure) -> ChannelDescriptor {
        ChannelDescriptor(try checked(csim_pidfd_open(pid.rawValue), "open a pidfd"))
    }

    static func signal(_ pidFD: ChannelDescriptor, _ signal: Int32) throws(LitmusFailure) {
        try checked(csim_pidfd_signal(pidFD.rawValue, signal), "send signal \(signal)")
    }

    static func waitForEnd(_ pidFD: ChannelDescriptor) throws(LitmusFailure) {
        try checked(
            csim_process_wait_end(pidFD.rawValue, LitmusLimits.actionMilliseconds), "see a process end")
    }

    static func waitForZombie(_ pid: ProcessID) throws(LitmusFailure) {
        try checked(
            csim_process_wait_zombie(pid.rawValue, LitmusLimits.actionMilliseconds), "see a leader end")
    }

    static func waitForThreadEnd(_ tid: ProcessID, of pid: ProcessID) throws(LitmusFailure) {
        try checked(
            csim_thread_wait_end(pid.rawValue, tid.rawValue, LitmusLimits.actionMilliseconds),
            "see a thread end")
    }

    static func reapChild(_ pid: ProcessID) {
        // Teardown: a puppet that cannot be reaped is init's once this process ends.
        _ = csim_reap_child(pid.rawValue, LitmusLimits.actionMilliseconds)
    }

    /// The release of this kernel, such as `6.1.0-18-amd64`.
    static var kernelRelease: String {
        var text = [CChar](repeating: 0, count: 65)
        guard unsafe csim_kernel_release(&text, Int32(text.count)) == 0 else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Lets a millisecond pass on the real clock.
    static func pause() { csim_sleep_milliseconds(1) }

    static func close(_ descriptor: Int32) { _ = csim_close(descriptor) }

    static func observe(as uid: UInt32) throws(LitmusFailure) {
        try checked(csim_observe_as(uid), "look as user \(uid)")
    }

    static func stopObserving() { _ = csim_observe_as(0) }

    static func hideProcesses(_ mode: Int32) throws(LitmusFailure) {
        try checked(csim_hide_processes(mode), "mount /proc with hidepid=\(mode)")
    }

    static func forge(_ message: [UInt8]) throws(LitmusFailure) {
        let count = unsafe try checked(csim_forge_connector(message, Int32(message.count)), "forge a message")
        guard count > 0 else { throw LitmusFailure("no connector socket to forge a message for") }
    }

    static func makeScratch() throws(LitmusFailure) -> String {
        var path = Array("/tmp/collector-litmus-XXXXXX\0".utf8CString.dropLast())
        unsafe try checked(csim_make_scratch(&path), "make a folder in /tmp")
        return String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func copyProgram(to path: [UInt8]) throws(LitmusFailure) {
        try withPath(path) { (path) throws(LitmusFailure) in
            unsafe try checked(csim_copy_program(path), "copy this program")
        }
    }

    static func unlink(_ path: [UInt8]) throws(LitmusFailure) {
        try withPath(path) { (path) throws(LitmusFailure) in unsafe try checked(csim_unlink(path), "unlink") }
    }

    static func removeFolder(_ path: [UInt8]) throws(LitmusFailure) {
        try withPath(path) { (path) throws(LitmusFailure) in
            unsafe try checked(csim_remove_folder(path), "remove a folder")
        }
    }

    private static func withPath(
        _ path: [UInt8], _ body: ([CChar]) throws(LitmusFailure) -> Void
    ) throws(LitmusFailure) {
        guard !path.contains(0) else { throw LitmusFailure("a path holds a NUL") }
        try body(path.map { CChar(bitPattern: $0) } + [0])
    }

    @discardableResult
    private static func checked(_ result: Int32, _ purpose: String) throws(LitmusFailure) -> Int32 {
        guard result >= 0 else { throw LitmusFailure("could not \(purpose): errno \(-result)") }
        return result
    }
}

/// A descriptor that is closed with its last owner.
final class ChannelDescriptor {
    let rawValue: Int32

    init(_ rawValue: Int32) { self.rawValue = rawValue }

    deinit { PuppetSystem.close(rawValue) }
}
