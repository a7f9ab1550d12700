import Backends
import CollectorCore
import Digests
import EventModel
import HostSources
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// `verify_executable`, asked of the process source on a simulated host.
@Suite struct VerificationTests {
    typealias Answer = Result<TaskAnswer, TaskError>

    private static let tool = Array("/usr/bin/tool".utf8)

    /// Asks about processes one second after the source has begun, and takes the answers in the order of the questions.
    private func verify(
        _ pids: [Int32], faults: [FaultRule] = [], configuration: WorldConfiguration = WorldConfiguration(),
        bootedWith change: (SimulatedKernel) -> Void = { _ in },
        during steps: [(time: Duration, change: @Sendable (SimulatedKernel) -> Void)] = []
    ) -> Outcome {
        let outcome = Shared(Outcome())
        let host = SimulatedHost(configuration, faults: FaultPlan(faults))
        host.kernel.addProcess(pid(77), ProcessTemplate(path: "/usr/bin/tool"))
        change(host.kernel)
        for step in steps {
            host.kernel.schedule(at: host.kernel.now.advanced(by: step.time)) { step.change($0) }
        }
        let report = Simulation.run(host.pump) {
            let source = ProcessSource(
                endpoints: ProcessSource.Endpoints(
                    procfs: host.procFileSystem, connector: try host.openConnectorSocket(),
                    fence: host.fence, cursor: nil),
                settings: ProcessSourceSettings(), clock: host.clock)
            let collector = try Collector(
                configuration: CollectorConfiguration(),
                run: RunContext(bootID: configuration.bootID, runID: RunID(1)), thread: host.pump)
            try collector.register(source, on: host.pump)
            let stopper = spawn(on: host.pump) {
                let begun = host.clock.monotonic
                try? await host.clock.sleep(until: begun.advanced(by: .milliseconds(200)))
                let digest = Self.digest(of: pid(77), host.procFileSystem)
                outcome.change { $0.digest = digest }
                try? await host.clock.sleep(until: begun.advanced(by: .seconds(1)))
                for number in pids {
                    let answer: Answer
                    do throws(TaskError) {
                        answer = .success(
                            try await collector.perform(
                                .verifyExecutable(pid(number)),
                                until: host.clock.monotonic.advanced(by: .seconds(5))))
                    } catch {
                        answer = .failure(error)
                    }
                    outcome.change { $0.answers.append(answer) }
                }
                collector.requestStop()
            }
            let report = try await collector.run()
            stopper.cancel()
            outcome.change { $0.account = report.accounts.sources.first }
        }
        #expect(report.ending == .completed)
        return outcome.value
    }

    private struct Outcome: Sendable {
        var answers: [Answer] = []
        var account: SourceAccount?
        /// Of the program of process 77, by who has simply read it 200 ms after the beginning; `nil` when that failed.
        var digest: String?
    }

    private static func digest(of pid: ProcessID, _ files: any ProcFileSystem) -> String? {
        do {
            let directory = try files.openProcess(pid)
            let file = try files.openExecutable(in: directory)
            var bytes: [UInt8] = []
            _ = try files.readAll(file, limit: 1 << 20, into: &bytes)
            return SHA256.digest(bytes).map { byte in
                let text = String(byte, radix: 16)
                return text.count == 1 ? "0" + text : text
            }.joined()
        } catch {
            return nil
        }
    }

    @Test func `the running program is hashed, and its path still names it`() throws {
        let outcome = verify([77])
        let answer = try #require(outcome.answers.first).get()
        let process = try #require(answer.processes.first)
        let hash = try #require(answer.hash)
        #expect(hash.digest != nil && hash.digest == outcome.digest)
        #expect(hash.onDisk == .same && hash.obstacle == nil && hash.path == "/usr/bin/tool")
        #expect(process.executableHash == hash.digest && process.hashAlgorithm == .sha256)
        #expect(process.pid == pid(77) && process.executablePath == "/usr/bin/tool")
        #expect(process.executableExists == true)
        #expect(outcome.account?.isBalanced == true)
    }

