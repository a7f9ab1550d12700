package import CollectorCore
package import EventModel

/// Writes a subscriber's stream as OCSF 1.8.0, one JSON object a line.
///
/// Every line is an OCSF event. Process and file events get the class of their activity; what the schema has no class
/// for (gaps, states, accounts, the other domains) becomes a Base Event (`class_uid` 0, `activity_id` 99) that holds the
/// collector's own record in `unmapped`, so that nothing vanishes. What is not known is left out; where the schema wants
/// a value all the same, it is the schema's own "Unknown". `Documentation/ocsf.md` has the table.
package struct OCSFProjection: Sendable {
    /// The version of the schema that is written.
    package static let schemaVersion = "1.8.0"
    /// The product that the events name.
    package static let productName = "collector-core"
    /// `os.type_id` of Linux.
    static let linuxTypeID: UInt64 = 200

    /// The name of the host, for `device.hostname`.
    package let hostName: String
    /// The version of the product.
    package let productVersion: String

    /// Makes a projection for one host.
    package init(hostName: String, productVersion: String) {
        self.hostName = hostName
        self.productVersion = productVersion
    }

    /// Appends one event, without a line break.
    ///
    /// - Precondition: `index` is an index of the batch's events.
    package func append(eventAt index: Int, of batch: EventBatch, to bytes: inout [UInt8]) {
        append(batch.events[index], run: batch.run, to: &bytes)
    }

    /// Appends one item of a stream, each event and record with a line break.
    package func append(lines delivery: Delivery, to bytes: inout [UInt8]) {
        switch delivery {
        case .events(let selected):
            selected.forEach { _, index in
                append(eventAt: index, of: selected.batch, to: &bytes)
                bytes.append(0x0a)
            }
            return
        case .gap(let gap): append(gap, to: &bytes)
        case .status(let status): append(status, to: &bytes)
        case .record(let record): append(record, to: &bytes)
        }
        bytes.append(0x0a)
    }

    /// Appends an event, without a line break; `run` completes its id.
    package func append(_ event: Event, run: RunContext, to bytes: inout [UInt8]) {
        let classification = OCSFClassification(event)
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            appendHead(classification, time: event.time, to: &json)
            appendMetadata(of: event, run: run, to: &json)
            appendDevice(bootID: run.bootID, to: &json)
            switch event.subject {
            case .process(let process):
                OCSFProcess(process: process, event: event, bootID: run.bootID, classification: classification)
                    .appendMembers(to: &json)
            case .filesystem(let file):
                OCSFFile(file: file, event: event, classification: classification).appendMembers(to: &json)
            case .network, .performance, .triggerRequest:
                json.key("unmapped")
                json.embedded { event.appendJSON(run: run, to: &$0) }
            }
            json.endObject()
        }
    }

    // MARK: - What all events have

    func appendHead(_ classification: OCSFClassification, time: WallTime, to json: inout JSONWriter) {
        json.member("activity_id", UInt64(classification.activityID))
        json.member("activity_name", classification.activityName)
        json.member("category_uid", UInt64(classification.eventClass.category))
        json.member("class_uid", UInt64(classification.eventClass.rawValue))
        json.member("class_name", classification.eventClass.name)
        json.member("type_uid", UInt64(classification.typeID))
        json.member("severity_id", UInt64(classification.severity.rawValue))
        json.member("severity", classification.severity.name)
        json.member("time", ocsf: time)
        // Milliseconds do not order events; the profile of dates keeps the nanoseconds.
        json.member("time_dt", time)
    }

    private func appendMetadata(of event: Event, run: RunContext, to json: inout JSONWriter) {
        beginMetadata(&json)
        json.key("uid")
        json.quoted { EventID(run: run, source: event.source, sequence: event.sequence).append(to: &$0) }
        // `sequence` is an integer of 32 bits in the schema's encodings; the uid holds it in full.
        if let sequence = Int32(exactly: event.sequence) { json.member("sequence", Int64(sequence)) }
        json.member("event_code", event.kind.rawValue)
        json.member("log_source", event.source.rawValue)
        var isTruncated = false
        json.beginArray("profiles")
        json.value("host")
        json.value("datetime")
        if case .process(let process) = event.subject {
            json.value("linux/linux_users")
            if process.container?.id != nil { json.value("container") }
            isTruncated = process.isCommandLineTruncated
        }
        json.endArray()
        if isTruncated { json.member("is_truncated", true) }
        json.endObject()
    }

    func beginMetadata(_ json: inout JSONWriter) {
        json.beginObject("metadata")
        json.member("version", Self.schemaVersion)
        json.beginObject("product")
        json.member("name", Self.productName)
        json.member("vendor_name", Self.productName)
        json.member("version", productVersion)
        json.endObject()
    }

    func appendDevice(bootID: BootID?, to json: inout JSONWriter) {
        json.beginObject("device")
        json.member("hostname", hostName)
        // What kind of machine it is, nobody asked: 0 is the schema's "Unknown".
        json.member("type_id", 0 as UInt64)
        if let bootID {
            json.key("boot_uid")
            json.quoted { bootID.append(to: &$0) }
        }
        json.beginObject("os")
        json.member("name", "Linux")
        json.member("type_id", Self.linuxTypeID)
        json.endObject()
        json.endObject()
    }
}

extension JSONWriter {
    /// Writes a time in milliseconds since 1970 as the member `name`, as `timestamp_t` wants it.
    mutating func member(_ name: String, ocsf time: WallTime) {
        member(name, time.nanoseconds.flooredDivision(by: 1_000_000).quotient)
    }

    /// Writes `true` as the member `name`, nothing when it is not so.
    mutating func member(_ name: String, ifTrue flag: Bool) {
        if flag { member(name, true) }
    }

    /// Writes an actor that is nobody's process: an application by its name, or the schema's "Unknown".
    mutating func member(_ name: String, ocsfActor application: String?) {
        beginObject(name)
        if let application {
            member("app_name", application)
        } else {
            beginObject("user")
            member("name", "Unknown")
            member("type_id", 0 as UInt64)
            endObject()
        }
        endObject()
    }

    /// Writes a digest as the only element of `hashes`.
    mutating func member(_ name: String, ocsfDigest value: String, _ algorithm: HashAlgorithm) {
        beginArray(name)
        beginObject()
        switch algorithm {
        case .sha256:
            member("algorithm_id", 3 as UInt64)
            member("algorithm", "SHA-256")
        case .sha3_256:
            member("algorithm_id", 13 as UInt64)
            member("algorithm", "SHA3-256")
        case .blake3:
            member("algorithm_id", 99 as UInt64)
            member("algorithm", "BLAKE3")
        }
        member("value", value)
        endObject()
        endArray()
    }

    /// Writes a number as a text: the schema's identifiers are texts.
    mutating func member(_ name: String, ocsfUID number: UInt64) {
        key(name)
        quoted { $0.appendDecimal(number) }
    }

    /// Writes `name`, `path` and `parent_folder` of a file.
    mutating func members(ofPath path: String) {
        guard let slash = path.utf8.lastIndex(of: 0x2f) else { return member("name", path) }
        let name = path[path.utf8.index(after: slash)...]
        // The root has no name but its path.
        member("name", name.isEmpty ? path : String(name))
        member("path", path)
        if slash != path.startIndex {
            member("parent_folder", String(path[..<slash]))
        } else if !name.isEmpty {
            member("parent_folder", "/")
        }
    }
}
