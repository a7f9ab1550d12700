/// The JSON form of records, one object a line.
///
/// Every object names its `record` (`event`, `gap`, `account`) and its `schema`. Within one schema version
/// keys keep their name, type and meaning; new keys may come, so readers skip what they do not know. The
/// order of keys is fixed. Integers are written exactly (64 bits). A key whose value is not known is left
/// out, unless stated otherwise. Texts follow ``KernelText``: fields named in `escaped` hold `\xNN` for bytes
/// that were not UTF-8.
///
/// **event**: `record`, `schema`, `id` (`<boot id>/<run>/<source>/<sequence>`, unique for ever), `source`,
/// `sequence`, `kind` (``EventKind``), `origin` (``EventOrigin``), `time` (RFC 3339 in UTC, nanoseconds),
/// `monotonic_ns`, the subject, `provenance` (process events: object of field names and
/// ``Provenance/label``), `escaped` (array of field names, only when there are any). The subject is one of
/// - `process`: `pid`, `ppid`, `name`, `exe` (these three `null` when not known), `cmdline` (array),
///   `cmdline_truncated`, `start_time`, `start_ticks`, `cpu_percent`, `memory_bytes`, `exe_hash`,
///   `hash_algorithm`, `uid`, `gid`, `real_uid`, `session`, `cgroup`, `container` (`kind`: `host`, `container` or
///   `unrecognized`, `runtime`, `id`, `pod`, `unit`; absent until the control groups were read), `pid_namespace`, `accessible`,
///   `exe_exists`, `kernel_thread`, `zombie`, `ambiguous`, `exit` (`status` or `signal`, `core_dumped`,
///   `inferred`), `tracer` (`null` in `process.ptrace`: detached), `modified_fields` (array), `suspicion`
///   (`reason`, `severity`), `cpid`, `identity`, `parent`, `ancestors` (array, parent first). The flags
///   `cmdline_truncated`, `kernel_thread`, `zombie` and `ambiguous` are written only when true,
///   `modified_fields` only when not empty.
/// - `network`: `connection_id`, `source_address`, `source_port`, `destination_address`, `destination_port`,
///   `protocol`, `state`, `pid`, `sent_bytes`, `received_bytes`.
/// - `file`: `path`, `previous_path`, `operation`, `type`, `pid`, `size_bytes`, `permissions` (octal text, as
///   `0644`), `uid`, `gid`, `device`, `inode`, `link_count`, `modified_time`, `hash`, `hash_algorithm`,
///   `hash_obstacle` (why there is no hash), `changes` (array, of a resync or an attribute event), `suspicion`,
///   `transaction` (`manager`, `package_count`, `packages` (array of `name`, `action`), `folded`, `verified`,
///   `mismatched`, `unlisted`, `unchecked`, `begun`, `ended`); `provenance` then has `metadata` alone.
/// - `performance`: `metric`, `value`, `unit`, `pid`, `component`.
/// - `trigger_request`: `trigger_id`, `target_collector`, `analysis_type`, `priority`, `target_pid`,
///   `target_path`, `correlation_id`, `metadata` (object).
///
/// **gap**: `record`, `schema`, `source`, `cause`, `lost` (`null` when not counted), `lost_bounds` (`[at
/// least, at most or null]`), `from_ns`, `until_ns`, `time`, `processors` (array of `cpu`, `lost`, `after`,
/// `before`), `subscriber`.
///
/// **account** of a source (`account` is `source`; see ``SourceAccount``): `record`, `schema`, `account`,
/// `source`, `kernel`, `emitted`, `filtered` (object of reasons and counts), `coalesced`, `dropped` (object of
/// `hop/reason` and counts), `lost`, `lost_bounds`, `overflows`, `balanced` (whether the law holds),
/// `synthetic_dropped` (when not 0), `processors` (array of `cpu`, `fenced`, `kernel`, `lost`), `fork_check`
/// (`forks`, `at_least`, `at_most`).
///
/// **account** of a subscriber (`account` is `stream`; see ``StreamAccount``): `record`, `schema`, `account`,
/// `subscriber`, `offered`, `emitted`, `synthetic` (`baseline`, `resync`, `derived`), `delivered`, `filtered`,
/// `dropped`, `in_flight`, `balanced`.
public enum EventJSON {
    /// The version of the schema; rises when a key changes its name, type or meaning, or goes away.
    public static let schemaVersion = 1
}

