import Backends
package import EventModel

package import struct SystemPackage.Errno

/// Moves the calling thread from processor to processor and names it.
package struct LinuxProcessorFence: ProcessorFence {
    /// Room for the longest list of processors: every second one of `Limits.processorCount`, at five bytes each.
    private static let listByteCount = 65_536

    package init() {}

    package var ownProcessID: ProcessID { ProcessID(Syscall.processID) }

    package func onlineProcessors() throws(Errno) -> [UInt32] {
        let file = OwnedDescriptor(
            adopting: try Syscall.openFile("/sys/devices/system/cpu/online", in: .root))
        var text: [UInt8] = []
        while text.count < Self.listByteCount {
            let rest = Self.listByteCount - text.count
            if try Syscall.read(file.rawValue, atMost: rest, into: &text) == 0 { break }
        }
        guard let processors = ProcessorList.parse(text) else { throw .badMessage }
        return processors
    }

    package func announce(_ name: String, on processor: UInt32) throws(Errno) {
        precondition(name.utf8.count <= Limits.commByteCount, "the kernel keeps 15 bytes of a name")
        guard processor < Limits.processorCount else { throw .invalidArgument }
        let affinity = try Syscall.affinity()
        var mask = [UInt64](repeating: 0, count: Int(processor) / 64 + 1)
        mask[Int(processor) / 64] = 1 << UInt64(processor % 64)
        try Syscall.setAffinity(mask)
        let formerName = Syscall.threadName()
        Syscall.setThreadName(name)
        Syscall.setThreadName(formerName)
        try Syscall.setAffinity(affinity)
    }
}

/// The kernel's lists of processors: `0-3,8,10-11` (`cpuset(7)`, "List format").
package enum ProcessorList {
    /// Reads a list; `nil` when it is malformed, not ascending, or names more than `Limits.processorCount`.
    package static func parse(_ text: [UInt8]) -> [UInt32]? {
        var processors: [UInt32] = []
        var line = text[...]
        if line.last == 0x0a { line.removeLast() }
        if line.isEmpty { return [] }
        for range in line.split(separator: 0x2c, omittingEmptySubsequences: false) {
            let bounds = range.split(separator: 0x2d, omittingEmptySubsequences: false)
            guard let first = bounds.first.flatMap(number), let last = bounds.last.flatMap(number),
                bounds.count <= 2, first <= last, last < Limits.processorCount,
                processors.last.map({ $0 < first }) ?? true
            else { return nil }
            processors.append(contentsOf: first...last)
        }
        return processors
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt32? {
        guard (1...5).contains(digits.count) else { return nil }
        var value: UInt32 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + UInt32(digit - 0x30)
        }
        return value
    }
}
