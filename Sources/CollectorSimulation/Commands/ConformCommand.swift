import ArgumentParser

extension Simulator {
    struct Conform: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "conform",
            abstract: "Compares the simulated kernel with the real one.",
            discussion: """
                Each case says what is done and what must be seen, through the very interfaces that the collector uses. Both \
                kernels must answer rightly, and the simulated one must be able to do whatever the real one did. On the real \
                kernel the cases use processes of their own, which end with them; that takes root in the initial namespaces.

                Verdicts: agreed (the one right answer), envelope (within the answers the kernel promises), waived (one \
                kernel is spared, the reason is shown), one-sided (only one was asked), differs. Exit codes: 0, 11 when a \
                case differs, 16 when a file is wrong, 77 when --real lacks the rights.
                """)

        @Argument(help: ArgumentHelp("Case files or folders.", valueName: "file|folder"))
        var paths = ["Scenarios/litmus"]

        @Flag(
            exclusivity: .exclusive,
            help: "Which kernels answer; without root, --diff asks only the simulated one.")
        var kernels = Kernels.diff

        @Flag(help: "One JSON object for each case and one for the counts.")
        var json = false

        @Option(
            help: ArgumentHelp(
                "Instead of files, compare the kernels on this many random programs; prints those that differ as cases.",
                valueName: "count"))
        var random: Int?

        @Flag(help: "Random programs about files instead of processes.")
        var files = false

        @Flag(help: "Random programs about stream sockets instead of processes.")
        var sockets = false

        @Option(help: "Seed of the first random program; the next one has the next number.")
        var seed: UInt64 = 1

        enum Kernels: String, EnumerableFlag {
            case diff, real, sim

            static func help(for value: Self) -> ArgumentHelp? {
                switch value {
                case .diff: "Compare both kernels (the default)."
                case .real: "Ask only the real kernel."
                case .sim: "Ask only the simulated kernel."
                }
            }
        }

        func validate() throws {
            guard let random else {
                guard !files, !sockets else {
                    throw ValidationError("expected --files and --sockets only with --random")
                }
                return
            }
            guard !files || !sockets else { throw ValidationError("expected --files or --sockets, not both") }
            guard (1...1_000_000).contains(random) else {
                throw ValidationError("expected --random 1 to 1000000")
            }
            guard kernels == .diff, seed <= .max - 1_000_000 else {
                throw ValidationError("expected --random with neither --real nor --sim: it compares")
            }
        }

        func run() throws {
            if let random { return try compareRandom(random) }
            let files = try ScenarioFiles.expand(paths)
            guard !files.isEmpty else {
                throw FileError(path: paths.joined(separator: " "), reason: "holds no .scn file")
            }
            let conformance = Conformance(try arms())
            let begin = Terminal.realNanoseconds
            var summary = ConformanceSummary()
            var isWrongFile = false
            for (index, path) in files.enumerated() {
                Terminal.progress("\(index + 1)/\(files.count) \(path)")
                do {
                    let result = try conformance.check(try ScenarioFiles.read(path), path: path)
                    Terminal.progress("")
                    summary.add(result)
                    show(result)
                } catch let error as ScenarioError {
                    Terminal.progress("")
                    Terminal.standardError.writeLine(error.description)
                    isWrongFile = true
                }
            }
            let seconds = Double((Terminal.realNanoseconds - begin) / 100_000_000) / 10
            Terminal.standardOutput.writeLine(json ? summary.json : "\(summary.text) in \(seconds) s")
            if isWrongFile { throw ExitCode(Verdict.scenarioError.exitCode) }
            if summary.differenceCount > 0 { throw ExitCode(Verdict.safety.exitCode) }
        }

        private var subject: Conformance.Subject { sockets ? .sockets : files ? .files : .processes }

        private func compareRandom(_ count: Int) throws {
            if let obstacle = Conformance.realKernelObstacle {
                Terminal.standardError.writeLine("the real kernel cannot be asked: \(obstacle)")
                throw ExitCode(77)
            }
            var differenceCount = 0
            for seed in seed..<(seed + UInt64(count)) {
                Terminal.progress("seed \(seed), \(differenceCount) differ")
                let result = try Conformance.compareRandom(seed: seed, about: subject)
                if json { Terminal.standardOutput.writeLine(result.json) }
                guard let difference = result.difference else { continue }
                Terminal.progress("")
                differenceCount += 1
                if json { continue }
                Terminal.standardOutput.writeLine(difference)
                for detail in result.details { Terminal.standardOutput.writeLine("# " + detail) }
                Terminal.standardOutput.writeLine("")
            }
            Terminal.progress("")
            if !json {
                Terminal.standardOutput.writeLine("\(count) random programs: \(differenceCount) differ")
            }
            if differenceCount > 0 { throw ExitCode(Verdict.safety.exitCode) }
        }

        private func arms() throws -> Conformance.Arms {
            switch kernels {
            case .sim: return .simulated
            case .real:
                guard let obstacle = Conformance.realKernelObstacle else { return .real }
                Terminal.standardError.writeLine("the real kernel cannot be asked: \(obstacle)")
                throw ExitCode(77)
            case .diff:
                guard let obstacle = Conformance.realKernelObstacle else { return .both }
                Terminal.standardError.writeLine(
                    "only the simulated kernel is asked, nothing is compared; for the real one \(obstacle)")
                return .simulated
            }
        }

        private func show(_ result: ConformanceResult) {
            guard !json else { return Terminal.standardOutput.writeLine(result.json) }
            Terminal.standardOutput.writeLine(result.line(hasColour: Terminal.standardOutput.hasColour))
            for detail in result.details { Terminal.standardOutput.writeLine("            " + detail) }
            Terminal.standardOutput.flush()
        }
    }
}
