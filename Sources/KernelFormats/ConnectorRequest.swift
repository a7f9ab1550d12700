/// What a listener asks of the proc connector (`enum proc_cn_mcast_op`, `struct proc_input`).
package struct ConnectorRequest: Hashable, Sendable {
    package enum Operation: Hashable, Sendable {
        /// `PROC_CN_MCAST_LISTEN`.
        case listen
        /// `PROC_CN_MCAST_IGNORE`. The kernel counts listeners and never forgets one that dies without this.
        ///
        /// Kernels with masks (6.6 and later) do not acknowledge it: the filter already holds for the answer.
        case ignore
        /// Anything else is acknowledged with `EINVAL`.
        case unknown(UInt32)

        package var rawValue: UInt32 {
            switch self {
            case .listen: 1
            case .ignore: 2
            case .unknown(let value): value
            }
        }

        package init(rawValue: UInt32) {
            switch rawValue {
            case 1: self = .listen
            case 2: self = .ignore
            default: self = .unknown(rawValue)
            }
        }
    }

    package var operation: Operation
    /// The kinds asked for, `nil` for all; only Linux 6.6 and later understand a mask.
    ///
    /// Messages held back by a mask are numbered all the same: with one, gaps no longer tell losses.
    package var mask: ConnectorEventMask?
    /// Comes back in the acknowledgement where the kernel does not number it.
    package var sequence: UInt32
    /// Comes back in the acknowledgement, plus 1.
    package var acknowledgement: UInt32
    /// The sender's port id; 0 lets the kernel fill in the socket's own.
    package var port: UInt32

    package init(
        _ operation: Operation, mask: ConnectorEventMask? = nil, sequence: UInt32 = 0,
        acknowledgement: UInt32 = 0,
        port: UInt32 = 0
    ) {
        self.operation = operation
        self.mask = mask
        self.sequence = sequence
        self.acknowledgement = acknowledgement
        self.port = port
    }
}

extension ConnectorRequest: KernelFormat {
    /// Reads a request as `cn_proc_mcast_ctl` does: 4 bytes are an operation, 8 bytes an operation and a mask.
    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        guard bytes.count >= ConnectorLayout.headersByteCount else {
            throw Self.error(at: bytes.count, .truncated, "36 bytes of headers")
        }
        guard bytes.word(at: 16) == ConnectorLayout.index, bytes.word(at: 20) == ConnectorLayout.value else {
            throw Self.error(at: 16, .foreign, "CN_IDX_PROC and CN_VAL_PROC")
        }
        let length = Int(bytes.word(at: 0))
        guard length <= bytes.count else { throw Self.error(at: bytes.count, .truncated, "nlmsg_len bytes") }
        let dataLength = Int(bytes.halfWord(at: 32))
        guard dataLength == 4 || dataLength == 8 else {
            throw Self.error(at: 32, .malformed, "cn_msg.len 4 or 8")
        }
        guard dataLength <= length - ConnectorLayout.headersByteCount else {
            throw Self.error(at: 32, .malformed, "cn_msg.len within nlmsg_len")
        }
        operation = Operation(rawValue: bytes.word(at: 36))
        mask = dataLength == 8 ? ConnectorEventMask(rawValue: bytes.word(at: 40)) : nil
        sequence = bytes.word(at: 24)
        acknowledgement = bytes.word(at: 28)
        port = bytes.word(at: 12)
    }

    package func append(to bytes: inout [UInt8]) {
        let dataLength = mask == nil ? 4 : 8
        let length = ConnectorLayout.headersByteCount + dataLength
        bytes.append(addingCapacity: length) { bytes in
            NetlinkHeader(byteCount: length, sequence: sequence, port: port).append(to: &bytes)
            bytes.append(word: ConnectorLayout.index)
            bytes.append(word: ConnectorLayout.value)
            bytes.append(word: sequence)
            bytes.append(word: acknowledgement)
            bytes.append(halfWord: UInt16(dataLength))
            bytes.append(halfWord: 0)
            bytes.append(word: operation.rawValue)
            if let mask { bytes.append(word: mask.rawValue) }
        }
    }

    private static func error(at offset: Int, _ reason: FormatError.Reason, _ expected: String) -> FormatError
    {
        FormatError(.connectorRequest, at: offset, reason, expected: expected)
    }
}
