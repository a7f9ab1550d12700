package import SimulatedBackends

/// Runs cases on one kernel or on both and judges what they answered.
package struct LitmusSuite: Sendable {
    /// The kernels that are asked, in this order.
    package var arms: [any LitmusArm]

    /// The release of the real kernel, which the simulated one follows.
    package var kernel: KernelVersion

    /// A suite that asks these kernels.
    package init(arms: [any LitmusArm], kernel: KernelVersion) {
        self.arms = arms
        self.kernel = kernel
    }

    /// Runs one case on every arm that no waiver spares.
    package func run(_ test: LitmusCase) -> LitmusReport {
        var results: [LitmusArmResult] = []
        if let since = test.since, kernel < since { return LitmusReport(test: test, results: []) }
        for arm in arms {
            let isWaived = test.waivers.contains { $0.arm == arm.name }
            // What the real kernel is spared would disturb the host; the simulated one is tried all the same, because
            // a waiver that is no longer needed should not stay.
            if isWaived, arm.name == .real { continue }
            results.append(Self.run(test, on: arm))
        }
        return LitmusReport(test: test, results: results)
    }

    private static func run(_ test: LitmusCase, on arm: any LitmusArm) -> LitmusArmResult {
        var result = LitmusArmResult(arm: arm.name, answers: test.questions.map { _ in [] })
        for attempt in 0..<test.tryCount {
            var run = arm.run(test, attempt: attempt)
            while arm.name == .real, result.retryCount < test.retryCount, !test.allows(run) {
                result.retryCount += 1
                run = arm.run(test, attempt: attempt)
            }
            if let failure = run.failure {
                result.failure = failure
                result.failedLine = run.failedLine
                return result
            }
            for (index, answer) in run.answers.enumerated() where !result.answers[index].contains(answer) {
                result.answers[index].append(answer)
            }
        }
        return result
    }
}

/// What one kernel answered over all tries of a case.
package struct LitmusArmResult: Hashable, Sendable {
    /// Which kernel answered.
    package var arm: LitmusArmName
    /// For each question the different answers, in the order in which they were first given.
    package var answers: [[String]]
    /// Why a try could not be run to its end; `nil` when all were.
    package var failure: LitmusFailure?
    /// The line at which it failed.
    package var failedLine: Int?
    /// How many tries were disturbed and repeated.
    package var retryCount = 0
}

/// How a case came out.
package enum LitmusVerdict: String, Hashable, Sendable, CaseIterable {
    /// Both kernels gave the one right answer to every question.
    case agreed
    /// Both stayed within the set of right answers, and the simulated one can give whatever the real one gave.
    case envelope
    /// One kernel was spared for a stated reason; the other answered rightly.
    case waived
    /// Only one kernel was asked, and answered rightly.
    case oneSided = "one-sided"
    /// The kernel is too old for the case.
    case skipped
    /// An answer was wrong, a waiver is not needed, or the case could not be run.
    case differs
}

/// One case, its answers and the verdict.
package struct LitmusReport: Sendable {
    /// What was asked.
    package var test: LitmusCase
    /// One for each kernel that was asked.
    package var results: [LitmusArmResult]

    /// A report of what the kernels answered to a case.
    package init(test: LitmusCase, results: [LitmusArmResult]) {
        self.test = test
        self.results = results
    }

    /// How the case came out.
    package var verdict: LitmusVerdict {
        guard differences.isEmpty else { return .differs }
        if results.isEmpty, test.waivers.isEmpty { return .skipped }
        if !test.waivers.isEmpty { return .waived }
        guard results.count == LitmusArmName.allCases.count else { return .oneSided }
        return test.questions.allSatisfy(\.expected.isExact) ? .agreed : .envelope
    }

    /// What speaks against agreement, one sentence each; empty when nothing does.
    package var differences: [String] {
        var differences: [String] = []
        for result in results {
            let isWaived = test.waivers.contains { $0.arm == result.arm }
            let problems = problems(of: result)
            if !isWaived {
                differences += problems
            } else if problems.isEmpty {
                differences.append("the waiver for \(result.arm.rawValue) is not needed any more: remove it")
            }
        }
        if test.waivers.isEmpty { differences += uncoveredAnswers }
        return differences
    }

    private func problems(of result: LitmusArmResult) -> [String] {
        let arm = result.arm.rawValue
        if let failure = result.failure {
            return ["\(arm): line \(result.failedLine ?? 0): \(failure.message)"]
        }
        var problems: [String] = []
        for (question, answers) in zip(test.questions, result.answers) {
            let place = "\(arm): line \(question.line): \(question.text)"
            for answer in answers where !question.expected.allows(answer) {
                problems.append("\(place) -> \(answer), expected \(question.expected.description)")
            }
            for wanted in question.expected.alternatives
            where wanted.mustOccur && !answers.contains(wanted.text) {
                problems.append("\(place) never gave \(wanted.text) in \(test.tryCount) tries")
            }
        }
        return problems
    }

    /// Whatever the real kernel did, the simulated one must be able to do.
    private var uncoveredAnswers: [String] {
        guard let real = results.first(where: { $0.arm == .real }),
            let simulated = results.first(where: { $0.arm == .simulated }), real.failure == nil,
            simulated.failure == nil
        else { return [] }
        var texts: [String] = []
        for (index, question) in test.questions.enumerated() where question.expected.isExact == false {
            for answer in real.answers[index] where !simulated.answers[index].contains(answer) {
                texts.append(
                    "sim: line \(question.line): \(question.text) never gave \(answer), which the real kernel did"
                )
            }
        }
        return texts
    }
}

extension LitmusCase {
    /// A line with an expectation.
    package struct Question: Sendable {
        /// The line without its expectation.
        package var text: String
        /// Its number in the file, from 1.
        package var line: Int
        /// The right answers.
        package var expected: LitmusExpectation
    }

    /// Whether a try gave only right answers.
    func allows(_ run: LitmusRun) -> Bool {
        run.failure == nil && zip(questions, run.answers).allSatisfy { $0.expected.allows($1) }
    }

    /// The lines with an expectation, in order.
    package var questions: [Question] {
        steps.compactMap { step in
            guard case .observation(_, let expected?) = step.kind else { return nil }
            return Question(text: step.text, line: step.line, expected: expected)
        }
    }
}
