import Backends
import EventModel
import KernelFormats
import Synchronization

extension LitmusInterpreter {
    /// How often clocks are read to see in which order they run.
    private static let sampleCount = 1_000

    /// One reading in nanoseconds; `suspended` is what `CLOCK_BOOTTIME` is ahead, in whole milliseconds, because the two
    /// clocks cannot be read at once.
    func reading(of clock: String) -> String {
        switch clock {
        case "wall": "\(world.clock.wall.nanoseconds)"
        case "monotonic": "\(world.clock.monotonic.nanoseconds)"
        case "boot": "\(world.clock.bootTime.nanoseconds)"
        default: "\((world.clock.bootTime.nanoseconds - world.clock.monotonic.nanoseconds) / 1_000_000)"
        }
    }

    /// Whether the clocks that must not go back do not, and which one is ahead.
    func clockOrder() -> String {
        let clock = world.clock
        var answers: Set<String> = []
        var monotonic = clock.monotonic
        var boot = clock.bootTime
        for _ in 0..<Self.sampleCount {
            let nextMonotonic = clock.monotonic
            let nextBoot = clock.bootTime
            if nextMonotonic < monotonic { answers.insert("monotonic went back") }
            if nextBoot < boot { answers.insert("boot went back") }
            if nextBoot.nanoseconds < nextMonotonic.nanoseconds { answers.insert("boot behind monotonic") }
            monotonic = nextMonotonic
            boot = nextBoot
        }
        return answers.isEmpty ? "forward, boot>=monotonic" : answers.sorted().joined(separator: ", ")
    }

    func timer(_ duration: Duration) async -> String {
        let deadline = world.clock.monotonic.advanced(by: duration)
        await sleep(duration)
        return world.clock.monotonic < deadline ? "early" : "not early"
    }

    /// The timers, by their position from 1, in the order in which they fired.
    func timers(_ durations: [Duration]) async -> String {
        let clock = world.clock
        let start = clock.monotonic
        let fired = FiringOrder()
        for (index, duration) in durations.enumerated() {
            _ = clock.schedule(at: start.advanced(by: duration)) { fired.note(index + 1) }
        }
        let last = durations.max() ?? .zero
        await sleep(last + .milliseconds(5))
        return "[" + fired.order.map(String.init).joined(separator: " ") + "]"
    }

    func cancelTimer(_ duration: Duration) async -> String {
        let clock = world.clock
        let fired = FiringOrder()
        let token = clock.schedule(at: clock.monotonic.advanced(by: duration)) { fired.note(1) }
        clock.cancel(token)
        await sleep(duration + .milliseconds(5))
        return fired.order.isEmpty ? "silent" : "fired"
    }

    /// Has each processor announce its sequence, and tells whether the messages came from there.
    func announce(through observer: ConnectorObserver) async throws -> String {
        let name = "litmus-fence"
        var answers: Set<String> = []
        for processor in try world.fence.onlineProcessors() {
            _ = try await observer.receive(quietly: world.clock)
            try world.fence.announce(name, on: processor)
            let news = try await observer.receive(quietly: world.clock)
            let own = news.messages.filter { $0.task?.tgid == world.fence.ownProcessID }
            guard let first = own.first, case .comm(_, let said) = first.event, said.bytes == Array(name.utf8)
            else {
                answers.insert("not announced")
                continue
            }
            let place = first.processor == processor ? "there" : "elsewhere"
            answers.insert("announced \(place), then \(own.count - 1) more")
        }
        return answers.sorted().joined(separator: "; ")
    }
}

/// Which timers have fired, in order.
private final class FiringOrder: Sendable {
    private let fired = Mutex<[Int]>([])

    var order: [Int] { fired.withLock { $0 } }

    func note(_ index: Int) { fired.withLock { $0.append(index) } }
}
