import CLinux
import EventModel

import struct SystemPackage.Errno

/// One `epoll(7)` instance, with an event counter that ends a wait from another thread.
struct Poller: ~Copyable, Sendable {
    /// The most reports of one wait.
    static let reportCount = 64
    private static let wakeUpData = UInt64.max

    private let epoll: OwnedDescriptor
    private let counter: OwnedDescriptor

    init() throws(Errno) {
        let epoll = OwnedDescriptor(adopting: try Syscall.check { clinux_epoll_create() })
        let counter = try Syscall.openEventCounter()
        // Edge-triggered, so that the counter need never be read.
        let (instance, descriptor) = (epoll.rawValue, counter.rawValue)
        _ = try Syscall.check { clinux_epoll_add_edge(instance, descriptor, Self.wakeUpData) }
        self.epoll = epoll
        self.counter = counter
    }

    /// Ends the present or the next wait; callable from any thread.
    func wakeUp() {
        _ = Syscall.infallible("write", clinux_eventfd_signal(counter.rawValue))
    }

    /// Makes `descriptor` known, so that it can be armed.
    ///
    /// - Throws: `EPERM` when it cannot be polled, `ENOSPC` or `ENOMEM` at the limits of epoll(7).
    func add(_ descriptor: Int32, data: UInt64) throws(Errno) {
        precondition(data != Self.wakeUpData, "this value stands for the event counter")
        let epoll = epoll.rawValue
        _ = try Syscall.check { clinux_epoll_add_disarmed(epoll, descriptor, data) }
    }

    /// Asks for one report when `descriptor` is ready for one of `events` or broken, now or later; callable from any
    /// thread.
    func arm(_ descriptor: Int32, for events: PollEvents, data: UInt64) {
        _ = Syscall.infallible(
            "epoll_ctl", clinux_epoll_arm(epoll.rawValue, descriptor, events.rawValue, data))
    }

    func remove(_ descriptor: Int32) {
        _ = Syscall.infallible("epoll_ctl", clinux_epoll_remove(epoll.rawValue, descriptor))
    }

    /// Waits and replaces `reports` with the data of the descriptors that are ready.
    ///
    /// - Parameter timeout: In nanoseconds; `nil` for no limit. Never ends early except for a report or a signal.
    func wait(timeout: Int64?, into reports: inout [UInt64]) {
        reports.removeAll(keepingCapacity: true)
        let epoll = epoll.rawValue
        reports.append(addingCapacity: Self.reportCount) { span in
            unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount in
                guard let address = buffer.baseAddress else { return }
                let count = unsafe clinux_epoll_wait(
                    epoll, Int32(Self.reportCount), address, timeout.map { max($0, 0) } ?? -1)
                precondition(count >= 0 || count == -4, "epoll_pwait2 failed")
                initializedCount = max(Int(count), 0)
            }
        }
        reports.removeAll { $0 == Self.wakeUpData }
    }
}

/// What a descriptor is watched for, beside being broken.
struct PollEvents: OptionSet, Sendable {
    let rawValue: UInt32

    /// Something to read, or the end.
    static let readable = PollEvents(rawValue: UInt32(CLINUX_POLL_READABLE.rawValue))
    /// Room to write.
    static let writable = PollEvents(rawValue: UInt32(CLINUX_POLL_WRITABLE.rawValue))
}

extension Syscall {
    /// Opens an event counter (`eventfd(2)`).
    static func openEventCounter() throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(adopting: try check { clinux_eventfd() })
    }
}
