extension Gap {
    /// Appends the gap as a JSON object, without a line break: see ``EventJSON``.
    public func appendJSON(to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "gap")
            json.member("schema", Int64(EventJSON.schemaVersion))
            json.member("source", source.rawValue)
            json.member("cause", cause.rawValue)
            json.lost(lost, bounds: lostBounds)
            json.member("from_ns", from.nanoseconds)
            json.member("until_ns", until.nanoseconds)
            json.member("time", time)
            if !processors.isEmpty {
                json.beginArray("processors")
                for loss in processors {
                    json.beginObject()
                    json.member("cpu", UInt64(loss.processor))
                    json.member("lost", loss.lost)
                    json.member("after", UInt64(loss.after))
                    json.member("before", UInt64(loss.before))
                    json.endObject()
                }
                json.endArray()
            }
            json.member("subscriber", ifPresent: subscriber)
            json.endObject()
        }
    }
}

extension SourceAccount {
    /// Appends the account as a JSON object, without a line break: see ``EventJSON``.
    public func appendJSON(to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "account")
            json.member("schema", Int64(EventJSON.schemaVersion))
            json.member("account", "source")
            json.member("source", source.rawValue)
            json.member("kernel", kernel)
            json.member("emitted", emitted)
            json.member("filtered", filtered)
            json.member("coalesced", coalesced)
            json.member("dropped", dropped)
            json.lost(lost, bounds: lostBounds)
            json.member("overflows", overflows)
            json.member("balanced", isBalanced)
            json.member("synthetic_dropped", ifPresent: syntheticDropped == 0 ? nil : syntheticDropped)
            if !processors.isEmpty {
                json.beginArray("processors")
                for share in processors { json.value(share) }
                json.endArray()
            }
            if let forkCheck {
                json.beginObject("fork_check")
                json.member("forks", forkCheck.forks)
                json.member("at_least", forkCheck.atLeast)
                json.member("at_most", forkCheck.atMost)
                json.endObject()
            }
            json.endObject()
        }
    }
}

extension StreamAccount {
    /// Appends the account as a JSON object, without a line break: see ``EventJSON``.
    public func appendJSON(to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "account")
            json.member("schema", Int64(EventJSON.schemaVersion))
            json.member("account", "stream")
            json.member("subscriber", subscriber)
            json.member("offered", offered)
            json.member("emitted", emitted)
            json.beginObject("synthetic")
            json.member("baseline", baseline)
            json.member("resync", resync)
            json.member("derived", derived)
            json.endObject()
            json.member("delivered", delivered)
            json.member("filtered", filtered)
            json.member("dropped", dropped)
            json.member("in_flight", inFlight)
            json.member("balanced", isBalanced)
            json.endObject()
        }
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ name: String, _ tally: Tally) {
        beginObject(name)
        for entry in tally.entries {
            foreignKey(entry.reason)
            value(entry.count)
        }
        endObject()
    }

    fileprivate mutating func lost(_ lost: UInt64?, bounds: LostBounds) {
        key("lost")
        if let lost { value(lost) } else { null() }
        beginArray("lost_bounds")
        value(bounds.atLeast)
        if let atMost = bounds.atMost { value(atMost) } else { null() }
        endArray()
    }

    fileprivate mutating func value(_ share: ProcessorAccount) {
        beginObject()
        member("cpu", UInt64(share.processor))
        member("fenced", share.isFenced)
        member("kernel", share.kernel)
        member("lost", share.lost)
        endObject()
    }
}
