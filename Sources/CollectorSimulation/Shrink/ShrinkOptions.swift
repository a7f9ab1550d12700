/// How far to shrink a failing scenario.
package struct ShrinkOptions: Sendable {
    /// Real time after which the smallest scenario so far is the result, in seconds.
    package var timeLimitSeconds = 60
    /// Seeds, from 1 on, under which the filed scenario has to pass one day.
    package var scheduleCount: UInt64 = 200
    /// Name of a bug to plant in every run, in a build that has them.
    package var mutant: String?

    package init() {}
}

/// The smallest scenario found that still fails in the same way.
package struct ShrinkResult: Sendable {
    package var document: SceneDocument
    /// What fails, in the words of the small scenario.
    package var failure: Failure
    /// The seed with which it fails; within `1...scheduleCount` where there is such a one.
    package var seed: UInt64
    /// How many seeds it is filed with.
    package var scheduleCount: UInt64
    /// Runs made.
    package var triedCount: Int
    /// Real time taken.
    package var wallNanoseconds: Int64
    /// Lines of the document, without blank ones and comments.
    package var lineCount: Int
    /// Whether the failure could be shown again at all; if not, the document is the one that was given.
    package var isReproduced: Bool

    package init(
        document: SceneDocument, failure: Failure, seed: UInt64, scheduleCount: UInt64, triedCount: Int,
        wallNanoseconds: Int64, isReproduced: Bool
    ) {
        self.document = document
        self.failure = failure
        self.seed = seed
        self.scheduleCount = scheduleCount
        self.triedCount = triedCount
        self.wallNanoseconds = wallNanoseconds
        self.isReproduced = isReproduced
        lineCount = document.meaningfulLineCount
    }
}

/// Where a shrinker is.
package struct ShrinkProgress: Sendable {
    /// What is being tried, in a word or two.
    package var phase: String
    /// Lines of the smallest scenario so far.
    package var lineCount: Int
    package var triedCount: Int
    package var wallNanoseconds: Int64
}

extension SceneDocument {
    /// Lines that say something: neither blank nor comments.
    package var meaningfulLineCount: Int {
        func count(_ lines: [SceneLine]) -> Int { lines.count { $0.isMeaningful } }
        return 1 + count(directives) + sections.reduce(0) { $0 + 1 + count($1.lines) }
    }
}

extension SceneLine {
    var isMeaningful: Bool {
        switch content {
        case .tokens, .output: true
        case .comment, .blank: false
        }
    }
}
