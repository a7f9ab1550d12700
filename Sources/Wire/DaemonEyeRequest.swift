import SwiftProtobuf
package import WireMessages

/// What a client of the DaemonEye protocol has sent: messages there are bare, and only their shape tells which one it is.
///
/// The rule, on fields of the message itself:
/// - field 2 as bytes (a packed list of domains) makes a `CapabilityRequest`;
/// - field 2 as one number (a task type), or any of the fields 4 to 8, makes a `DetectionTask`;
/// - with neither, it is a `DetectionTask` of type 0, which is not written: a `CapabilityRequest` names a domain at least.
///   Its field 3 must then be a `ProcessFilter`, which no text of printable characters is.
///
/// Whatever breaks the rule, or satisfies both sides of it, is ``unclear(taskID:reason:)``.
package enum DaemonEyeRequest: Hashable, Sendable {
    case task(DaemonEyeDetectionTask)
    case capabilities(DaemonEyeCapabilityRequest)
    /// Neither of them for sure; `taskID` is field 1, if that is text.
    case unclear(taskID: String, reason: String)

    /// - Throws: ``MessageDefect`` when the bytes are no message at all, or hold too much.
    package init(parsing payload: [UInt8]) throws(MessageDefect) {
        let signs = try Signs(payload.span)
        if let reason = signs.contradiction {
            self = .unclear(taskID: signs.taskID, reason: reason)
        } else if signs.hasDomains {
            try MessageShape.checkCapabilityRequest(payload.span)
            self = .capabilities(try Self.decode(payload))
        } else if !signs.isProcessFilter {
            self = .unclear(taskID: signs.taskID, reason: Self.noProcessFilter)
        } else {
            try MessageShape.checkDetectionTask(payload.span)
            self = .task(try Self.decode(payload))
        }
    }

    private static let noProcessFilter =
        "field 3 is no ProcessFilter that is known here; a CapabilityRequest names its domains in field 2, packed"

    private static func decode<Content: Message>(_ payload: [UInt8]) throws(MessageDefect) -> Content {
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = MessageShape.depthLimit
        options.discardUnknownFields = true
        do {
            return try Content(serializedBytes: payload, options: options)
        } catch {
            throw .malformed
        }
    }
}

/// What the fields of a message say about its type.
private struct Signs {
    private(set) var taskID = ""
    private(set) var hasDomains = false
    /// Whether every field 3 reads as a `ProcessFilter`.
    private(set) var isProcessFilter = true
    private var taskTypeCount = 0
    private var hasTaskFields = false
    private var isEmpty = true
    private var strangeField: UInt64?

    init(_ payload: Span<UInt8>) throws(MessageDefect) {
        var steps = FieldSteps(0..<payload.count)
        var count = 0
        while let field = try steps.next(in: payload) {
            count += 1
            guard count <= MessageShape.elementLimit else { throw .tooManyElements }
            note(field, payload)
        }
    }

    /// Why it can be neither of the messages, or both.
    var contradiction: String? {
        if isEmpty { return "it has no field of either message" }
        if let strangeField { return "field \(strangeField) is written as in neither message" }
        if taskTypeCount > 1 {
            return "field 2 stands there more than once; the domains of a CapabilityRequest must be packed"
        }
        let isTask = taskTypeCount > 0 || hasTaskFields
        return isTask && hasDomains ? "it has fields of a DetectionTask and of a CapabilityRequest" : nil
    }

    private mutating func note(_ field: FieldSteps.Field, _ payload: Span<UInt8>) {
        if field.number <= 8 { isEmpty = false }
        switch (field.number, field.encoding) {
        case (1, .bytes): taskID = Self.text(payload.extracting(field.content))
        case (2, .varint): taskTypeCount += 1
        case (2, .bytes): hasDomains = true
        case (3, .bytes): isProcessFilter = isProcessFilter && Self.isProcessFilter(payload, field.content)
        case (4...8, .bytes): hasTaskFields = true
        case (1...8, _): strangeField = strangeField ?? field.number
        // What a later version may have added.
        default: return
        }
    }

    /// Fields that are not known count as no filter: to leave one out would be to answer with more than was asked for.
    private static func isProcessFilter(_ payload: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var steps = FieldSteps(range)
        do throws(MessageDefect) {
            while let field = try steps.next(in: payload) {
                switch (field.number, field.encoding) {
                case (1...3, .bytes), (2, .varint): continue
                default: return false
                }
            }
            return true
        } catch {
            return false
        }
    }

    private static func text(_ bytes: Span<UInt8>) -> String {
        var copy: [UInt8] = []
        copy.reserveCapacity(bytes.count)
        for index in bytes.indices { copy.append(bytes[index]) }
        return String(validating: copy, as: UTF8.self) ?? ""
    }
}
