package import SimulatedBackends

/// One question to a kernel: what is set up, what happens, and what must be seen of it.
///
/// The same case runs on the real kernel and on the simulated one; both must answer within the expectations.
package struct LitmusCase: Sendable {
    /// The name of the file without its extension.
    package var name: String
    /// What the case shows, in one sentence.
    package var about: String
    /// The behaviours it covers, as `Scenarios/litmus/README.md` numbers them.
    package var rows: [String]
    /// Where the behaviour is documented: a manual page or a file of the kernel.
    package var source: String
    /// How often the case runs on each kernel, each time in a new world.
    package var tryCount: Int
    /// How often a try on the real kernel may be repeated when its answers are wrong, because other processes of the
    /// host can disturb it; each repetition is counted.
    package var retryCount: Int
    /// The first release that behaves so; on an older one the case is skipped.
    package var since: KernelVersion?
    /// Kernels that are spared.
    package var waivers: [LitmusWaiver]
    /// What the host makes of the process connector; anything but the default needs a waiver for the real kernel.
    package var connector = ConnectorAvailability.available
    /// The lines of all sections, in order.
    package var steps: [LitmusStep]
}

/// One of the two kernels under comparison.
package enum LitmusArmName: String, Hashable, Sendable, CaseIterable {
    case real
    case simulated = "sim"
}

/// Why one kernel need not answer a case, and where that is written.
package struct LitmusWaiver: Hashable, Sendable {
    /// The kernel that is spared.
    package var arm: LitmusArmName
    /// Why, and where that is written.
    package var reason: String
}

/// One line of a case.
package struct LitmusStep: Sendable {
    /// Whether the line acts or asks.
    package enum Kind: Sendable {
        case action(LitmusAction)
        /// An expectation of `nil` belongs to a line that only prepares, such as `open`.
        case observation(LitmusObservation, expected: LitmusExpectation?)
    }

    /// What the line does.
    package var kind: Kind
    /// The line as it stands in the file, without its expectation.
    package var text: String
    /// Its number in the file, from 1.
    package var line: Int
}

/// The answers that are right: one, or a set where the kernel promises no more.
package struct LitmusExpectation: Hashable, Sendable {
    /// One answer that is right.
    package struct Alternative: Hashable, Sendable {
        /// The answer, word for word.
        package var text: String
        /// Whether it must occur at least once among all tries.
        package var mustOccur: Bool
    }

    /// At least one; two or more where the kernel promises no more.
    package var alternatives: [Alternative]

    /// Whether only one answer is right.
    package var isExact: Bool { alternatives.count == 1 }

    /// Whether an answer is among the right ones.
    package func allows(_ answer: String) -> Bool { alternatives.contains { $0.text == answer } }

    /// As a file writes it.
    package var description: String {
        guard !isExact else { return alternatives[0].text }
        return "{" + alternatives.map { $0.text + ($0.mustOccur ? " sometimes" : "") }.joined(separator: "|")
            + "}"
    }
}

/// Bounds of the litmus suite: each is refused with its place when a file asks for more.
package enum LitmusLimits {
    /// Most tries of one case.
    package static let tryCount: UInt64 = 200
    /// Most repetitions of a disturbed try.
    package static let retryCount: UInt64 = 10
    /// Most children of one burst.
    package static let burstCount: UInt64 = 20_000
    /// Most arguments of one exec.
    package static let argumentCount = 32
    /// Longest argument written by `fill=`, in bytes: a request to a process of the case is one datagram.
    package static let fillByteCount: UInt64 = 131_072
    /// Most bytes read of one file.
    package static let readByteCount = 1_048_576
    /// Most datagrams one line looks at: more than any case makes, so that a busy host cannot keep a line going.
    package static let datagramCount = 200_000
    /// Most records of inotify one line reads in a row of calls.
    package static let recordCount = 20_000
    /// Most bytes of one call that lists, reads records or reads contents.
    package static let roomByteCount: UInt64 = 1_048_576
    /// Most bytes that one line shows of a file.
    package static let contentByteCount = 65_536
    /// How long a line waits for a further datagram.
    package static let quietTime: Duration = .milliseconds(25)
    /// How often a line waits so at most, however busy the host.
    package static let quietCount = 8
    /// How long one action of the real kernel may take, in milliseconds: far longer than on the busiest host.
    package static let actionMilliseconds: Int32 = 30_000
    /// Longest sleep or timer of a case.
    package static let sleepTime: Duration = .milliseconds(500)
}
