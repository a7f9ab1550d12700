import Backends
import EventModel
import Wire

import struct SystemPackage.Errno

/// The bytes of one client: frames that arrive, and what waits for it to be taken.
///
/// Touched by the connection's own task only.
struct ConnectionBytes {
    /// Bytes that wait for a client at which no more of it is listened to.
    static let outputByteCount = 64 << 10

    private let connection: any TransportConnection
    private let counters: ConnectionCounters
    private var reader: FrameReader
    private var sentCount = 0
    /// Frames that wait for the client, the first one in part.
    var output: [UInt8] = []
    /// The client has closed its sending side.
    private(set) var isPeerDone = false
    /// Set when nothing but what waits shall be sent any more: why, as counted.
    private(set) var closingLabel: String?

    init(_ connection: any TransportConnection, checksum: Checksum, counters: ConnectionCounters) {
        self.connection = connection
        self.counters = counters
        reader = FrameReader(payloadLimit: Frame.clientPayloadByteCount, checksum: checksum)
    }

    /// Whether as much waits for the client as may.
    var isFull: Bool { output.count >= Self.outputByteCount }

    /// Whether a frame has begun that has not ended.
    var isWithinFrame: Bool { reader.isWithinFrame }

    /// Nothing shall be added to what waits; the first reason given is why.
    mutating func end(_ label: String) { closingLabel = closingLabel ?? label }

    /// Throws away what waits.
    mutating func discardOutput() {
        output = []
        sentCount = 0
    }

    /// Takes what has arrived, at most one chunk.
    ///
    /// - Returns: Whether there was something, be it the end.
    mutating func receive() throws(Errno) -> Bool {
        do throws(Errno) {
            let connection = connection
            let count = try reader.fill { (count, buffer) throws(Errno) in
                try connection.receive(count: count, into: &buffer)
            }
            if count == 0 { isPeerDone = true }
            counters.add(received: count)
            return true
        } catch .resourceTemporarilyUnavailable {
            return false
        }
    }

    /// The next payload that has arrived entire, counted as a request.
    mutating func nextPayload() throws(FrameError) -> [UInt8]? {
        guard let payload = try reader.next() else { return nil }
        counters.addRequest()
        return payload
    }

    /// Hands over what there is room for.
    ///
    /// - Returns: Whether some of it went, and whether some of it is left.
    mutating func send() throws(Errno) -> (hasMoved: Bool, isStuck: Bool) {
        let before = sentCount
        var isStuck = false
        while !isStuck, sentCount < output.count {
            do throws(Errno) {
                sentCount += try connection.send(output, from: sentCount)
            } catch .resourceTemporarilyUnavailable {
                isStuck = true
            }
        }
        let moved = sentCount - before
        counters.add(sent: moved)
        if !isStuck {
            output.removeAll(keepingCapacity: output.capacity <= Self.outputByteCount)
            sentCount = 0
        }
        return (moved > 0, isStuck)
    }
}
