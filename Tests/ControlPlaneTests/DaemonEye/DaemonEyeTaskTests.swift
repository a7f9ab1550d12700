import Backends
import CollectorCore
import ControlPlane
import EventModel
import SimulatedBackends
import SwiftProtobuf
import Testing
import Wire
import WireMessages

/// What tasks of the DaemonEye protocol are answered with.
@Suite struct DaemonEyeTaskTests {
    private static let peer = PeerCredentials(
        pid: ProcessID(2_000), uid: UserID(1_000), gid: GroupID(1_000), groups: [])

    private func perform(
        _ processes: [ProcessEvent] = TableSource.processes(9), role: WireWelcome.Role = .control,
        _ body: @escaping @Sendable (DaemonEyeStage, inout DaemonEyePeer) async throws -> Void
    ) {
        let host = SimulatedHost(WorldConfiguration(seed: 1), faults: FaultPlan())
        let report = Simulation.run(host.pump) {
            let listener = try host.transportListener(
                path: DaemonEyeStage.path, permissions: SocketPermissions(mode: 0o666))
            let stage = try await DaemonEyeStage(
                processes, listener, limits: DaemonEyeServer.Limits(), role: role, serverThread: host.pump,
                thread: host.pump,
                connector: host.transportConnector(path: DaemonEyeStage.path, as: Self.peer))
            var peer = try await stage.connect()
            try await body(stage, &peer)
            peer.close()
            await stage.strike()
        }
        #expect(report.ending == .completed)
    }

    // MARK: - Processes

    @Test func `every filter of a list is applied, and all of them together`() {
        perform { _, peer in
            for (change, pids) in Self.filters {
                let result = try await peer.ask(
                    DaemonEyePeer.task(.enumerateProcesses) {
                        $0.processFilter = change
                    })
                #expect(result.success && !result.hasErrorMessage && result.taskID == "task")
                #expect(result.processes.map(\.pid) == pids, "\(change)")
            }
        }
    }

    private static var filters: [(DaemonEyeProcessFilter, [UInt32])] {
        func filter(_ names: [String], _ pids: [UInt32], _ pattern: String?) -> DaemonEyeProcessFilter {
            var filter = DaemonEyeProcessFilter()
            filter.processNames = names
            filter.pids = pids
            if let pattern { filter.executablePattern = pattern }
            return filter
        }
        // 1, 4, 7 run sleep, 2, 5, 8 nginx, 3, 6, 9 bash.
        return [
            (filter([], [], nil), Array(1...9)), (filter([], [], ""), Array(1...9)),
            (filter(["bash"], [], nil), [3, 6, 9]),
            (filter(["bash", "nginx"], [], nil), [2, 3, 5, 6, 8, 9]),
            (filter(["bas"], [], nil), []), (filter([], [4, 2, 77], nil), [2, 4]),
            (filter([], [], "/usr/bin/bash"), [3, 6, 9]), (filter([], [], "/usr/bin/bas"), []),
            (filter([], [], "/usr/bin/*"), [1, 3, 4, 6, 7, 9]), (filter([], [], "*nginx"), [2, 5, 8]),
            (filter([], [], "*/sbin/*"), [2, 5, 8]), (filter([], [], "/opt/*/nginx*"), [2, 5, 8]),
            (filter([], [], "/opt/*x*x*x"), []), (filter([], [], "*"), Array(1...9)),
            (filter([], [], "*e*e*"), [1, 4, 7]), (filter([], [], "bash"), []),
            (filter(["bash"], [1, 3, 9], "*sh"), [3, 9]),
        ]
    }

