import EventModel
import Foundation
import Presentation
import Testing

struct OCSFProjectionTests {
    private static var everything: [(name: String, event: Event)] {
        OCSFSamples.processes + OCSFSamples.files + OCSFSamples.others + [
            ("full", OCSFSamples.event(.processSuspicious, .process(OCSFSamples.fullProcess), escaped: ["exe"])),
            ("docker", OCSFSamples.container("/system.slice/docker-ID.scope", .docker, pod: nil)),
            ("pod", OCSFSamples.container("/kubepods/podUID/ID", nil, pod: OCSFSamples.pod)),
            ("static pod", OCSFSamples.container("/kubepods/podUID/ID", .criO, pod: "00ff")),
            ("lxc", OCSFSamples.container("/lxc/web", .lxc, pod: nil)),
            ("host", OCSFSamples.process(.processExec) { $0.container = .host(unit: "ssh.service") }),
            ("bare", OCSFSamples.event(.processExec, .process(OCSFSamples.bareProcess))),
            ("bare file", OCSFSamples.event(.fileCreated, .filesystem(FilesystemEvent(path: "/", operation: .created)))),
        ]
    }

    private func object(_ event: Event) throws -> [String: Any] {
        let line = OCSFSamples.line(event)
        return try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }

    @Test func `every projected event has what the schema requires, and nothing it does not know`() throws {
        let schema = try OCSFSchema.read()
        for (name, event) in Self.everything {
            #expect(try schema.violations(in: OCSFSamples.line(event)) == [], "\(name)")
        }
    }

    @Test func `the samples have every kind of process and file event`() {
        let kinds = Set(Self.everything.map(\.event.kind))
        for kind in EventKind.allCases where kind.rawValue.hasPrefix("process.") || kind.rawValue.hasPrefix("file.") {
            #expect(kinds.contains(kind), "\(kind)")
        }
    }

