import Foundation
import Testing

/// The stream as OCSF, from the real kernel. Needs root.
@Suite(
    .serialized, .timeLimit(.minutes(10)),
    .enabled(if: Daemon.isAvailable, "needs root and the collectord executable beside the tests")
)
struct OCSFTests {
    @Test func `every line is an OCSF event, and the accounts are among them`() throws {
        let daemon = try Daemon(["run", "--events", "ocsf"])
        #expect(daemon.waitForLine(holding: #""state":"ready""#))
        // It lives until it was looked at.
        let program = try HeldProgram(["/bin/cat", "-"])
        let pid = program.pid
        func waitForLine(holding part: String) -> Bool {
            daemon.waitForLine("\(part) of \(pid)") {
                $0.contains(part) && $0.contains("\"process\":{\"pid\":\(pid),")
            }
        }
        #expect(waitForLine(holding: #""launch_type_id":3"#))
        program.release()
        #expect(waitForLine(holding: #""type_uid":100702"#))
        daemon.terminate()
        let result = try daemon.finish()
        #expect(result.exitCode == 0)
        #expect(result.lines.count == result.text.split(separator: "\n").count)
        for line in result.lines {
            let (number, activity) = (line["class_uid"] as? Int ?? -1, line["activity_id"] as? Int ?? -1)
            #expect([0, 1_001, 1_007].contains(number))
            #expect(line["type_uid"] as? Int == number * 100 + activity)
            #expect((line["metadata"] as? [String: Any])?["version"] as? String == "1.8.0")
            #expect(((line["device"] as? [String: Any])?["hostname"] as? String)?.isEmpty == false)
        }
        let exec = try #require(
            result.lines.last { line in
                line["launch_type_id"] as? Int == 3
                    && (line["process"] as? [String: Any])?["pid"] as? Int == Int(pid)
            })
        #expect((exec["process"] as? [String: Any])?["cmd_line"] as? String == "/bin/cat -")
        let accounts = result.lines.filter { $0["activity_name"] as? String == "Account" }
        #expect(accounts.count >= 2)
        #expect(accounts.allSatisfy { ($0["unmapped"] as? [String: Any])?["balanced"] as? Bool == true })
    }

    @Test func `a format that contradicts another is refused`() throws {
        let daemon = try Daemon(["run", "--events", "ocsf", "--json"])
        #expect(try daemon.finish().exitCode == 64)
    }
}