extension EventBatch {
    /// Appends one event as a JSON object, without a line break.
    ///
    /// - Precondition: `index` is an index of ``events``.
    public func appendJSON(ofEventAt index: Int, to bytes: inout [UInt8]) {
        events[index].appendJSON(run: run, to: &bytes)
    }
}

extension Event {
    /// Appends the event as a JSON object, without a line break; `run` completes its id.
    public func appendJSON(run: RunContext, to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "event")
            json.member("schema", Int64(EventJSON.schemaVersion))
            json.key("id")
            json.quoted { EventID(run: run, source: source, sequence: sequence).append(to: &$0) }
            json.member("source", source.rawValue)
            json.member("sequence", sequence)
            json.member("kind", kind.rawValue)
            json.member("origin", origin.rawValue)
            json.member("time", time)
            json.member("monotonic_ns", monotonic.nanoseconds)
            subject.appendMembers(kind: kind, to: &json)
            if !escaped.isEmpty {
                json.beginArray("escaped")
                for field in escaped { json.value(field) }
                json.endArray()
            }
            json.endObject()
        }
    }

}

extension CollectionEvent {
    /// Appends what is known of something that was asked about, as a JSON object without a line break:
    /// `{"record":"process","process":{...},"provenance":{...}}`.
    package func appendJSON(to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", typeName)
            json.member("schema", Int64(EventJSON.schemaVersion))
            appendMembers(kind: .processBaseline, to: &json)
            json.endObject()
        }
    }

    fileprivate func appendMembers(kind: EventKind, to json: inout JSONWriter) {
        switch self {
        case .process(let process):
            json.beginObject("process")
            process.appendMembers(kind: kind, to: &json)
            json.endObject()
            json.beginObject("provenance")
            process.provenance.appendMembers(to: &json)
            json.endObject()
        case .network(let network):
            json.beginObject("network")
            network.appendMembers(to: &json)
            json.endObject()
        case .filesystem(let file):
            json.beginObject("file")
            file.appendMembers(to: &json)
            json.endObject()
            if let label = file.metadata.label {
                json.beginObject("provenance")
                json.member("metadata", label)
                json.endObject()
            }
        case .performance(let measurement):
            json.beginObject("performance")
            measurement.appendMembers(to: &json)
            json.endObject()
        case .triggerRequest(let request):
            json.beginObject("trigger_request")
            request.appendMembers(to: &json)
            json.endObject()
        }
    }
}

extension JSONWriter {
    /// Writes a time in its RFC 3339 form as the member `name`.
    package mutating func member(_ name: String, _ time: WallTime) {
        key(name)
        quoted { bytes in time.append(to: &bytes) }
    }

    /// Writes a number as the member `name`, nothing when there is none.
    package mutating func member(_ name: String, ifPresent number: UInt64?) {
        if let number { member(name, number) }
    }

    /// Writes a text as the member `name`, nothing when there is none.
    package mutating func member(_ name: String, ifPresent text: String?) {
        if let text { member(name, text) }
    }

    /// Writes a pid as the member `name`, nothing when there is none.
    package mutating func member(_ name: String, ifPresent pid: ProcessID?) {
        if let pid { member(name, Int64(pid.rawValue)) }
    }

    /// Writes a user id as the member `name`, nothing when there is none.
    package mutating func member(_ name: String, ifPresent uid: UserID?) {
        if let uid { member(name, UInt64(uid.rawValue)) }
    }
}
