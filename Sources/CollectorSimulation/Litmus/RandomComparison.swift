import EventModel

/// What both kernels made of one random program.
package struct RandomComparison: Sendable {
    /// The seed of the program.
    package let seed: UInt64
    /// The program as a case, with the real kernel's answers; `nil` when the kernels gave the same.
    package let difference: String?
    /// What the simulated kernel said otherwise, one line each.
    package let details: [String]

    /// The comparison as one JSON object.
    package var json: String {
        var bytes: [UInt8] = []
        JSONWriter.append(to: &bytes) { writer in
            writer.beginObject()
            writer.member("record", "random")
            writer.member("seed", seed)
            writer.member("verdict", difference == nil ? "agreed" : "differs")
            if let difference { writer.member("case", difference) }
            writer.beginArray("differences")
            for detail in details { writer.value(detail) }
            writer.endArray()
            writer.endObject()
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Conformance {
    /// How often the real kernel is asked: what it once answered as the simulated one does, it may answer.
    private static let realTryCount = 3

    /// What random programs are about.
    package enum Subject: String, Hashable, Sendable, CaseIterable {
        case processes, files, sockets
    }

    /// Runs the random program of a seed on both kernels.
    ///
    /// - Throws: When the program could not be run at all on one of them.
    package static func compareRandom(seed: UInt64, about subject: Subject) throws -> RandomComparison {
        let program: (actions: [String], questions: [String]) =
            switch subject {
            case .processes: RandomCase.make(seed: seed)
            case .files: ([], RandomFileCase.make(seed: seed))
            case .sockets: RandomSocketCase.make(seed: seed)
            }
        let test = try LitmusCase(
            parsing: Array(text(of: program, answers: nil, seed: seed).utf8), path: "seed \(seed)")
        let simulated = SimulatedArm(kernel: hostKernel).run(
            test, attempt: Int(truncatingIfNeeded: seed >> 1))
        if let failure = simulated.failure {
            throw LitmusFailure("seed \(seed): sim: line \(simulated.failedLine ?? 0): \(failure)")
        }
        var real = LitmusRun(answers: [])
        for attempt in 0..<realTryCount {
            real = RealArm().run(test, attempt: attempt)
            if let failure = real.failure {
                throw LitmusFailure("seed \(seed): real: line \(real.failedLine ?? 0): \(failure)")
            }
            if real.answers == simulated.answers {
                return RandomComparison(seed: seed, difference: nil, details: [])
            }
        }
        var details: [String] = []
        for (index, question) in program.questions.enumerated()
        where real.answers[index] != simulated.answers[index] {
            details.append("\(question) -> \(real.answers[index]), sim: \(simulated.answers[index])")
        }
        return RandomComparison(
            seed: seed, difference: text(of: program, answers: real.answers, seed: seed), details: details)
    }

    private static func text(
        of program: (actions: [String], questions: [String]), answers: [String]?, seed: UInt64
    ) -> String {
        var text = """
            litmus random-\(seed) v1
            about "The random program of seed \(seed)."
            row random
            source "answers of the real kernel"

            when

            """
        for action in program.actions { text += "  \(action)\n" }
        text += "\nobserve\n"
        for (index, question) in program.questions.enumerated() {
            text += "  | \(question) -> \(answers?[index] ?? "?")\n"
        }
        return text
    }
}