    @Test func `a program that was replaced is hashed as it runs, and both facts are told`() throws {
        let outcome = verify(
            [77, 78],
            during: [
                (
                    .milliseconds(300),
                    { kernel in
                        kernel.unlinkExecutable(Self.tool)
                        kernel.fork(parent: pid(77), as: pid(78))
                        kernel.exec(pid(78), .file(Self.tool))
                    }
                )
            ])
        let hashes = try outcome.answers.map { try #require($0.get().hash) }
        try #require(hashes.count == 2)
        let (old, new) = (hashes[0], hashes[1])
        #expect(old.digest != nil && old.digest == outcome.digest && old.onDisk == .replaced)
        #expect(new.digest != nil && new.digest != old.digest && new.onDisk == .same)
        #expect(old.path == "/usr/bin/tool" && new.path == "/usr/bin/tool")
        #expect(try outcome.answers.first?.get().processes.first?.executableExists == false)
    }

    @Test func `a program without a name is hashed all the same`() throws {
        let answers = verify(
            [77], during: [(.milliseconds(300), { $0.unlinkExecutable(Self.tool) })]
        ).answers
        let answer = try #require(answers.first).get()
        #expect(answer.hash?.digest?.count == 64 && answer.hash?.onDisk == .missing)
        #expect(answer.hash?.path == "/usr/bin/tool" && answer.processes.first?.executableExists == false)
    }

    @Test func `kernel threads are invalid, who is gone is not found`() throws {
        let answers = verify(
            [2, 78, 77],
            bootedWith: { $0.addProcess(pid(2), .kernelThread("kthreadd")) },
            during: [(.milliseconds(300), { $0.exit(pid(77)) })]
        ).answers
        let codes = answers.map { answer -> TaskError.Code? in
            if case .failure(let error) = answer { error.code } else { nil }
        }
        #expect(codes == [.invalid, .notFound, .notFound])
    }

    @Test func `who ends while it is read is not found`() throws {
        var rule = FaultRule(.imageRead, .diesBeforeRead)
        // Behind those of whoever reads it first.
        rule.nth = 4
        let outcome = verify([77], faults: [rule])
        guard case .failure(let error) = outcome.answers.first else {
            Issue.record("a digest of a process that had ended")
            return
        }
        #expect(error.code == .notFound)
        #expect(outcome.account?.isBalanced == true)
    }

    @Test func `an exec within the reading makes it begin anew with the new program`() throws {
        var rule = FaultRule(.imageRead, .stall(.milliseconds(200)))
        rule.nth = 4
        let answers = verify(
            [77], faults: [rule],
            during: [
                (.milliseconds(1_100), { $0.exec(pid(77), .file(Array("/usr/bin/other".utf8)), over: .zero) })
            ]
        ).answers
        let answer = try #require(answers.first).get()
        #expect(answer.hash?.path == "/usr/bin/other" && answer.hash?.onDisk == .same)
        #expect(answer.processes.first?.executablePath == "/usr/bin/other")
    }

    @Test func `whoever may not look is told so`() throws {
        var configuration = WorldConfiguration()
        configuration.ownUserID = UserID(1_000)
        configuration.ownCapabilities = [.networkAdministration]
        let answers = verify([77], configuration: configuration).answers
        let answer = try #require(answers.first).get()
        #expect(answer.hash?.obstacle == .denied && answer.hash?.digest == nil)
        #expect(answer.processes.first?.executableHash == nil)
    }

    @Test func `small pieces make the same digest`() throws {
        var rule = FaultRule(.imageRead, .short(1_000))
        rule.probability = 1
        let whole = try #require(verify([77]).answers.first).get().hash?.digest
        let pieces = try #require(verify([77], faults: [rule]).answers.first).get().hash?.digest
        #expect(whole != nil && whole == pieces)
    }

    @Test(arguments: [BackendOperation.imageOpen, .imageRead, .imageStatus, .procfsReadLink, .procfsStatus])
    func `whichever call fails, there is an answer and never a wrong digest`(operation: BackendOperation)
        throws
    {
        let right = try #require(verify([77]).answers.first).get().hash?.digest
        for error in operation.errors {
            for nth in [1, 2, 4, 5, 6] {
                var rule = FaultRule(operation, .errno(error))
                rule.pid = pid(77)
                rule.nth = nth
                let outcome = verify([77], faults: [rule])
                #expect(outcome.account?.isBalanced == true)
                guard case .success(let answer) = try #require(outcome.answers.first) else { continue }
                let hash = try #require(answer.hash)
                #expect((hash.digest == nil) != (hash.obstacle == nil), "\(operation) \(error) \(nth)")
                #expect(hash.digest == nil || hash.digest == right, "\(operation) \(error) \(nth)")
                #expect(answer.processes.first?.executableHash == hash.digest, "\(operation) \(error) \(nth)")
            }
        }
    }
}