    @Test(arguments: [
        (#""device":{"hostname":"web-1","type_id":0,"#, #""device":{"type_id":0,"#, "none of"),
        (#""severity_id":1"#, #""severity_id":7"#, "severity_id: integer(7) is none of its values"),
        (#""type_uid":100701"#, #""type_uid":100702"#, "type_uid"),
        (#""actor":{"#, #""acter":{"#, "actor: required"),
        (#","datetime""#, "", "time_dt: the profile @datetime is not named"),
        (#""time":1772359200123,"#, #""time":1772359200123456789,"#, "is no timestamp"),
        (#""launch_type":"Exec""#, #""launch_type":"Fork""#, "launch_type: not Exec"),
        (#""process":{"pid":4711,"#, #""process":{"pid":4711,"ppid":42,"#, "process.ppid: no attribute of it"),
    ])
    func `the validator finds what is wrong`(old: String, new: String, problem: String) throws {
        let good = OCSFSamples.line(OCSFSamples.process(.processExec))
        let bad = good.replacingOccurrences(of: old, with: new)
        #expect(bad != good)
        let problems = try OCSFSchema.read().violations(in: bad)
        #expect(problems.contains { $0.contains(problem) }, "\(problems)")
    }

    @Test func `a line is what it always was`() throws {
        let golden = try String(contentsOf: TestFiles.data("ocsf-golden.jsonl"), encoding: .utf8)
            .split(separator: "\n")
        let lines = Self.everything.map { OCSFSamples.line($0.event) }
        #expect(golden.count == lines.count)
        for (expected, line) in zip(golden, lines) { #expect(line == expected) }
    }

    @Test func `the documentation's table is what the code does`() throws {
        let documented = try TestFiles.documentation("ocsf.md").split(separator: "\n").map(String.init)
            .prefix { $0 != "## What has no class" }
            .filter { $0.hasPrefix("| `process.") || $0.hasPrefix("| `file.") }
        let rows = (OCSFSamples.processes + OCSFSamples.files).map { name, event in
            let place = OCSFClassification(event)
            let severity =
                event.kind == .processSuspicious ? "of the suspicion" : place.severity.name.lowercased()
            return "| \(name) | \(place.eventClass.rawValue) \(place.eventClass.name) "
                + "| \(place.activityID) \(place.activityName) | \(Self.words(for: place.actor)) | \(severity) |"
        }
        #expect(documented == rows)
    }

    private static func words(for actor: OCSFActor) -> String {
        switch actor {
        case .itself: "the process itself"
        case .parent: "the parent"
        case .tracer: "the tracer"
        case .namedProcess: "the process that the kernel named"
        case .packageManager: "the package manager"
        case .collector: "`app_name` collector-core"
        case .unknown: "`user.name` Unknown"
        }
    }

    // MARK: - Values

    @Test func `arguments that cmd_line does not tell apart stand beside it`() throws {
        let plain = try object(OCSFSamples.process(.processExec))
        #expect((plain["process"] as? [String: Any])?["cmd_line"] as? String == "curl -s https://example.org/")
        #expect((plain["unmapped"] as? [String: Any])?["cmdline"] == nil)
        let odd = try object(OCSFSamples.event(.processExec, .process(OCSFSamples.fullProcess)))
        #expect((odd["process"] as? [String: Any])?["cmd_line"] as? String == "sh -c rm -rf \"$1\" ")
        let arguments = (odd["unmapped"] as? [String: Any])?["cmdline"] as? [String]
        #expect(arguments == ["sh", "-c", "rm -rf \"$1\"", ""])
    }

    @Test func `ids and sequences beyond 32 bits stand as text alone`() throws {
        var event = OCSFSamples.event(.processExec, .process(OCSFSamples.fullProcess))
        event.sequence = UInt64(Int32.max) + 1
        let object = try object(event)
        let process = try #require(object["process"] as? [String: Any])
        #expect(process["euid"] == nil && process["egid"] == nil)
        #expect((process["user"] as? [String: Any])?["uid"] as? String == "4294967294")
        #expect((process["group"] as? [String: Any])?["uid"] as? String == "4294967294")
        let metadata = try #require(object["metadata"] as? [String: Any])
        #expect(metadata["sequence"] == nil)
        #expect((metadata["uid"] as? String)?.hasSuffix("/process/2147483648") == true)
    }

    @Test func `a process that a signal ended has no exit code`() throws {
        let event = OCSFSamples.process(.processExit) { $0.exit = ProcessExit(code: 9) }
        let object = try object(event)
        #expect(object["exit_code"] == nil)
        #expect((object["unmapped"] as? [String: Any])?["signal"] as? Int == 9)
    }

    @Test func `an end that nobody saw has no time`() throws {
        let event = OCSFSamples.process(.processExit) { $0.exit = .inferred }
        let process = try #require(object(event)["process"] as? [String: Any])
        #expect(process["terminated_time"] == nil)
    }

    @Test func `a container has its id, or its name where it has no id`() throws {
        func container(_ event: Event) throws -> [String: String]? {
            (try object(event)["process"] as? [String: Any])?["container"] as? [String: String]
        }
        #expect(
            try container(OCSFSamples.container("/a", .docker, pod: OCSFSamples.pod))
                == [
                    "uid": "web", "runtime": "docker", "orchestrator": "kubernetes",
                    "pod_uuid": OCSFSamples.pod,
                ])
        #expect(try container(OCSFSamples.container("/a", .lxc, pod: nil)) == ["name": "web", "runtime": "lxc"])
    }

    @Test func `who is in no container, and who may be in one, is said beside the schema`() throws {
        let places: [ContainerMembership] = [
            .host(unit: nil),
            ContainerMembership(kind: .unrecognized, runtime: nil, id: nil, pod: nil, unit: nil),
        ]
        for place in places {
            let object = try object(OCSFSamples.process(.processExec) { $0.container = place })
            #expect((object["process"] as? [String: Any])?["container"] == nil)
            let said = (object["unmapped"] as? [String: Any])?["container"] as? [String: String]
            #expect(said == ["kind": place.kind.rawValue])
        }
    }

    @Test(arguments: [
        ("/etc/passwd", "passwd", "/etc"), ("/vmlinuz", "vmlinuz", "/"), ("/", "/", nil),
        ("/a b/\"c\"", "\"c\"", "/a b"), ("memfd:x", "memfd:x", nil),
    ])
    func `a path is taken apart`(path: String, name: String, folder: String?) throws {
        var event = FilesystemEvent(path: path, operation: .created)
        event.type = .regular
        let file = try #require(
            object(OCSFSamples.event(.fileCreated, .filesystem(event)))["file"] as? [String: Any])
        #expect(file["name"] as? String == name)
        #expect(file["parent_folder"] as? String == folder)
    }
}
