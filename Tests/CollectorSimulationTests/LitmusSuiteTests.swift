import CollectorSimulation
import Foundation
import SimulatedBackends
import Testing

/// The files of `Scenarios/litmus`, found from where this file stands.
private enum Cases {
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Scenarios/litmus")

    static let names: [String] = {
        // Without the folder the list is empty, which the count below reports.
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".scn") }.sorted()
    }()

    static func differences(in result: ConformanceResult) -> [String] { result.differs ? result.details : [] }

    static func result(_ name: String, _ arms: Conformance.Arms) throws -> ConformanceResult {
        let bytes = try Data(contentsOf: folder.appending(path: name))
        return try Conformance(arms).check(Array(bytes), path: name)
    }
}

@Suite struct `Litmus suite` {
    @Test func `there are at least forty cases, each named like its file`() throws {
        #expect(Cases.names.count >= 40)
        for name in Cases.names {
            let bytes = try Data(contentsOf: Cases.folder.appending(path: name))
            #expect(try LitmusCase(parsing: Array(bytes), path: name).name + ".scn" == name)
        }
    }

    @Test(arguments: Cases.names)
    func `the simulated kernel answers as the case expects`(_ name: String) throws {
        let result = try Cases.result(name, .simulated)
        #expect(Cases.differences(in: result) == [])
    }

    @Test(.enabled(if: Conformance.realKernelObstacle == nil, "takes root in the initial namespaces"))
    func `both kernels agree on every case`() throws {
        for name in Cases.names {
            // What else runs on this host can come between two steps of a case; what it does every time it does by itself.
            var differences = Cases.differences(in: try Cases.result(name, .both))
            for _ in 0..<3 where !differences.isEmpty {
                differences = Cases.differences(in: try Cases.result(name, .both))
            }
            #expect(differences == [])
        }
    }

    @Test func `a result tells verdict, questions and answers as JSON`() throws {
        let result = try Cases.result("clock-timer.scn", .simulated)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(result.json.utf8)) as? [String: Any])
        #expect(object["case"] as? String == "clock-timer")
        #expect(object["verdict"] as? String == "one-sided")
        let questions = try #require(object["questions"] as? [[String: Any]])
        #expect(questions.first?["sim"] as? [String] == ["not early"])
    }
}

@Suite struct `Litmus documentation` {
    @Test func `every row of a case is explained and lists the case`() throws {
        let text = try String(contentsOf: Cases.folder.appending(path: "README.md"), encoding: .utf8)
        let lines = text.split(separator: "\n")
        for name in Cases.names {
            let bytes = try Data(contentsOf: Cases.folder.appending(path: name))
            let test = try LitmusCase(parsing: Array(bytes), path: name)
            for row in test.rows {
                let line = lines.first { $0.hasPrefix("| \(row) |") }
                #expect(line?.contains(test.name) == true, "\(row) should list \(test.name)")
            }
        }
    }

    @Test(arguments: Cases.names)
    func `every case is in canonical form`(_ name: String) throws {
        let bytes = [UInt8](try Data(contentsOf: Cases.folder.appending(path: name)))
        let document = try SceneDocument(parsing: bytes, path: name, grammar: .litmus)
        #expect(document.print() == String(decoding: bytes, as: UTF8.self))
    }
}

@Suite struct `Random litmus programs` {
    @Test func `the same seed gives the same program, and every program can be run`() throws {
        for seed in UInt64(1)...200 {
            let program = RandomCase.make(seed: seed)
            #expect(program == RandomCase.make(seed: seed))
            let text = """
                litmus random v1
                about "Random."
                row random
                source "none"
                when
                \(program.actions.map { "  " + $0 }.joined(separator: "\n"))
                observe
                \(program.questions.map { "  | " + $0 + " -> ?" }.joined(separator: "\n"))

                """
            let test = try LitmusCase(parsing: Array(text.utf8), path: "seed \(seed)")
            let run = SimulatedArm(kernel: KernelVersion(major: 6, minor: 18)).run(test, attempt: 0)
            #expect(run.failure == nil, "seed \(seed), line \(run.failedLine ?? 0)")
            #expect(run.answers.count == program.questions.count)
        }
    }

    @Test(.enabled(if: Conformance.realKernelObstacle == nil, "takes root in the initial namespaces"))
    func `both kernels answer random programs alike`() throws {
        for seed in UInt64(1)...20 {
            let result = try Conformance.compareRandom(seed: seed, about: .processes)
            #expect(result.details == [], "seed \(seed)")
        }
    }

    @Test(.enabled(if: Conformance.realKernelObstacle == nil, "takes root in the initial namespaces"))
    func `both kernels answer random programs about sockets alike`() throws {
        for seed in UInt64(1)...20 {
            let questions = RandomSocketCase.make(seed: seed).questions
            #expect(questions == RandomSocketCase.make(seed: seed).questions)
            let result = try Conformance.compareRandom(seed: seed, about: .sockets)
            #expect(result.details == [], "seed \(seed)")
        }
    }

    @Test func `every random program about files can be run, and tells the same each time`() throws {
        for seed in UInt64(1)...100 {
            let questions = RandomFileCase.make(seed: seed)
            #expect(questions == RandomFileCase.make(seed: seed))
            let text = """
                litmus random v1
                about "Random."
                row random
                source "none"
                observe
                \(questions.map { "  | " + $0 + " -> ?" }.joined(separator: "\n"))

                """
            let test = try LitmusCase(parsing: Array(text.utf8), path: "seed \(seed)")
            let arm = SimulatedArm(kernel: KernelVersion(major: 6, minor: 18))
            let run = arm.run(test, attempt: 0)
            #expect(run.failure == nil, "seed \(seed), line \(run.failedLine ?? 0)")
            #expect(run.answers.count == questions.count)
            #expect(run == arm.run(test, attempt: 0))
        }
    }

    @Test(.enabled(if: Conformance.realKernelObstacle == nil, "takes root in the initial namespaces"))
    func `both kernels answer random programs about files alike`() throws {
        for seed in UInt64(1)...20 {
            let result = try Conformance.compareRandom(seed: seed, about: .files)
            #expect(result.details == [], "seed \(seed)")
        }
    }
}
