/// Makes a failure's scenario small and files it.
enum SwarmFiling {
    /// - Returns: The finding with its file, or with what was in the way.
    static func file(
        _ finding: SwarmFinding, scenario: Scenario, with workers: WorkerPair, options: SwarmOptions,
        progress: (String) -> Void
    ) -> SwarmFinding {
        var finding = finding
        var shrinking = ShrinkOptions()
        shrinking.mutant = options.mutant
        let full = scenario.document.lineCount
        do {
            let shrinker = Shrinker(workers: workers, options: shrinking)
            let result = try shrinker.shrink(
                scenario.document, path: scenario.path, seed: finding.record.seed, failure: finding.failure
            ) { _ in progress("shrinking seed \(finding.record.seed)") }
            guard result.isReproduced else {
                finding.problem = "the failure did not show again while it was to be shrunk"
                return finding
            }
            finding.lineCounts = (result.lineCount, full)
            finding.shrinkNanoseconds = result.wallNanoseconds
            guard let folder = options.bugFolder else { return finding }
            finding.file = try BugFile.write(result, into: folder)
        } catch let error as WorkerError {
            finding.problem = error.message
        } catch {
            finding.problem = "\(error)"
        }
        return finding
    }
}

extension SceneDocument {
    /// Lines that say something.
    var lineCount: Int {
        let lines = directives + sections.flatMap(\.lines)
        return lines.count { !$0.tokens.isEmpty } + 1 + sections.count
    }
}
