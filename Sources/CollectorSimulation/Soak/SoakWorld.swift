import EventModel
import SimulatedBackends

/// Processes that come and go without end: forks, execs, exits, pids that come round, and now and then a storm that the
/// receive buffer cannot hold.
///
/// The number of living processes stays within bounds, whatever the number of events.
final class SoakWorld {
    /// Lives at least and at most, beside storms: a narrow band, so that what grows shows.
    static let livingRange = 140..<160
    /// Pids are below this number, so that they come round every few thousand forks.
    static let pidMaximum: Int32 = 2_000
    private static let shell = ProcessID(77)
    /// Virtual time between two things that happen.
    private static let pace: Duration = .microseconds(100)
    /// One thing in so many is a storm.
    private static let stormRarity: UInt64 = 100_000
    private static let stormCount = 300
    private static let programs = ["cc1", "sh", "git", "make", "sed", "python3", "ld", "collect2"]

    private var generator: SeededGenerator
    private var living: [ProcessID] = []
    private(set) var isResting = false

    init(seed: UInt64) { generator = SeededGenerator(seed: seed, stream: .schedule) }

    /// Adds the processes that stay, and begins.
    func start(on kernel: SimulatedKernel) {
        var shell = ProcessTemplate()
        shell.program = .file(Array("/usr/bin/bash".utf8))
        shell.uid = UserID(1_000)
        _ = kernel.addProcess(Self.shell, shell)
        scheduleNext(on: kernel)
    }

    /// No more births; everybody ends.
    func rest() { isResting = true }

    private func scheduleNext(on kernel: SimulatedKernel) {
        kernel.schedule(at: kernel.now.advanced(by: Self.pace)) { [self] kernel in
            step(on: kernel)
            guard !isResting || !living.isEmpty else { return }
            scheduleNext(on: kernel)
        }
    }

    private func step(on kernel: SimulatedKernel) {
        if isResting { return end(on: kernel) }
        if generator.below(Self.stormRarity) == 0 {
            _ = kernel.burst(
                parent: Self.shell, count: Self.stormCount, over: .microseconds(150), executing: nil)
            return
        }
        let wantsBirth =
            living.count < Self.livingRange.lowerBound
            || generator.below(2) == 0 && living.count < Self.livingRange.upperBound
        switch generator.below(10) {
        case 0..<6 where wantsBirth: fork(on: kernel)
        case 0..<6: end(on: kernel)
        case 6, 7: execute(on: kernel)
        case 8: rename(on: kernel)
        default: changeUser(on: kernel)
        }
    }

    private func fork(on kernel: SimulatedKernel) {
        let parent = generator.below(8) == 0 ? one() ?? Self.shell : Self.shell
        guard let child = kernel.fork(parent: parent) else { return }
        living.append(child)
    }

    private func execute(on kernel: SimulatedKernel) {
        guard let process = one() else { return }
        let name = Self.programs[Int(generator.below(UInt64(Self.programs.count)))]
        let path = Array("/usr/bin/\(name)".utf8)
        _ = kernel.exec(
            process, .file(path), argv: [path, Array("-o\(generator.below(1_000))".utf8)], comm: nil)
    }

    private func rename(on kernel: SimulatedKernel) {
        guard let process = one() else { return }
        _ = kernel.setComm(process, Array("worker/\(generator.below(100))".utf8))
    }

    private func changeUser(on kernel: SimulatedKernel) {
        guard let process = one() else { return }
        let user = UserID(UInt32(1_000 + generator.below(20)))
        _ = kernel.setUserID(process, real: user, effective: user)
    }

    private func end(on kernel: SimulatedKernel) {
        guard !living.isEmpty else { return }
        let process = living.remove(at: Int(generator.below(UInt64(living.count))))
        _ = kernel.exit(process, .exited(UInt8(generator.below(4))))
        // An orphan's parent is init, which reaps by itself.
        _ = kernel.reap(process)
    }

    private func one() -> ProcessID? {
        living.isEmpty ? nil : living[Int(generator.below(UInt64(living.count)))]
    }
}
