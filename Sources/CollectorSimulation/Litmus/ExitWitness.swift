import Backends
import EventModel
import KernelFormats
import LinuxBackends

import struct SystemPackage.Errno

/// Tells when the EXIT of a task has been sent.
///
/// The kernel wakes a waiting parent, and removes a thread from `/proc`, before it sends the message (`do_exit` in
/// `kernel/exit.c`): only the message itself proves that it is in every listener's queue.
final class ExitWitness {
    private static let patience: Duration = .milliseconds(Int64(LitmusLimits.actionMilliseconds))

    private let observer: ConnectorObserver
    private let clock: any SystemClock
    private var seen: Set<ProcessID> = []

    /// Subscribes; to be made before the case begins.
    init(on thread: LinuxThread) throws(Errno) {
        observer = try ConnectorObserver(LinuxConnectorSocket(on: thread), bufferByteCount: nil)
        clock = thread.clock
    }

    /// Forgets an earlier task with this id.
    func expect(_ task: ProcessID) { seen.remove(task) }

    /// Waits until all these tasks have been told to have ended, or the messages have overrun.
    func wait(for tasks: [ProcessID]) async throws(LitmusFailure) {
        let deadline = clock.monotonic.advanced(by: Self.patience)
        while true {
            if try take() { return }
            if tasks.allSatisfy(seen.contains) { return }
            guard clock.monotonic < deadline else { throw LitmusFailure("an EXIT message did not come") }
            await observer.waitForMore(until: deadline)
        }
    }

    /// Notes what is queued.
    ///
    /// - Returns: Whether messages were lost, so that nothing is proved.
    private func take() throws(LitmusFailure) -> Bool {
        let news: ConnectorObserver.News
        do throws(Errno) { news = try observer.receiveQueued() } catch {
            throw LitmusFailure("cannot receive: \(error.symbol)")
        }
        for message in news.messages {
            switch message.event {
            case .fork(_, let child): seen.remove(child.tid)
            case .exit(let task, _, _, _): seen.insert(task.tid)
            default: continue
            }
        }
        return news.items.contains { if case .overrun = $0 { true } else { false } }
    }

    /// Ends the subscription: the kernel never notices that a listener has died.
    func stop() { try? observer.ignore() }
}
