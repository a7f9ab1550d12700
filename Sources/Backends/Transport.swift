public import EventModel

public import struct SystemPackage.Errno

/// A stream socket that waits for clients (`unix(7)`).
///
/// Accepted connections wait on the same thread.
public protocol TransportListener: Sendable {
    /// Takes the first client of the queue, without waiting (`accept4(2)`).
    ///
    /// - Throws: `EAGAIN` when nobody is there; `ECONNABORTED` for one who has left; `EMFILE`, `ENFILE`,
    ///   `ENOBUFS`, `ENOMEM` while
    ///   there is no room: the client stays in the queue, so that ``acceptable(until:)`` returns at once, and
    ///   the caller must pause. `ENOTCONN` after ``close()``.
    func accept() throws(Errno) -> any TransportConnection

    /// Waits until a client is there, the deadline passes, or ``interrupt()`` is called.
    ///
    /// One waiter at a time. A cancelled task returns at once with `interrupted`.
    func acceptable(until deadline: Instant?) async -> Readiness

    /// Makes the present or the next ``acceptable(until:)`` return; callable from any thread.
    func interrupt()

    /// Stops listening and removes the socket's name if it is still its own; clients of the queue are
    /// refused. A wait ends with `readable`.
    func close()
}

/// One end of a connection: an ordered stream of bytes in each direction.
///
/// Descriptors that a peer sends along (`SCM_RIGHTS`) are never taken.
public protocol TransportConnection: Sendable {
    /// Who connected, or whose listener accepted, frozen at that time (`SO_PEERCRED`): the process may have
    /// ended since.
    var peer: PeerCredentials { get }

    /// Appends at most `count` bytes of what has arrived, without waiting (`recv(2)`).
    ///
    /// - Returns: How many; 0 when the peer will send no more.
    /// - Throws: `EAGAIN` when nothing is there, `ECONNRESET` when the peer closed without reading
    ///   everything.
    func receive(count: Int, into bytes: inout [UInt8]) throws(Errno) -> Int

    /// Hands over what there is room for of `bytes` from `offset` on, without waiting (`send(2)`, no
    /// `SIGPIPE`).
    ///
    /// - Returns: How many bytes; 1 or more.
    /// - Throws: `EAGAIN` when there is no room, `EPIPE` when the peer has closed, `ECONNRESET`.
    func send(_ bytes: [UInt8], from offset: Int) throws(Errno) -> Int

    /// Waits until one of what is asked for is possible, or broken, the deadline passes, or ``interrupt()``
    /// is called.
    ///
    /// Linux announces room for bytes only when three quarters of the buffer are free, though a send succeeds
    /// before; a peer that only sends no more does not break the connection.
    ///
    /// One waiter at a time. A cancelled task returns at once with `interrupted`.
    ///
    /// - Parameters:
    ///   - interest: May be empty: then only the deadline, an interruption or a broken connection ends the wait.
    ///   - deadline: On the monotonic clock; `nil` for none.
    func ready(for interest: TransportInterest, until deadline: Instant?) async -> Readiness

    /// Makes the present or the next ``ready(for:until:)`` return; callable from any thread.
    func interrupt()

    /// Ends both directions; what was sent still arrives. A wait ends with `readable`, and so do later ones;
    /// other calls then throw `ENOTCONN`. Closing again does nothing.
    func close()
}

/// Reaches one listener.
public protocol TransportConnector: Sendable {
    /// Connects, without waiting (`connect(2)`).
    ///
    /// - Throws: `ENOENT` when there is no such socket, `ECONNREFUSED` when nobody listens there, `EAGAIN`
    ///   when the listener's queue is
    ///   full, `EACCES` without the right to write to the socket, `EMFILE`, `ENFILE`, `ENOMEM`.
    func connect() throws(Errno) -> any TransportConnection
}

/// What a connection is waited for.
public struct TransportInterest: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Bytes, or the end of the stream.
    public static let receiving = TransportInterest(rawValue: 1)
    /// Room for bytes.
    public static let sending = TransportInterest(rawValue: 2)
}

/// The process at the other end, as the kernel knew it when the connection was made (`SO_PEERCRED`,
/// `SO_PEERGROUPS`).
public struct PeerCredentials: Hashable, Sendable {
    /// Its pid in our pid namespace, 0 when it has none there; it may belong to another process by now.
    public var pid: ProcessID
    /// Its effective user id.
    public var uid: UserID
    /// Its effective group id.
    public var gid: GroupID
    /// Its supplementary groups, in ascending order.
    public var groups: [GroupID]

    public init(pid: ProcessID, uid: UserID, gid: GroupID, groups: [GroupID]) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }
}
