import ArgumentParser

extension Simulator {
    struct SoakRun: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "soak",
            abstract: "Runs the collector for millions of events and checks that nothing grows.",
            discussion: """
                Processes fork, execute and end without pause on the simulated host, pids come round, and storms overrun the \
                receive buffer. After each hundredth of the events the bytes held by every table and queue are added up, \
                beside this process's own memory; after the first fifth neither may have a trend. Accounts must balance all \
                along, and every message that the kernel lost must stand in a gap record.

                Exit codes: 0, 11 an account or a gap record is wrong, 12 it did not end, 13 something grows.
                """)

        @Option(help: "How many events.")
        var events = 10_000_000

        @Option(help: "Where all chance comes from.")
        var seed: UInt64 = 1

        @Flag(help: "One JSON object with all samples.")
        var json = false

        func validate() throws {
            guard (1_000...1_000_000_000_000).contains(events) else {
                throw ValidationError("expected --events 1000 to 1000000000000")
            }
        }

        func run() throws {
            let begin = Terminal.realNanoseconds
            if !json { Terminal.standardOutput.writeLine(Self.heading) }
            let result = Soak.run(
                eventCount: events, seed: seed, residentGrowthLimit: Soak.residentGrowthLimit
            ) { [json, events] sample in
                Terminal.progress("\(sample.eventCount * 100 / events) %")
                guard !json, sample.number % 10 == 1 else { return }
                Terminal.progress("")
                Terminal.standardOutput.writeLine(Self.row(sample))
                Terminal.standardOutput.flush()
            }
            Terminal.progress("")
            let wall = Terminal.realNanoseconds - begin
            if json {
                Terminal.standardOutput.writeLine(result.json(wallNanoseconds: wall))
            } else {
                for line in Self.summary(result, wallNanoseconds: wall) {
                    Terminal.standardOutput.writeLine(line)
                }
            }
            if result.verdict != .pass { throw ExitCode(result.verdict.exitCode) }
        }

        private static let heading =
            right("events", 12) + right("virtual s", 12) + right("accounted KiB", 15) + right("processes", 11)
            + right("resident KiB", 14)

        private static func row(_ sample: SoakSample) -> String {
            right("\(sample.eventCount)", 12) + right("\(sample.virtualNanoseconds / 1_000_000_000)", 12)
                + right("\(sample.memory.totalByteCount / 1_024)", 15)
                + right("\(sample.memory.trackedCount)", 11)
                + right(sample.residentByteCount.map { "\($0 / 1_024)" } ?? "-", 14)
        }

        private static func summary(_ result: SoakResult, wallNanoseconds: Int64) -> [String] {
            var lines = [
                "\(result.eventCount) events of \(result.kernelMessageCount) kernel messages in "
                    + "\(result.virtualNanoseconds / 1_000_000_000) virtual and \(wallNanoseconds / 1_000_000_000) real "
                    + "seconds",
                "\(result.lostCount) messages lost, in \(result.gapCount) gap records",
                "accounted memory grew by \(result.accountedGrowth) bytes, resident memory by "
                    + "\(result.residentGrowth) bytes",
            ]
            for failure in result.failures {
                lines.append("\(failure.verdict.rawValue), \(failure.oracle.rawValue): \(failure.message)")
            }
            lines.append(result.verdict.rawValue)
            return lines
        }

        private static func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.utf8.count)) + text
        }
    }
}
