public import EventModel

public import struct SystemPackage.Errno

/// A datagram netlink socket that is already bound to its protocol and groups.
public protocol NetlinkSocket: Sendable {
    /// Sends one message to the kernel.
    func send(_ message: [UInt8]) throws(Errno)

    /// Fills `batch` with the datagrams that are queued, at most `batch.capacity`, without waiting.
    ///
    /// - Throws: `EAGAIN` when none is queued; `ENOBUFS` once after the kernel dropped messages for want of room,
    ///   *before* older messages that are still queued (`netlink(7)`); then call again.
    func receive(into batch: inout DatagramBatch) throws(Errno)

    /// Waits until something is queued, the deadline passes, or ``interrupt()`` is called.
    ///
    /// One waiter at a time. A cancelled task returns at once with `interrupted`.
    func readable(until deadline: Instant?) async -> Readiness

    /// Makes the present or the next ``readable(until:)`` return; callable from any thread.
    func interrupt()

    /// Asks for a receive buffer of `byteCount` and returns what the kernel grants (it doubles the number).
    ///
    /// More than `net.core.rmem_max` takes `CAP_NET_ADMIN`; without it the request is capped, not refused.
    func setReceiveBuffer(byteCount: Int) throws(Errno) -> Int
}

/// Why ``NetlinkSocket/readable(until:)`` returned.
public enum Readiness: Hashable, Sendable {
    case readable, deadlinePassed, interrupted
}

/// Room for datagrams of one receive call, reused from call to call.
public struct DatagramBatch: ~Copyable, Sendable {
    /// Most datagrams per call.
    public let capacity: Int
    /// Bytes kept of each datagram; a longer one is cut and ``Datagram/isTruncated``.
    public let slotByteCount: Int
    /// `capacity` slots of `slotByteCount` bytes each, in order.
    public var bytes: [UInt8]
    public var datagrams: [Datagram]
    /// Whether the socket is known to hold nothing more, neither datagrams nor an error: the call that would say `EAGAIN`
    /// can be saved.
    public var isDrained = false

    public init(capacity: Int, slotByteCount: Int) {
        precondition(capacity > 0 && slotByteCount > 0, "a batch needs room")
        self.capacity = capacity
        self.slotByteCount = slotByteCount
        bytes = Array(repeating: 0, count: capacity * slotByteCount)
        datagrams = []
        datagrams.reserveCapacity(capacity)
    }
}

/// Where one datagram of a ``DatagramBatch`` lies and who sent it.
public struct Datagram: Hashable, Sendable {
    public var byteCount: Int
    /// Sender's port id; 0 is the kernel, anything else a process and not to be believed.
    public var senderPort: UInt32
    public var isTruncated: Bool

    public init(byteCount: Int, senderPort: UInt32, isTruncated: Bool) {
        self.byteCount = byteCount
        self.senderPort = senderPort
        self.isTruncated = isTruncated
    }
}
