import CLinux
import Glibc

import struct SystemPackage.Errno

/// What a thread, or a whole process, may do, as the kernel says (`/proc/PID/task/TID/status`).
package struct PrivilegeReport: Hashable, Sendable {
    /// What seccomp does with calls (`seccomp(2)`).
    package enum SeccompMode: Int, Hashable, Sendable, Comparable {
        case disabled = 0
        case strict = 1
        case filter = 2

        package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }

    package var effective: CapabilitySet
    package var permitted: CapabilitySet
    package var inheritable: CapabilitySet
    package var bounding: CapabilitySet
    package var ambient: CapabilitySet
    /// Effective ids.
    package var uid: UInt32
    package var gid: UInt32
    package var noNewPrivileges: Bool
    package var seccompMode: SeccompMode
    /// How many threads the report covers.
    package var threadCount: Int

    /// Reads the text of a `status` file; `nil` when a field is missing or malformed.
    package init?(status text: String) {
        var fields: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " }
            // A name may contain a colon, but cannot come before its own line: the first of each key counts.
            if fields[line[..<colon]] == nil { fields[line[..<colon]] = value }
        }
        func mask(_ key: Substring) -> CapabilitySet? {
            fields[key].flatMap { CapabilitySet(hexadecimal: $0) }
        }
        func effectiveID(_ key: Substring) -> UInt32? {
            guard let ids = fields[key]?.split(separator: "\t"), ids.count == 4 else { return nil }
            return UInt32(ids[1])
        }
        guard let effective = mask("CapEff"), let permitted = mask("CapPrm"),
            let inheritable = mask("CapInh"),
            let bounding = mask("CapBnd"), let ambient = mask("CapAmb"), let uid = effectiveID("Uid"),
            let gid = effectiveID("Gid"), let newPrivileges = fields["NoNewPrivs"].flatMap({ Int($0) }),
            let mode = fields["Seccomp"].flatMap({ Int($0) }).flatMap(SeccompMode.init(rawValue:))
        else { return nil }
        self.effective = effective
        self.permitted = permitted
        self.inheritable = inheritable
        self.bounding = bounding
        self.ambient = ambient
        self.uid = uid
        self.gid = gid
        noNewPrivileges = newPrivileges == 1
        seccompMode = mode
        threadCount = 1
    }

    /// The weaker of two: whatever one of them may do.
    package func weaker(_ other: Self) -> Self {
        var result = self
        result.effective = effective.union(other.effective)
        result.permitted = permitted.union(other.permitted)
        result.inheritable = inheritable.union(other.inheritable)
        result.bounding = bounding.union(other.bounding)
        result.ambient = ambient.union(other.ambient)
        result.uid = min(uid, other.uid)
        result.gid = min(gid, other.gid)
        result.noNewPrivileges = noNewPrivileges && other.noNewPrivileges
        result.seccompMode = min(seccompMode, other.seccompMode)
        result.threadCount = threadCount + other.threadCount
        return result
    }

    /// What the calling thread may do.
    package static func ofThread() throws(HardeningError) -> PrivilegeReport {
        try read("/proc/thread-self/status")
    }

    /// What the weakest of all threads leaves to the process.
    package static func ofProcess() throws(HardeningError) -> PrivilegeReport {
        var report = try ofThread()
        report.threadCount = 0
        for thread in try threadIDs() {
            do {
                report = report.weaker(try read("/proc/self/task/\(thread)/status"))
            } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .noSuchProcess {
                // The thread has ended meanwhile.
            }
        }
        return report
    }

    /// The threads that exist now.
    static func threadIDs() throws(HardeningError) -> [String] {
        guard let directory = unsafe opendir("/proc/self/task") else {
            throw HardeningError("list the threads", Errno(rawValue: errno))
        }
        defer { unsafe closedir(directory) }
        var threads: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { threads.append(name) }
        }
        return threads
    }

    /// A status file is about 1.5 KiB, more with many groups.
    private static let statusByteCount = 65_536

    private static func read(_ path: String) throws(HardeningError) -> PrivilegeReport {
        let descriptor = unsafe path.withCString { unsafe clinux_open_read(-100, $0) }
        try HardeningError.check("open \(path)", descriptor)
        defer { _ = clinux_close(descriptor) }
        var bytes: [UInt8] = []
        while bytes.count < statusByteCount {
            var part = [UInt8](repeating: 0, count: 4_096)
            let count = unsafe clinux_read(descriptor, part.count, &part)
            try HardeningError.check("read \(path)", Int32(count))
            if count == 0 { break }
            bytes += part.prefix(count)
        }
        guard let report = PrivilegeReport(status: String(decoding: bytes, as: UTF8.self)) else {
            throw HardeningError("understand \(path)", .badMessage)
        }
        return report
    }
}