    @Test func `the tree of a process is given, filtered likewise`() {
        perform { _, peer in
            var result = try await peer.ask(
                DaemonEyePeer.task(.monitorProcessTree) { $0.processFilter.pids = [1] })
            #expect(result.success && result.processes.map(\.pid) == Array(1...9))
            result = try await peer.ask(
                DaemonEyePeer.task(.monitorProcessTree) {
                    $0.processFilter.pids = [1]
                    $0.processFilter.executablePattern = "*bash"
                })
            #expect(result.processes.map(\.pid) == [3, 6, 9])
            result = try await peer.ask(
                DaemonEyePeer.task(.monitorProcessTree) { $0.processFilter.pids = [99] })
            #expect(!result.success && result.errorMessage.contains("no process 99"))
            for pids: [UInt32] in [[], [1, 2], [0], [.max]] {
                result = try await peer.ask(
                    DaemonEyePeer.task(.monitorProcessTree) {
                        $0.processFilter.pids = pids
                    })
                #expect(!result.success && result.errorMessage.contains("pid") && result.processes.isEmpty)
            }
        }
    }

    @Test func `a record says what is known, and leaves out the rest`() {
        var known = TableSource.processes(2)[1]
        known.startTime = WallTime(nanoseconds: -1)
        known.cpuUsage = 12.5
        known.memoryUsage = 4_096
        known.executableExists = true
        var bare = ProcessEvent(
            identity: ProcessIdentity(pid: ProcessID(3), birth: .scan(startTicks: 1, pidFDInode: 1)))
        bare.isAccessible = false
        var deleted = TableSource.processes(4)[3]
        deleted.executableExists = false
        perform([known, bare, deleted]) { stage, peer in
            let result = try await peer.ask(DaemonEyePeer.task(.enumerateProcesses))
            let records = result.processes
            try #require(records.count == 3)
            #expect(records[0].ppid == 1 && records[0].name == "nginx" && records[0].userID == "1000")
            #expect(records[0].startTime == -1, "rounded down to seconds")
            #expect(records[0].cpuUsage == 12.5 && records[0].memoryUsage == 4_096)
            #expect(records[0].accessible && records[0].fileExists && !records[0].onDiskMismatch)
            #expect(records[0].collectionTime == stage.thread.clock.wall.nanoseconds / 1_000_000)
            #expect(!records[1].hasPpid && !records[1].hasExecutablePath && !records[1].hasStartTime)
            #expect(!records[1].hasCpuUsage && !records[1].hasMemoryUsage && !records[1].hasUserID)
            #expect(!records[1].accessible && !records[1].fileExists && !records[1].onDiskMismatch)
            #expect(!records[2].fileExists && records[2].onDiskMismatch)
            #expect(records.allSatisfy { !$0.hasSsdeepHash && !$0.hasExecutableHash && !$0.ssdeepDegraded })
        }
    }

    @Test func `a long list comes whole`() {
        perform(TableSource.processes(3_000)) { _, peer in
            let result = try await peer.ask(DaemonEyePeer.task(.enumerateProcesses))
            #expect(result.success && result.processes.map(\.pid) == Array(1...3_000))
        }
    }

    @Test func `a list that has no room in a frame is refused with advice, not cut`() {
        perform(TableSource.processes(1_000, argumentByteCount: 2_000)) { _, peer in
            var result = try await peer.ask(DaemonEyePeer.task(.enumerateProcesses, id: "all"))
            #expect(!result.success && result.processes.isEmpty && result.taskID == "all")
            #expect(result.errorMessage.contains("1000") && result.errorMessage.contains("process_filter"))
            result = try await peer.ask(
                DaemonEyePeer.task(.enumerateProcesses) {
                    $0.processFilter.processNames = ["bash"]
                })
            #expect(result.success && result.processes.count == 333, "narrowed as advised")
        }
    }

