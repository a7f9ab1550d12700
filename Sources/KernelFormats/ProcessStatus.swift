package import EventModel

/// `/proc/PID/status`: the lines that a collector wants, each `nil` where the kernel does not print it.
///
/// Lines of other names are skipped. Kernel threads and zombies have no memory lines; old kernels lack `NSpid` and the
/// other namespace lines (4.1), `NoNewPrivs` (4.10), `Seccomp_filters` (5.9) and `Kthread` (6.7).
package struct ProcessStatus: Hashable, Sendable {
    /// The name without the escapes of the file (`\n` and `\\` only).
    package var name: [UInt8]?
    package var state: TaskState?
    package var tgid: ProcessID?
    package var pid: ProcessID?
    package var ppid: ProcessID?
    /// 0 when nobody traces the process.
    package var tracerPid: ProcessID?
    package var uid: Credentials<UserID>?
    package var gid: Credentials<GroupID>?
    /// Process ids from the namespace of this `/proc` inwards; one element outside of containers.
    package var namespaceTgids: [ProcessID]?
    /// Thread ids, likewise (`NSpid`).
    package var namespacePids: [ProcessID]?
    package var namespacePgids: [ProcessID]?
    package var namespaceSessions: [ProcessID]?
    /// Whether it is a kernel thread, as 0 or 1.
    package var kthread: UInt32?
    /// In KiB, as all sizes of this file.
    package var vmPeak: UInt64?
    package var vmSize: UInt64?
    package var vmHWM: UInt64?
    /// Resident set in KiB.
    package var vmRSS: UInt64?
    package var vmSwap: UInt64?
    package var threadCount: UInt32?
    package var inheritable: CapabilitySet?
    package var permitted: CapabilitySet?
    package var effective: CapabilitySet?
    package var bounding: CapabilitySet?
    package var ambient: CapabilitySet?
    package var noNewPrivs: UInt32?
    /// 0 none, 1 strict, 2 filter.
    package var seccomp: UInt32?
    package var seccompFilters: UInt32?

    package init() {}

    /// Ids of one kind, in the order of the file.
    package struct Credentials<ID: Hashable & Sendable>: Hashable, Sendable {
        package var real: ID
        package var effective: ID
        package var saved: ID
        package var fileSystem: ID

        package init(real: ID, effective: ID, saved: ID, fileSystem: ID) {
            self.real = real
            self.effective = effective
            self.saved = saved
            self.fileSystem = fileSystem
        }

        /// The same id in all four places.
        package init(_ id: ID) {
            self.init(real: id, effective: id, saved: id, fileSystem: id)
        }
    }

    /// A capability set of `capabilities(7)`: bit n is capability n.
    package struct CapabilitySet: RawRepresentable, Hashable, Sendable {
        package var rawValue: UInt64

        package init(rawValue: UInt64) { self.rawValue = rawValue }
    }

    /// The line names, in the order of the kernel.
    enum Line: String, CaseIterable {
        case name = "Name"
        case state = "State"
        case tgid = "Tgid"
        case pid = "Pid"
        case ppid = "PPid"
        case tracerPid = "TracerPid"
        case uid = "Uid"
        case gid = "Gid"
        case namespaceTgids = "NStgid"
        case namespacePids = "NSpid"
        case namespacePgids = "NSpgid"
        case namespaceSessions = "NSsid"
        case kthread = "Kthread"
        case vmPeak = "VmPeak"
        case vmSize = "VmSize"
        case vmHWM = "VmHWM"
        case vmRSS = "VmRSS"
        case vmSwap = "VmSwap"
        case threadCount = "Threads"
        case inheritable = "CapInh"
        case permitted = "CapPrm"
        case effective = "CapEff"
        case bounding = "CapBnd"
        case ambient = "CapAmb"
        case noNewPrivs = "NoNewPrivs"
        case seccomp = "Seccomp"
        case seccompFilters = "Seccomp_filters"

        private static let indices: [Key: Int] = Dictionary(
            uniqueKeysWithValues: keys.enumerated().map { ($0.element, $0.offset) })

        /// All lines, made once.
        static let inOrder = allCases
        private static let keys = inOrder.map { line in
            let name = Array(line.rawValue.utf8)
            return Key(0..<name.count, in: name.span)
        }

        /// The line whose name stands in `range`.
        ///
        /// - Parameter guess: Index of the line that comes next if the kernel skips none; saves most of the search.
        static func named(_ range: Range<Int>, in bytes: Span<UInt8>, guess: inout Int) -> Line? {
            guard range.count <= Key.byteCount else { return nil }
            let key = Key(range, in: bytes)
            if guess < keys.count, keys[guess] == key {
                guess += 1
                return inOrder[guess - 1]
            }
            guard let index = indices[key] else { return nil }
            guess = index + 1
            return inOrder[index]
        }

        /// A name of at most 16 bytes, packed: looking it up needs no memory.
        private struct Key: Hashable {
            static let byteCount = 16
            var low: UInt64 = 0
            var high: UInt64 = 0

            init(_ range: Range<Int>, in bytes: Span<UInt8>) {
                var shift: UInt64 = 0
                for index in range {
                    let byte = UInt64(bytes[index])
                    if shift < 64 { low |= byte << shift } else { high |= byte << (shift &- 64) }
                    shift &+= 8
                }
            }
        }
    }
}

extension ProcessStatus {
    /// The last line that every kernel prints (`task_context_switch_counts`, `fs/proc/array.c`). Only what belongs to the
    /// processor comes behind it, such as `x86_Thread_features`.
    package static let lastLineName = Array("nonvoluntary_ctxt_switches".utf8)

    /// Whether a text certainly holds all lines that a ``ProcessStatus`` is made of.
    package static func isWhole(_ bytes: Span<UInt8>) -> Bool {
        var end = bytes.count
        for _ in 0..<searchedLineCount {
            guard end > 0, bytes[end - 1] == Ascii.newline else { return false }
            var start = end - 1
            while start > 0, bytes[start - 1] != Ascii.newline { start -= 1 }
            if isLast(bytes.extracting(start..<end)) { return true }
            end = start
        }
        return false
    }

    /// How many lines from the end the last one is looked for.
    private static let searchedLineCount = 4

    private static func isLast(_ line: Span<UInt8>) -> Bool {
        guard line.count > lastLineName.count, line[lastLineName.count] == Ascii.colon else { return false }
        return lastLineName.indices.allSatisfy { line[$0] == lastLineName[$0] }
    }
}
