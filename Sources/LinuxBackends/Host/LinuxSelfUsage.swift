import EventModel

package import struct SystemPackage.Errno

/// What this process costs the host, now.
package struct LinuxSelfUsage: Hashable, Sendable {
    /// Time in user mode and in the kernel over all threads, ended ones included (`getrusage(2)`).
    package var userTime: Duration
    package var systemTime: Duration
    /// Resident memory in bytes (`/proc/self/statm`).
    package var residentByteCount: Int
    /// Open descriptors.
    package var descriptorCount: Int
    package var threadCount: Int

    package var cpuTime: Duration { userTime + systemTime }

    /// Measures; takes a few microseconds.
    package static func current() throws(Errno) -> LinuxSelfUsage {
        let (user, system) = Syscall.ownUsage()
        let file = OwnedDescriptor(adopting: try Syscall.openFile("/proc/self/statm", in: .root))
        var text: [UInt8] = []
        _ = try Syscall.read(file.rawValue, atMost: 256, into: &text)
        let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pageCount = Int(fields[1]) else { throw .badMessage }
        return LinuxSelfUsage(
            userTime: user, systemTime: system, residentByteCount: pageCount * Syscall.pageByteCount,
            // Two of them are the listing's own and the file's.
            descriptorCount: try count("/proc/self/fd") - 2, threadCount: try count("/proc/self/task"))
    }

    private static func count(_ path: StaticString) throws(Errno) -> Int {
        let directory = try Syscall.openDirectory(path, in: .root)
        var entries: [UInt8] = []
        var numbers: [ProcessID] = []
        repeat {
            try Syscall.listDirectory(directory, byteCount: 4_096, into: &entries)
            DirectoryEntries.appendNumbers(of: entries.span, to: &numbers)
        } while !entries.isEmpty
        return numbers.count
    }
}