    @Test func `command lines that are known in part are named`() {
        var processes = TableSource.processes(30)
        for index in processes.indices.dropFirst(2) { processes[index].isCommandLineTruncated = true }
        perform(processes) { _, peer in
            let result = try await peer.ask(DaemonEyePeer.task(.enumerateProcesses))
            #expect(result.success && result.processes.count == 30)
            #expect(
                result.errorMessage.contains("28 command lines") && result.errorMessage.contains("3, 4, 5"))
        }
    }

    // MARK: - Digests

    @Test func `a digest is told and compared`() {
        perform { _, peer in
            for (expected, isMatch) in [
                ("", true), (TableSource.digest.uppercased(), true),
                (String(repeating: "0", count: 64), false),
            ] {
                for type in [DaemonEyeTaskType.checkProcessHash, .verifyExecutable] {
                    let result = try await peer.ask(
                        DaemonEyePeer.task(type) {
                            $0.hashCheck.executablePath = TableSource.path
                            $0.hashCheck.hashAlgorithm = "SHA256"
                            $0.hashCheck.expectedHash = expected
                        })
                    #expect(result.success && result.hashResult.success == isMatch)
                    #expect(result.hashResult.hashValue_p == TableSource.digest)
                    #expect(result.hashResult.algorithm == "sha256")
                    #expect(result.hashResult.hasErrorMessage == !isMatch)
                }
            }
        }
    }

    @Test func `a file without a digest is no success`() {
        perform { _, peer in
            let result = try await peer.ask(
                DaemonEyePeer.task(.checkProcessHash) {
                    $0.hashCheck.executablePath = "/watched/gone"
                })
            #expect(!result.success && !result.hashResult.success && result.hashResult.hashValue_p.isEmpty)
            #expect(result.errorMessage.contains("vanished") && result.taskID == "task")
        }
    }

    @Test func `who may only read has no file read`() {
        perform(role: .read) { stage, peer in
            for type in [DaemonEyeTaskType.checkProcessHash, .verifyExecutable] {
                let result = try await peer.ask(
                    DaemonEyePeer.task(type) {
                        $0.hashCheck.executablePath = TableSource.path
                    })
                #expect(!result.success && result.errorMessage.contains("control") && !result.hasHashResult)
            }
            #expect(stage.source.performing.most == 0)
            #expect(try await peer.ask(DaemonEyePeer.task(.enumerateProcesses)).success)
        }
    }

    @Test func `what sources refuse is passed on`() {
        perform { _, peer in
            let result = try await peer.ask(
                DaemonEyePeer.task(.verifyExecutable) { $0.processFilter.pids = [3] })
            #expect(!result.success && result.errorMessage.contains("verify_executable"))
        }
    }

    // MARK: - Refusals

    @Test(arguments: 4...99) func `a task that nobody carries out is unsupported`(type: Int) {
        perform { _, peer in
            let type = try #require(DaemonEyeTaskType(rawValue: type))
            let result = try await peer.ask(DaemonEyePeer.task(type, id: "task \(type.rawValue)"))
            #expect(!result.success && result.errorMessage.contains("unsupported"))
            #expect(result.taskID == "task \(type.rawValue)")
        }
    }

    @Test func `conditions that mean nothing for a task are not dropped`() {
        perform { stage, peer in
            for task in Self.senseless {
                let result = try await peer.ask(task)
                #expect(!result.success && !result.errorMessage.isEmpty && result.taskID == "task", "\(task)")
            }
            #expect(stage.source.performing.most == 0)
        }
    }

    private static var senseless: [DaemonEyeDetectionTask] {
        [
            DaemonEyePeer.task(.enumerateProcesses) { $0.networkFilter.protocols = ["tcp"] },
            DaemonEyePeer.task(.enumerateProcesses) { $0.filesystemFilter.pathPatterns = ["/"] },
            DaemonEyePeer.task(.enumerateProcesses) { $0.performanceFilter.metricNames = ["cpu"] },
            DaemonEyePeer.task(.enumerateProcesses) { $0.hashCheck.executablePath = "/" },
            DaemonEyePeer.task(.enumerateProcesses) { $0.processFilter.pids = [1 << 31] },
            DaemonEyePeer.task(.enumerateProcesses) {
                $0.processFilter.pids = Array(repeating: 1, count: Limits.filterValueCount + 1)
            },
            DaemonEyePeer.task(.enumerateProcesses) {
                $0.processFilter.executablePattern = String(repeating: "*", count: 257)
            },
            DaemonEyePeer.task(.checkProcessHash),
            DaemonEyePeer.task(.verifyExecutable) { $0.processFilter.processNames = ["bash"] },
            DaemonEyePeer.task(.verifyExecutable) { $0.processFilter.pids = [1, 2] },
            DaemonEyePeer.task(.verifyExecutable) {
                $0.processFilter.pids = [1]
                $0.hashCheck.hashAlgorithm = "blake3"
            },
            DaemonEyePeer.task(.checkProcessHash) {
                $0.hashCheck.executablePath = TableSource.path
                $0.hashCheck.hashAlgorithm = "md5"
            },
            DaemonEyePeer.task(.checkProcessHash) {
                $0.hashCheck.executablePath = TableSource.path
                $0.hashCheck.expectedHash = "d41d8cd98f00b204e9800998ecf8427e"
            },
        ]
    }

    @Test func `a message that is neither is refused, and the next one answered`() {
        perform { _, peer in
            await peer.send(DaemonEyePeer.frame([0x0a, 1, 0x61, 0x10, 1, 0x12, 1, 0]))
            let refusal = try await peer.result()
            #expect(
                !refusal.success && refusal.taskID == "a" && refusal.errorMessage.contains("both") == false)
            #expect(refusal.errorMessage.contains("DetectionTask and of a CapabilityRequest"))
            #expect(try await peer.ask(DaemonEyePeer.task(.enumerateProcesses)).success)
        }
    }

    @Test func `a source that does not answer in time is told of`() {
        perform { stage, peer in
            stage.source.take(.seconds(60))
            let result = try await peer.ask(DaemonEyePeer.task(.enumerateProcesses))
            #expect(!result.success && !result.errorMessage.isEmpty && result.taskID == "task")
        }
    }

    // MARK: - Capabilities

    @Test func `capabilities are those that there are`() throws {
        perform { _, peer in
            for (domains, missing) in [
                ([.process], nil), ([.process, .filesystem], nil), ([.network, .process], "NETWORK"),
                ([.performance], "PERFORMANCE"), ([.UNRECOGNIZED(9)], "9"),
            ] as [([DaemonEyeMonitoringDomain], String?)] {
                var request = DaemonEyeCapabilityRequest()
                request.clientID = "test"
                request.requestedDomains = domains
                await peer.send(DaemonEyePeer.frame(request))
                let payload = try #require(try await peer.next())
                let response = try DaemonEyeCapabilityResponse(serializedBytes: payload)
                #expect(response.negotiationSuccess == (missing == nil))
                #expect(response.errorMessage.contains(missing ?? "") || missing == nil)
                #expect(response.capabilities.supportedDomains == [.process, .filesystem])
                #expect(response.capabilities.advanced.realtime && !response.capabilities.advanced.systemWide)
                #expect(!response.serverVersion.isEmpty)
            }
        }
    }

    // MARK: - Order

    @Test func `requests that do not wait for answers are answered one after the other`() {
        perform { stage, peer in
            stage.source.take(.milliseconds(20))
            var bytes: [UInt8] = []
            for number in 0..<50 {
                bytes += DaemonEyePeer.frame(DaemonEyePeer.task(.enumerateProcesses, id: "\(number)"))
            }
            await peer.send(bytes)
            for number in 0..<50 {
                let result = try await peer.result()
                #expect(result.success && result.taskID == "\(number)")
            }
            #expect(stage.source.performing.most == 1)
        }
    }

    @Test func `who waits for an answer when the collector stops is told so`() {
        perform { stage, peer in
            stage.source.take(.seconds(5))
            await peer.send(DaemonEyePeer.frame(DaemonEyePeer.task(.enumerateProcesses, id: "late")))
            await stage.until("it is under way") { stage.source.performing.now == 1 }
            stage.server.stop("over")
            let results = try await peer.rest()
            #expect(results.count == 1 && results.first?.taskID == "late")
            #expect(results.first?.success == false && results.first?.errorMessage == "over")
        }
    }
}
