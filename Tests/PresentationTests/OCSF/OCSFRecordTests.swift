import CollectorCore
import EventModel
import Foundation
import Presentation
import Testing

/// What the schema has no class for.
struct OCSFRecordTests {
    private func object(_ append: (OCSFProjection, inout [UInt8]) -> Void) throws -> [String: Any] {
        var bytes: [UInt8] = []
        append(OCSFSamples.projection, &bytes)
        let line = String(decoding: bytes, as: UTF8.self)
        #expect(try OCSFSchema.read().violations(in: line) == [], "\(line)")
        return try #require(JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any], "\(line)")
    }

    private func unmapped(_ object: [String: Any]) throws -> [String: Any] {
        try #require(object["unmapped"] as? [String: Any])
    }

    @Test func `a gap is a base event that holds the record, and matters`() throws {
        let object = try object { $0.append(OCSFSamples.gap, to: &$1) }
        #expect(object["class_uid"] as? Int == 0)
        #expect(object["activity_name"] as? String == "Gap")
        #expect(object["severity_id"] as? Int == 3)
        #expect(object["message"] as? String == "12 lost by process: kernel_overflow")
        #expect(try unmapped(object)["record"] as? String == "gap")
        #expect(try unmapped(object)["lost"] as? Int == 12)
    }

    @Test func `an account is a base event that says whether it balances`() throws {
        var account = SourceAccount(source: .process)
        let good = try object { $0.append(account, at: OCSFSamples.time, to: &$1) }
        #expect(good["severity_id"] as? Int == 1)
        account.kernel = 1
        let bad = try object { $0.append(account, at: OCSFSamples.time, to: &$1) }
        #expect(bad["severity_id"] as? Int == 4)
        #expect(try unmapped(bad)["balanced"] as? Bool == false)
        let stream = try object { $0.append(StreamAccount(subscriber: "a"), at: OCSFSamples.time, to: &$1) }
        #expect(try unmapped(stream)["account"] as? String == "stream")
    }

    @Test func `an event of another domain is a base event that holds it in full`() throws {
        for (_, event) in OCSFSamples.others {
            let object = try object { $0.append(event, run: OCSFSamples.run, to: &$1) }
            #expect(object["activity_name"] as? String == event.kind.rawValue)
            let record = try unmapped(object)
            #expect(record["record"] as? String == "event")
            #expect(record["id"] as? String == (object["metadata"] as? [String: Any])?["uid"] as? String)
        }
    }
}
