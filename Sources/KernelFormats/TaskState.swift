/// The state of a task by its letter in `stat` and `status` (`task_state_array` in `fs/proc/array.c`).
package struct TaskState: RawRepresentable, Hashable, Sendable {
    /// An ASCII letter.
    package var rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let running = Self(rawValue: 0x52)
    package static let sleeping = Self(rawValue: 0x53)
    package static let diskSleep = Self(rawValue: 0x44)
    package static let stopped = Self(rawValue: 0x54)
    package static let tracingStop = Self(rawValue: 0x74)
    package static let dead = Self(rawValue: 0x58)
    package static let zombie = Self(rawValue: 0x5a)
    package static let parked = Self(rawValue: 0x50)
    package static let idle = Self(rawValue: 0x49)

    /// The words that `status` prints after the letter.
    package var words: String {
        switch self {
        case .running: "running"
        case .sleeping: "sleeping"
        case .diskSleep: "disk sleep"
        case .stopped: "stopped"
        case .tracingStop: "tracing stop"
        case .dead: "dead"
        case .zombie: "zombie"
        case .parked: "parked"
        case .idle: "idle"
        default: "unknown"
        }
    }

    /// Whether `byte` is a letter, as every state of every kernel has been.
    static func isPossible(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
}
