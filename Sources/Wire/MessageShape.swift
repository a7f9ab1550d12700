/// Counts the elements of a message of a client before it is decoded, so that a small frame cannot become a large value.
///
/// An element is a field, or a number of a packed list. Fields that are not known are counted and not entered; groups,
/// which no version of the protocol has, are refused.
package enum MessageShape {
    /// The most elements of a message.
    package static let elementLimit = 4_096
    /// The deepest nesting that is decoded.
    package static let depthLimit = 16

    /// What lies in a field that is not a single value.
    private indirect enum Content {
        case numbers
        case message([UInt64: Content])
    }

    /// Field numbers of `collector.proto`, as far as they hold lists of numbers or messages.
    private static let client: [UInt64: Content] = {
        let run = Content.message([:])
        let filter = Content.message([2: .numbers, 3: .numbers])
        let position = Content.message([1: run, 2: .message([:])])
        let processFilter = Content.message([1: .numbers, 2: .numbers])
        return [
            2: .message([1: .numbers]),
            3: .message([:]), 4: .message([:]), 5: .message([:]),
            6: .message([1: filter, 2: position]),
            7: .message([:]), 8: .message([:]),
            9: .message([2: processFilter, 3: .message([:]), 4: .message([:])]),
            10: .message([:]),
        ]
    }()

    /// Field numbers of `daemoneye.proto`, likewise.
    private static let detectionTask: [UInt64: Content] = [
        3: .message([2: .numbers]), 4: .message([:]), 6: .message([:]), 7: .message([:]),
        8: .message([3: .message([:]), 4: .message([:])]),
    ]
    private static let capabilityRequest: [UInt64: Content] = [2: .numbers]

    /// - Throws: ``MessageDefect`` when the bytes are no message, or hold too much.
    package static func checkClientMessage(_ payload: Span<UInt8>) throws(MessageDefect) {
        try check(payload, client)
    }

    /// As ``checkClientMessage(_:)``, for a `DetectionTask` of `daemoneye.proto`.
    static func checkDetectionTask(_ payload: Span<UInt8>) throws(MessageDefect) {
        try check(payload, detectionTask)
    }

    /// As ``checkClientMessage(_:)``, for a `CapabilityRequest` of `daemoneye.proto`.
    static func checkCapabilityRequest(_ payload: Span<UInt8>) throws(MessageDefect) {
        try check(payload, capabilityRequest)
    }

    private static func check(_ payload: Span<UInt8>, _ contents: [UInt64: Content]) throws(MessageDefect) {
        var count = 0
        try walk(payload, 0..<payload.count, contents, &count)
    }

    private static func walk(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ contents: [UInt64: Content], _ count: inout Int
    ) throws(MessageDefect) {
        var steps = FieldSteps(range)
        while let field = try steps.next(in: bytes) {
            try enter(1, &count)
            guard field.encoding == .bytes, let content = contents[field.number] else { continue }
            switch content {
            case .numbers: try enter(numberCount(bytes, field.content), &count)
            case .message(let contents): try walk(bytes, field.content, contents, &count)
            }
        }
    }

    private static func enter(_ elements: Int, _ count: inout Int) throws(MessageDefect) {
        count += elements
        guard count <= elementLimit else { throw .tooManyElements }
    }

    private static func numberCount(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var count = 0
        for place in range where bytes[place] < 0x80 { count += 1 }
        return count
    }
}

/// Why the bytes of a frame are no message that is accepted.
package enum MessageDefect: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not what `protoc` would write for any message.
    case malformed
    /// More than ``MessageShape/elementLimit``.
    case tooManyElements

    /// The reason in counters.
    package var label: String {
        switch self {
        case .malformed: "message_malformed"
        case .tooManyElements: "message_too_large"
        }
    }

    package var description: String {
        switch self {
        case .malformed: "bytes that are no message of this protocol"
        case .tooManyElements: "a message of more than \(MessageShape.elementLimit) elements"
        }
    }
}
