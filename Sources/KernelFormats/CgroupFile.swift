/// `/proc/PID/cgroup`: the control groups of a process, one line per hierarchy (`cgroups(7)`).
///
/// Paths are raw bytes and need no escapes: the kernel forbids newlines in the names of control groups
/// (`cgroup_mkdir`), and a path may hold colons because it comes last.
package struct CgroupFile: Hashable, Sendable {
    /// One line.
    package struct Membership: Hashable, Sendable {
        /// 0 for the unified hierarchy (version 2).
        package var hierarchyID: UInt32
        /// Names with commas between them, `name=...` for a hierarchy without controllers; empty in version 2.
        package var controllers: [UInt8]
        /// From the root of the hierarchy, or of the reader's cgroup namespace (`/..` leads out of it). The path of a
        /// group of version 2 that has been removed ends in ` (deleted)`.
        package var path: [UInt8]

        package init(hierarchyID: UInt32, controllers: [UInt8], path: [UInt8]) {
            self.hierarchyID = hierarchyID
            self.controllers = controllers
            self.path = path
        }

        /// Whether the line is that of version 2.
        package var isUnified: Bool { hierarchyID == 0 && controllers.isEmpty }

        /// Whether the hierarchy has the controller, or is the one named so (`name=systemd`).
        package func has(controller: String) -> Bool {
            controllers.split(separator: Ascii.comma).contains { $0.elementsEqual(controller.utf8) }
        }

        fileprivate var isRoot: Bool { path == [Ascii.slash] }
    }

    /// In the order of the file.
    package var memberships: [Membership]

    package init(memberships: [Membership]) { self.memberships = memberships }

    /// A process of a host with version 2 only.
    package init(unifiedPath: [UInt8]) {
        self.init(memberships: [Membership(hierarchyID: 0, controllers: [], path: unifiedPath)])
    }

    /// The path that tells most about the process; `nil` without any line.
    ///
    /// On hosts with both versions the unified path is often `/`: then it is the first of `name=systemd`, `pids` and
    /// `memory` that is not, and `/` when all of them are.
    package var reportedPath: [UInt8]? {
        if let unified = memberships.first(where: \.isUnified), !unified.isRoot { return unified.path }
        for controller in ["name=systemd", "pids", "memory"] {
            if let membership = memberships.first(where: { $0.has(controller: controller) }),
                !membership.isRoot
            {
                return membership.path
            }
        }
        return memberships.isEmpty ? nil : [Ascii.slash]
    }
}

extension CgroupFile: KernelFormat {
    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        memberships = []
        var cursor = ByteCursor(.cgroup)
        while cursor.position < bytes.count {
            guard memberships.count < FormatLimits.cgroupHierarchyCount else {
                throw cursor.error(.tooLong, expected: "at most \(FormatLimits.cgroupHierarchyCount) lines")
            }
            let hierarchyID: UInt32 = try cursor.unsigned(in: bytes)
            try cursor.skip(Ascii.colon, in: bytes, "a colon")
            guard let end = bytes.firstIndex(of: Ascii.newline, in: cursor.position..<bytes.count) else {
                throw FormatError(.cgroup, at: bytes.count, .truncated, expected: "a newline")
            }
            guard let colon = bytes.firstIndex(of: Ascii.colon, in: cursor.position..<end) else {
                throw FormatError(.cgroup, at: end, .malformed, expected: "a colon behind the controllers")
            }
            let controllers = bytes.copy(cursor.position..<colon)
            cursor.position = colon + 1
            guard cursor.position < end, bytes[cursor.position] == Ascii.slash else {
                throw cursor.error(.malformed, expected: "a path")
            }
            let path = bytes.copy(cursor.position..<end)
            memberships.append(Membership(hierarchyID: hierarchyID, controllers: controllers, path: path))
            cursor.position = end + 1
        }
    }

    package func append(to bytes: inout [UInt8]) {
        for membership in memberships.prefix(FormatLimits.cgroupHierarchyCount) {
            bytes.append(decimal: UInt64(membership.hierarchyID))
            bytes.append(Ascii.colon)
            bytes.append(contentsOf: membership.controllers)
            bytes.append(Ascii.colon)
            bytes.append(contentsOf: membership.path)
            bytes.append(Ascii.newline)
        }
    }
}

extension CgroupFile {
    /// Whether a text is certainly the whole file: it ends with the line of version 2, which comes last
    /// (`for_each_root`, `kernel/cgroup/cgroup.c`: the default hierarchy is the first one made, and new ones go in front).
    ///
    /// `false` without that hierarchy, where only the end of the file tells.
    package static func isWhole(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count > 0, bytes[bytes.count - 1] == Ascii.newline else { return false }
        var start = bytes.count - 1
        while start > 0, bytes[start - 1] != Ascii.newline { start -= 1 }
        return bytes.count - start > 3 && bytes[start] == Ascii.zero && bytes[start + 1] == Ascii.colon
            && bytes[start + 2] == Ascii.colon
    }
}
