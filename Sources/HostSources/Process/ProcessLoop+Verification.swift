import Backends
import CollectorCore
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// Hashing what processes execute, a slice at a time between two rounds: one process at a time, others wait.
extension ProcessLoop {
    /// How long a slice may take.
    private static var sliceDuration: Duration { .milliseconds(1) }
    /// Looks at one process that were overtaken by an exec.
    private static var attemptLimit: Int { 3 }

    /// Has a process verified when its turn has come.
    func admitVerification(_ order: TaskDesk.Order) {
        guard waitingVerifications.count < Limits.waitingVerificationCount else {
            let message = "\(Limits.waitingVerificationCount) executables wait to be verified; ask again"
            return order.finish(.failure(TaskError(.exhausted, message)))
        }
        waitingVerifications.append(order)
    }

    /// Works for about a millisecond.
    func verificationSlice() {
        let end = now.advanced(by: Self.sliceDuration)
        while executableCheck != nil || !waitingVerifications.isEmpty {
            if let check = executableCheck {
                step(check)
            } else {
                begin(waitingVerifications.removeFirst(), attemptCount: 1)
            }
            if now >= end { return }
        }
    }

    /// Nobody waits longer than the run lasts.
    func refuseVerifications() {
        let stopped = TaskError(.exhausted, "the source has stopped; ask again")
        executableCheck?.order.finish(.failure(stopped))
        executableCheck = nil
        for order in waitingVerifications { order.finish(.failure(stopped)) }
        waitingVerifications = []
    }

    private func begin(_ order: TaskDesk.Order, attemptCount: Int) {
        guard case .verifyExecutable(let pid) = order.task else {
            preconditionFailure("only verifications wait here")
        }
        tracker.setClocks(sampleClocks())
        guard let process = tracker.table[pid.rawValue], tracker.admits(process) else {
            return refuse(order, .notFound, "there is no process \(pid)")
        }
        do throws(Errno) {
            let directory = try endpoints.procfs.openProcess(pid)
            // Whoever has the pid now has had it since before the folder was opened.
            let identity = reader.readIdentity(of: process)
            guard let stat = identity.stat, identity.failure == nil else {
                return end(order, process, because: identity.failure ?? .failed)
            }
            guard tracker.isOf(identity, process) else { throw .noSuchProcess }
            guard !stat.isKernelThread else {
                let message = "process \(pid) is a thread of the kernel: it has no executable"
                return refuse(order, .invalid, message)
            }
            let file = try endpoints.procfs.openExecutable(in: directory)
            let status = try endpoints.procfs.status(of: file)
            guard status.size <= Limits.hashedExecutableByteCount else {
                return end(order, process, .tooLarge)
            }
            executableCheck = ExecutableCheck(
                order, process, directory: directory, file: file, before: status, attemptCount: attemptCount)
        } catch {
            end(order, process, error)
        }
    }

    private func step(_ check: ExecutableCheck) {
        do throws(Errno) {
            if try check.step(endpoints.procfs) { return }
            executableCheck = nil
            try finish(check)
        } catch {
            executableCheck = nil
            end(check.order, check.process, error)
        }
    }

    private func finish(_ check: ExecutableCheck) throws(Errno) {
        guard let image = try check.look(endpoints.procfs), tracker.isTracked(check.process) else {
            guard tracker.isTracked(check.process) else { throw .noSuchProcess }
            guard check.attemptCount < Self.attemptLimit else {
                return end(check.order, check.process, .changing)
            }
            return begin(check.order, attemptCount: check.attemptCount + 1)
        }
        guard let digest = check.digest.finish(as: image.status) else {
            return end(check.order, check.process, .changing)
        }
        tracker.setClocks(sampleClocks())
        var event = tracker.present(check.process)
        let path = KernelText.decode(image.path).text
        event.executablePath = path
        event.executableExists = image.status.linkCount > 0
        event.executableHash = digest
        event.hashAlgorithm = .sha256
        event.provenance.exe = .verified
        var hash = HashAnswer(path: path, algorithm: .sha256, digest: digest, obstacle: nil)
        hash.onDisk = image.onDisk
        end(check.order, event, hash)
    }

    // MARK: - Answers

    private func refuse(_ order: TaskDesk.Order, _ code: TaskError.Code, _ message: String) {
        order.finish(.failure(TaskError(code, message)))
    }

    private func end(_ order: TaskDesk.Order, _ event: ProcessEvent, _ hash: HashAnswer) {
        var answer = TaskAnswer(monotonic: now)
        answer.processes = [event]
        answer.hash = hash
        answer.totalCount = 1
        order.finish(.success(answer))
    }

    private func end(_ order: TaskDesk.Order, _ process: TrackedProcess, _ obstacle: HashObstacle) {
        let event = tracker.present(process)
        end(
            order, event,
            HashAnswer(
                path: event.executablePath ?? "", algorithm: .sha256, digest: nil, obstacle: obstacle))
    }

    private func end(_ order: TaskDesk.Order, _ process: TrackedProcess, because reason: UnknownReason) {
        switch reason {
        case .vanished: end(order, process, Errno.noSuchProcess)
        case .denied: end(order, process, HashObstacle.denied)
        default: end(order, process, HashObstacle.failed)
        }
    }

    private func end(_ order: TaskDesk.Order, _ process: TrackedProcess, _ error: Errno) {
        switch error {
        // A process that has ended has no program, be it reaped or not.
        case .noSuchProcess, .noSuchFileOrDirectory:
            refuse(order, .notFound, "process \(process.event.pid) has ended")
        default: end(order, process, error.hashObstacle)
        }
    }
}
