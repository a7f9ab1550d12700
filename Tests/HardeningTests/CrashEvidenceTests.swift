import Backends
import Foundation
import Hardening
import LinuxBackends
import Testing

/// The last words of a process, by processes that really end.
struct CrashEvidenceTests {
    private func words(_ result: ExitTest.Result?) throws -> [String: Any] {
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        let line = try #require(
            text.split(separator: "\n").first { $0.contains(#""record":"crash""#) }, "\(text)")
        return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    private static func install() throws {
        try CrashEvidence.install(program: "a-test", version: "1.2.3", file: nil)
    }

    @Test func `a forbidden call is told with its name and who made it`() async throws {
        let result = await #expect(
            processExitsWith: .signal(SIGSYS), observing: [\.standardErrorContent]
        ) {
            try CrashEvidenceTests.install()
            let thread = try LinuxThread(name: "a\"thread")
            try Sandbox(capabilities: [], filter: .enforce).enterThread()
            try await thread.run { _ = getppid() }
        }
        let words = try words(result)
        #expect(words["program"] as? String == "a-test" && words["version"] as? String == "1.2.3")
        #expect(words["signal"] as? String == "SIGSYS" && words["call_name"] as? String == "getppid")
        #expect(words["call"] as? Int == SeccompFilter.number(of: "getppid").map { Int($0) })
        #expect(words["thread"] as? String == "a?thread")
        #expect((words["module"] as? String)?.hasPrefix("libc") == true)
        #expect((words["offset"] as? String)?.hasPrefix("0x") == true)
        #expect((words["caller"] as? String)?.hasPrefix("0x") == true)
        #expect(words["pid"] as? Int != nil && words["tid"] as? Int != nil && words["time"] as? Int != nil)
    }

    @Test func `an access to memory that is not there is told with its address`() async throws {
        let result = await #expect(
            processExitsWith: .signal(SIGSEGV), observing: [\.standardErrorContent]
        ) {
            try CrashEvidenceTests.install()
            try Sandbox(capabilities: [], filter: .enforce).enterThread()
            unsafe UnsafeMutablePointer<UInt8>(bitPattern: 0x10)?.pointee = 1
        }
        let words = try words(result)
        #expect(words["signal"] as? String == "SIGSEGV" && words["address"] as? String == "0x10")
        #expect(words["module"] as? String == "a-test")
    }

    @Test func `a stack that is full is told, on another one`() async throws {
        let result = await #expect(
            processExitsWith: .signal(SIGSEGV), observing: [\.standardErrorContent]
        ) {
            try CrashEvidenceTests.install()
            let thread = try LinuxThread(name: "deep")
            try Sandbox(capabilities: [], filter: .enforce).enterThread()
            try await thread.run {
                @inline(never) func descend(_ depth: Int) -> Int {
                    depth == .max
                        ? 0
                        : unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: 512) { words in
                            unsafe words.initialize(repeating: depth)
                            return unsafe descend(depth + 1) + words[depth % 512]
                        }
                }
                _exit(Int32(truncatingIfNeeded: descend(0)))
            }
        }
        let words = try words(result)
        #expect(words["thread"] as? String == "deep")
    }

    @Test func `a broken invariant is told, and ends the process as ever`() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try CrashEvidenceTests.install()
            try Sandbox(capabilities: [], filter: .enforce).enterThread()
            preconditionFailure("nothing holds")
        }
        let words = try words(result)
        #expect(["SIGILL", "SIGTRAP"].contains(words["signal"] as? String))
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("nothing holds"))
    }

    @Test func `abort is told, and ends the process as ever`() async throws {
        let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            try CrashEvidenceTests.install()
            try Sandbox(capabilities: [], filter: .enforce).enterThread()
            abort()
        }
        #expect(try words(result)["signal"] as? String == "SIGABRT")
    }

    @Test func `the last words stand in a file, too`() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("crash-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try LinuxCrashFile(folder: path).previous == nil)
        await #expect(processExitsWith: .signal(SIGSYS)) { [path = path as String] in
            let file = try LinuxCrashFile(folder: path)
            try CrashEvidence.install(program: "a-test", version: "1", file: file.descriptor)
            try Sandbox(capabilities: [], filter: .enforce).enterThread()
            close(2)
            _ = withExtendedLifetime(file) { getppid() }
        }
        let previous = try #require(try LinuxCrashFile(folder: path).previous)
        #expect(String(decoding: previous, as: UTF8.self).contains(#""call_name":"getppid""#))
        #expect(try LinuxCrashFile(folder: path).previous == nil, "it is told once")
        let kept = try Data(contentsOf: URL(fileURLWithPath: path + "/" + LinuxCrashFile.keptName))
        #expect(Array(kept) == previous)
    }
}
