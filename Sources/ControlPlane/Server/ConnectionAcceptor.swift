import Backends
import CollectorCore
import EventModel
import Synchronization
import Wire
import WireMessages

import struct SystemPackage.Errno

/// One client of a listener.
protocol ServedClient: AnyObject, Sendable {
    var connection: any TransportConnection { get }
    /// Serves it until either side ends it; returns why, as counted.
    func run() async -> String
    /// Ends what the client has asked for, says why, and closes; callable from any thread.
    func leave(_ reason: String)
}

/// Lets clients in, no more than its limits allow, and serves each in a task of its own.
final class ConnectionAcceptor<Client: ServedClient>: Sendable {
    struct Limits {
        /// Clients at a time.
        var connectionCount: Int
        /// Of one user, except the privileged.
        var connectionCountPerUser: Int
        /// Who is not counted by user: root and our own user.
        var isPrivileged: @Sendable (PeerCredentials) -> Bool
    }

    private struct State {
        var clients: [(number: UInt64, uid: UserID, client: Client)] = []
        var lastNumber: UInt64 = 0
        var goodbye: String?
    }

    /// How long to wait before the next try when there is no room for another connection.
    private static var acceptPause: Duration { .milliseconds(100) }

    let counters = ConnectionCounters()
    private let listener: any TransportListener
    private let path: String
    private let limits: Limits
    private let refusal: [UInt8]
    private let thread: any ExecutionThread
    private let state = Mutex(State())

    /// - Parameters:
    ///   - path: Names the listener in ``WireListenerStatus``.
    ///   - refusal: What a client is sent that is not let in.
    init(
        _ listener: any TransportListener, path: String, limits: Limits, refusal: [UInt8],
        thread: any ExecutionThread
    ) {
        self.listener = listener
        self.path = path
        self.limits = limits
        self.refusal = refusal
        self.thread = thread
    }

    /// Who is connected.
    var clients: [Client] { state.withLock { $0.clients.map(\.client) } }

    /// What the listener has done so far.
    var status: WireListenerStatus {
        let values = counters.values
        var status = WireListenerStatus()
        status.path = path
        status.connections = UInt32(clamping: values.openCount)
        status.accepted = values.acceptedCount
        status.requests = values.requestCount
        status.ended = WireTally(values.ended).entries
        status.bytesReceived = values.receivedByteCount
        status.bytesSent = values.sentByteCount
        return status
    }

    /// Accepts until ``stop(_:)``, then waits until every client has got what it was owed, or has been too slow.
    ///
    /// Runs on the server's thread.
    /// - Parameters:
    ///   - makeClient: Makes the server's side of a connection, and is given its number.
    ///   - forget: Called when a client has left.
    func run(
        makeClient: (any TransportConnection, UInt64) -> Client,
        forget: @escaping @Sendable (Client) -> Void
    ) async {
        await withDiscardingTaskGroup { group in
            while state.withLock({ $0.goodbye == nil }) {
                guard await listener.acceptable(until: nil) == .readable else {
                    if Task.isCancelled { break }
                    continue
                }
                do throws(Errno) {
                    let connection = try listener.accept()
                    guard let (number, client) = admit(connection, makeClient) else { continue }
                    group.addTask(executorPreference: thread) { await self.serve(client, number, forget) }
                } catch .resourceTemporarilyUnavailable {
                    continue
                } catch {
                    counters.refuse(error == .connectionAbort ? "aborted" : "accept_failed")
                    if error != .connectionAbort { await pause() }
                }
            }
            listener.close()
        }
    }

    /// Says goodbye to everybody; callable from any thread.
    func stop(_ reason: String) {
        let clients = state.withLock { state in
            state.goodbye = reason
            return state.clients.map(\.client)
        }
        for client in clients { client.leave(reason) }
        listener.interrupt()
    }

    private func pause() async {
        try? await thread.clock.sleep(until: thread.clock.monotonic.advanced(by: Self.acceptPause))
    }

    private func admit(
        _ connection: any TransportConnection, _ makeClient: (any TransportConnection, UInt64) -> Client
    ) -> (UInt64, Client)? {
        let uid = connection.peer.uid
        let isPrivileged = limits.isPrivileged(connection.peer)
        let result = state.withLock { state -> (UInt64, Client)? in
            let own = state.clients.count { $0.uid == uid }
            guard state.clients.count < limits.connectionCount,
                isPrivileged || own < limits.connectionCountPerUser, state.goodbye == nil
            else { return nil }
            state.lastNumber += 1
            let client = makeClient(connection, state.lastNumber)
            state.clients.append((state.lastNumber, uid, client))
            return (state.lastNumber, client)
        }
        guard let result else {
            counters.refuse("too_many_connections")
            refuse(connection)
            return nil
        }
        counters.begin()
        return result
    }

    /// Says why, if there is room for it, and closes.
    private func refuse(_ connection: any TransportConnection) {
        var sent = 0
        // Without room, the client learns it from the end of the connection alone.
        while sent < refusal.count, let count = try? connection.send(refusal, from: sent) { sent += count }
        connection.close()
    }

    private func serve(
        _ client: Client, _ number: UInt64, _ forget: @Sendable (Client) -> Void
    ) async {
        let reason = await client.run()
        counters.end(reason)
        state.withLock { state in state.clients.removeAll { $0.number == number } }
        forget(client)
    }
}
