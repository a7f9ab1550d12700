package import Backends
import EventModel
import KernelFormats

package import struct SystemPackage.Errno

/// How processes are watched.
package enum ProcessSourceMode: String, Hashable, Sendable, CaseIterable {
    /// Through the proc connector where it answers, else by polling.
    case auto
    /// Through the proc connector, or not at all.
    case connector
    /// By looking at `/proc` from time to time.
    case poll

    /// What came of it.
    package enum Choice<Socket> {
        case connector(Socket)
        /// With the reason, unless polling was asked for.
        case polling(because: String?)
    }

    /// Opens the connector, if this mode wants it, and finds out whether it answers, if the mode leaves a choice.
    ///
    /// Asking takes no time: the kernel answers before the request returns (`cn_proc_mcast_ctl`).
    /// - Throws: What `open` throws where there is no choice, or where the reason may pass.
    package func choose<Socket: NetlinkSocket>(
        ticket: UInt32, opening open: () throws(Errno) -> Socket
    ) throws(Errno) -> Choice<Socket> {
        switch self {
        case .poll: return .polling(because: nil)
        case .connector: return .connector(try open())
        case .auto: break
        }
        let socket: Socket
        do throws(Errno) {
            socket = try open()
        } catch {
            guard !error.mayPass else { throw error }
            return .polling(because: "the proc connector could not be opened (\(error))")
        }
        guard let obstacle = ConnectorProbe(socket, ticket: ticket).obstacle, !obstacle.mayPass else {
            return .connector(socket)
        }
        return .polling(because: obstacle.brief)
    }
}

/// Asks the connector once whether it serves this process.
struct ConnectorProbe {
    private let socket: any NetlinkSocket
    private let ticket: UInt32
    /// Requests before its silence is believed.
    private static let attemptLimit = 4
    /// Calls after which what others have made it say is left in the queue.
    private static let receiveLimit = 1_024

    /// - Parameter ticket: Marks the request; not one that the loop may use next.
    init(_ socket: any NetlinkSocket, ticket: UInt32) {
        self.socket = socket
        self.ticket = ticket
    }

    /// Why it does not; `nil` when it does.
    var obstacle: ProcessSourceError? {
        var problem: ProcessSourceError?
        for _ in 0..<Self.attemptLimit {
            do throws(Errno) {
                try socket.send(ConnectorRequest(.listen, acknowledgement: ticket).bytes)
            } catch {
                problem = .notSent(error)
                if error.mayPass { continue }
                break
            }
            let answer = answer()
            // Whoever takes the socket over begins by asking for himself; failing this, nobody would be told less.
            try? socket.send(ConnectorRequest(.ignore).bytes)
            switch answer {
            case 0: return nil
            case let error?: return .refused(Errno(rawValue: Int32(truncatingIfNeeded: error)))
            case nil: problem = .notServed
            }
        }
        return problem
    }

    /// The error in the acknowledgement, 0 for none; `nil` when none came.
    private func answer() -> UInt32? {
        var batch = DatagramBatch(capacity: 64, slotByteCount: 256)
        for _ in 0..<Self.receiveLimit {
            do throws(Errno) {
                try socket.receive(into: &batch)
            } catch {
                // Said once after messages were dropped, before those that are queued.
                if error == .noBufferSpace { continue }
                return nil
            }
            if let answer = acknowledgement(in: batch) { return answer }
            if batch.isDrained { return nil }
        }
        return nil
    }

    private func acknowledgement(in batch: borrowing DatagramBatch) -> UInt32? {
        let bytes = batch.bytes.span
        for (slot, datagram) in batch.datagrams.enumerated()
        where datagram.senderPort == 0 && !datagram.isTruncated {
            var items = ConnectorDatagramReader(at: slot * batch.slotByteCount, count: datagram.byteCount)
            while let item = nextItem(of: &items, in: bytes) {
                guard case .message(let message) = item, message.acknowledgement == ticket &+ 1,
                    case .acknowledgement(let error) = message.event
                else { continue }
                return error
            }
        }
        return nil
    }

    private func nextItem(
        of items: inout ConnectorDatagramReader, in bytes: Span<UInt8>
    ) -> ConnectorItem? {
        // What makes no sense is no answer; the loop counts it when it meets it.
        try? items.next(in: bytes)
    }
}

extension ProcessSourceError {
    /// The reason alone: what can be done about it is told elsewhere.
    fileprivate var brief: String {
        switch self {
        case .notServed: "the proc connector does not answer"
        case .refused(let error): "the proc connector is refused (\(error))"
        case .notSent(let error): "the proc connector cannot be asked (\(error))"
        case .unlistable(let error): "/proc cannot be listed (\(error))"
        }
    }
}
