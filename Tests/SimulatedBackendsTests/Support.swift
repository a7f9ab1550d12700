import Backends
import EventModel
import KernelFormats
import SimulatedBackends
import Synchronization
import Testing

import struct SystemPackage.Errno

/// A world in which calls take 1 µs each and nothing is left to chance.
func plainConfiguration(seed: UInt64 = 1, kernel: KernelVersion = KernelVersion(major: 6, minor: 18))
    -> WorldConfiguration
{
    var configuration = WorldConfiguration(seed: seed)
    configuration.kernel = kernel
    configuration.callCost = .microseconds(1) ... .microseconds(1)
    configuration.execDuration = .zero ... .zero
    configuration.stampJitter = .zero ... .zero
    return configuration
}

/// A world as an ordinary user without capabilities sees it.
func unprivilegedConfiguration(uid: UInt32 = 1_000) -> WorldConfiguration {
    var configuration = plainConfiguration()
    configuration.ownUserID = UserID(uid)
    configuration.ownCapabilities = []
    return configuration
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func pid(_ number: Int32) -> ProcessID { ProcessID(number) }

extension SimulatedHost {
    /// A shell with pid 77 under init.
    func addShell(uid: UInt32 = 1_000) {
        kernel.addProcess(pid(77), ProcessTemplate(path: "/usr/bin/bash", uid: UserID(uid)))
    }

    /// A child of the shell that runs `sleep`.
    func addSleeper(_ number: Int32 = 412, argv: [String] = ["sleep", "100"]) throws -> ProcessID {
        let child = try #require(kernel.fork(parent: pid(77), as: pid(number)))
        kernel.exec(child, .file("/usr/bin/sleep"), argv: argv.map(bytes))
        return child
    }

    /// Lets world events up to a time happen, one call of 1 µs after the other.
    func wait(for duration: Duration) {
        let end = kernel.now.advanced(by: duration)
        var pids: [ProcessID] = []
        while kernel.now < end {
            pids.removeAll()
            try? procFileSystem.processIDs(into: &pids)
        }
    }

    /// Subscribes and swallows the acknowledgement.
    func openListener(bufferByteCount: Int? = nil) throws -> SimulatedConnectorSocket {
        let socket = try openConnectorSocket()
        if let bufferByteCount { _ = try socket.setReceiveBuffer(byteCount: bufferByteCount) }
        try socket.send(ConnectorRequest(.listen).bytes)
        _ = try socket.drain()
        return socket
    }
}

/// One thing that `receive` said.
enum Received: Equatable {
    case message(ConnectorMessage)
    case forged(port: UInt32)
    case overrun
}

extension SimulatedConnectorSocket {
    /// Receives until nothing is left.
    func drain(batchSize: Int = 64) throws -> [Received] {
        var received: [Received] = []
        var batch = DatagramBatch(capacity: batchSize, slotByteCount: 128)
        while true {
            do throws(Errno) {
                try receive(into: &batch)
            } catch {
                if error == .resourceTemporarilyUnavailable { return received }
                guard error == .noBufferSpace else { throw error }
                received.append(.overrun)
                continue
            }
            for (index, datagram) in batch.datagrams.enumerated() {
                guard datagram.senderPort == 0 else {
                    received.append(.forged(port: datagram.senderPort))
                    continue
                }
                let message = try ConnectorMessage(
                    parsing: batch.bytes.span, at: index * batch.slotByteCount, count: datagram.byteCount)
                received.append(.message(message))
            }
        }
    }

    /// Only the messages.
    func drainMessages() throws -> [ConnectorMessage] {
        try drain().compactMap { if case .message(let message) = $0 { message } else { nil } }
    }

    func drainEvents() throws -> [ConnectorEvent] { try drainMessages().map(\.event) }
}

extension ProcFileSystem {
    /// The whole of a file, through a handle of its own.
    func contents(of file: ProcessFile, _ pid: ProcessID) throws -> [UInt8] {
        let directory = try openProcess(pid)
        return try contents(of: file, in: directory)
    }

    func contents(of file: ProcessFile, in directory: borrowing ProcessDirectory) throws -> [UInt8] {
        let handle = try open(file, in: directory)
        var bytes: [UInt8] = []
        let isWhole = try readAll(handle, limit: 1 << 22, into: &bytes)
        #expect(isWhole)
        return bytes
    }

    func link(_ link: ProcessLink, _ pid: ProcessID) throws -> [UInt8] {
        let directory = try openProcess(pid)
        var bytes: [UInt8] = []
        try readLink(link, in: directory, into: &bytes)
        return bytes
    }

    func listed() throws -> [ProcessID] {
        var pids: [ProcessID] = []
        try processIDs(into: &pids)
        return pids
    }
}

/// The errno with which `body` fails; `nil` when it does not.
func failure(_ body: () throws -> Void) -> Errno? {
    do {
        try body()
        return nil
    } catch {
        return error as? Errno
    }
}

/// Runs `body` on a host of its own and reports an error it throws.
@discardableResult
func simulate(
    _ configuration: WorldConfiguration, faults: FaultPlan = FaultPlan(),
    prepare: (SimulatedHost) -> Void = { _ in },
    _ body: @escaping @Sendable (SimulatedHost) async throws -> Void
) -> SimulationReport {
    let host = SimulatedHost(configuration, faults: faults)
    prepare(host)
    let report = Simulation.run(host.pump) { try await body(host) }
    if case .threw(let description) = report.ending {
        Issue.record("the simulated body threw: \(description)")
    }
    return report
}

/// Suspends the calling task until a time of the simulated clock.
func sleep(until deadline: Instant, on clock: any SystemClock) async {
    await withCheckedContinuation { continuation in
        _ = clock.schedule(at: deadline) { continuation.resume() }
    }
}

func sleep(for duration: Duration, on clock: any SystemClock) async {
    await sleep(until: clock.monotonic.advanced(by: duration), on: clock)
}

/// A value that tasks of a simulation share with the test.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value { mutex.withLock { $0 } }

    func change(_ body: (inout Value) -> Void) { mutex.withLock { body(&$0) } }
}
