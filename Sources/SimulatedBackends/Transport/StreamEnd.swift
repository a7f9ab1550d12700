import Backends
import DequeModule

import struct SystemPackage.Errno

/// The kernel's side of one end of a connection (`struct unix_sock`, `net/unix/af_unix.c`).
final class StreamEnd {
    /// One buffer of the kernel (`struct sk_buff`): what one call sent, or a part of it.
    private struct Piece {
        var bytes: ArraySlice<UInt8>
        /// What it takes of the sender's buffer until its last byte has been received.
        let truesize: Int
        /// A descriptor came along, which the first receive closes, and then receives no more (`unix_detach_fds`).
        var hasDescriptor: Bool
    }

    /// Who is at the other end (`sk_peer_pid`, `sk_peer_cred`): never changes.
    let peerCredentials: PeerCredentials
    /// Whether the collector holds its descriptor.
    let isOwn: Bool
    let waits = WaitPoint()
    private let sendBuffer: Int
    private weak var peer: StreamEnd?
    private var received: Deque<Piece> = []
    /// `sk_wmem_alloc`: what the pieces take that the peer has not received.
    private var unreadTruesize = 0
    private var isReceiveShut = false
    private var isSendShut = false
    /// `sk_err`: told once, when nothing is left to be received.
    private var error: Errno?
    private(set) var isOpen = true
    /// What the task that waits is waiting for.
    private var interest: TransportInterest = []

    private init(peer: PeerCredentials, isOwn: Bool, sendBuffer: Int) {
        peerCredentials = peer
        self.isOwn = isOwn
        self.sendBuffer = sendBuffer
    }

    /// Two ends that are connected.
    static func pair(
        client: PeerCredentials, server: PeerCredentials, isServerOwn: Bool, sendBuffer: Int
    ) -> (client: StreamEnd, server: StreamEnd) {
        let clientEnd = StreamEnd(peer: server, isOwn: false, sendBuffer: sendBuffer)
        let serverEnd = StreamEnd(peer: client, isOwn: isServerOwn, sendBuffer: sendBuffer)
        clientEnd.peer = serverEnd
        serverEnd.peer = clientEnd
        return (clientEnd, serverEnd)
    }

    // MARK: Bytes

    /// `unix_stream_read_generic`.
    func receive(_ count: Int, into bytes: inout [UInt8]) throws(Errno) -> Int {
        guard isOpen else { throw .socketNotConnected }
        guard !received.isEmpty else {
            if let error = error.take() { throw error }
            if isReceiveShut { return 0 }
            throw .resourceTemporarilyUnavailable
        }
        var room = count
        while room > 0, !received.isEmpty {
            let part = received[0].bytes.prefix(room)
            bytes += part
            room -= part.count
            received[0].bytes = received[0].bytes.dropFirst(part.count)
            let isBorder = received[0].hasDescriptor
            received[0].hasDescriptor = false
            if received[0].bytes.isEmpty {
                let piece = received.removeFirst()
                peer?.release(piece.truesize)
            }
            // Messages with descriptors are never glued to what follows.
            if isBorder { break }
        }
        return count - room
    }

    /// `unix_stream_sendmsg`: piece by piece, as long as the pieces before leave anything of the buffer.
    func send(_ bytes: ArraySlice<UInt8>, withDescriptor hasDescriptor: Bool = false) throws(Errno) -> Int {
        guard isOpen else { throw .socketNotConnected }
        var rest = bytes
        while !rest.isEmpty {
            guard !isSendShut, let peer else {
                if rest.count < bytes.count { break }
                throw .brokenPipe
            }
            guard unreadTruesize < sendBuffer else { break }
            let part = rest.prefix(Self.greatestPiece(ofBuffer: sendBuffer))
            rest = rest.dropFirst(part.count)
            // It goes with the first piece.
            let piece = Piece(
                bytes: part, truesize: Self.truesize(of: part.count),
                hasDescriptor: hasDescriptor && part.startIndex == bytes.startIndex)
            unreadTruesize += piece.truesize
            peer.received.append(piece)
            peer.noticeChange()
        }
        guard rest.count < bytes.count else { throw .resourceTemporarilyUnavailable }
        return bytes.count - rest.count
    }

    private func release(_ truesize: Int) {
        unreadTruesize -= truesize
        noticeChange()
    }

    // MARK: Ending

    /// `shutdown(2)` with `SHUT_WR`: the peer receives what was sent, then the end.
    func shutDownSending() {
        isSendShut = true
        peer?.isReceiveShut = true
        peer?.noticeChange()
    }

    /// `unix_release_sock`.
    ///
    /// - Parameter isUnaccepted: Nobody took it out of the listener's queue.
    func close(isUnaccepted: Bool = false) {
        guard isOpen else { return }
        isOpen = false
        if let peer {
            peer.isReceiveShut = true
            peer.isSendShut = true
            if !received.isEmpty || isUnaccepted { peer.error = .connectionReset }
            // What is thrown away unread no longer takes the sender's buffer.
            peer.unreadTruesize = 0
        }
        received = []
        waits.wake(.readable)
        peer?.noticeChange()
    }

    /// The process at the other end has ended.
    func endPeer() { peer?.close() }

    // MARK: Waiting

    /// Notes what is waited for, and says whether it is there (`unix_poll`); what is closed is broken.
    func condition(for interest: TransportInterest) -> WaitCondition {
        self.interest = interest
        return isReady ? .ready : .pending
    }

    private var isReady: Bool {
        if !isOpen || error != nil || (isReceiveShut && isSendShut) { return true }
        if interest.contains(.receiving), !received.isEmpty || isReceiveShut { return true }
        // `unix_writable`: not before three quarters of the buffer are free.
        return interest.contains(.sending) && unreadTruesize * 4 <= sendBuffer
    }

    private func noticeChange() {
        if isReady { waits.wake(.readable) }
    }
}

// MARK: - What bytes take of a buffer

extension StreamEnd {
    private static let page = 4_096
    /// `SKB_MAX_HEAD(0)`: a page without `struct skb_shared_info`.
    private static let greatestHead = page - sharedInfo
    private static let sharedInfo = 320
    /// `UNIX_SKB_FRAGS_SZ`.
    private static let greatestFragments = 32_768
    /// `struct sk_buff`, aligned.
    private static let descriptor = 256
    private static let cacheLine = 64

    /// The longest piece that a call makes.
    private static func greatestPiece(ofBuffer sendBuffer: Int) -> Int {
        max(1, min(sendBuffer / 2 - 64, greatestHead + greatestFragments))
    }

    /// `skb->truesize` of a piece: a head from the slabs of powers of two, and pages for what lies beyond a page
    /// (measured on Linux 6.18: the byte counts that fill a buffer agree for pieces of 1 byte to 1 MiB).
    static func truesize(of byteCount: Int) -> Int {
        var paged = max(0, byteCount - greatestHead)
        if paged > 0 { paged = min(byteCount, (paged + page - 1) / page * page) }
        let head = (byteCount - paged + cacheLine - 1) / cacheLine * cacheLine + sharedInfo
        var slab = 512
        while slab < head { slab *= 2 }
        return descriptor + slab + (paged + page - 1) / page * page
    }
}
