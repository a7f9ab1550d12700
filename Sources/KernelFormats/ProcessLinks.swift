import EventModel

/// The target of `/proc/PID/exe` (`d_path` in `fs/d_path.c`).
package struct ExecutableLink: Hashable, Sendable {
    /// The target as the kernel gives it: raw bytes, newlines among them.
    package var target: [UInt8]

    package init(target: [UInt8]) { self.target = target }

    /// The link of an executable that is at `path`, or was.
    package init(path: [UInt8], existence: Existence) {
        target = existence == .unlinked ? path + Self.deletedMarker : path
    }

    /// Whether the name of an executable still exists.
    package enum Existence: Hashable, Sendable {
        case linked, unlinked
    }

    /// Whether the target ends in ` (deleted)`.
    ///
    /// Text alone is no proof: a file may be named so. The kernel appends the marker when the *name* is gone, which
    /// an `st_nlink` of 0 behind the link confirms (another hard link may keep it above 0).
    package var isMarkedDeleted: Bool {
        target.count > Self.deletedMarker.count
            && target.suffix(Self.deletedMarker.count).elementsEqual(Self.deletedMarker)
    }

    /// The target without the marker, if it has one.
    package var path: ArraySlice<UInt8> {
        isMarkedDeleted ? target.dropLast(Self.deletedMarker.count) : target[...]
    }

    /// The name given to `memfd_create(2)`, if the executable lives in memory; `nil` for every other target.
    ///
    /// Only a file in the root directory, named `memfd:...` and unlinked, looks alike.
    package var memoryFileName: ArraySlice<UInt8>? {
        guard isMarkedDeleted, target.starts(with: Self.memoryFilePrefix) else { return nil }
        return path.dropFirst(Self.memoryFilePrefix.count)
    }

    /// The link of an executable made by `memfd_create(2)`.
    package static func memoryFile(named name: [UInt8]) -> Self {
        Self(path: memoryFilePrefix + name, existence: .unlinked)
    }

    private static let deletedMarker = Array(" (deleted)".utf8)
    private static let memoryFilePrefix = Array("/memfd:".utf8)
}

extension ExecutableLink: KernelFormat {
    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        guard bytes.count > 0 else {
            throw FormatError(.executableLink, at: 0, .truncated, expected: "a path")
        }
        guard bytes.count <= Limits.pathByteCount else {
            throw FormatError(
                .executableLink, at: Limits.pathByteCount, .tooLong,
                expected: "at most \(Limits.pathByteCount) bytes")
        }
        target = bytes.copy(0..<bytes.count)
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: target.prefix(Limits.pathByteCount))
    }
}

/// The target of a link in `/proc/PID/ns`, as `pid:[4026531836]` (`namespaces(7)`).
package struct NamespaceLink: Hashable, Sendable {
    /// The kinds of namespaces, by the names of their links' targets.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case cgroup, ipc, mnt, net, pid, time, user, uts
    }

    package var kind: Kind
    /// Identifies the namespace for as long as it lives.
    package var inode: UInt64

    package init(kind: Kind, inode: UInt64) {
        self.kind = kind
        self.inode = inode
    }
}

extension NamespaceLink: KernelFormat {
    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        guard let kind = Kind.allCases.first(where: { Self.names($0, bytes) }) else {
            throw FormatError(.namespaceLink, at: 0, .malformed, expected: "the kind of a namespace and :[")
        }
        self.kind = kind
        var cursor = ByteCursor(.namespaceLink, at: kind.rawValue.utf8.count + 2)
        inode = try cursor.unsigned(in: bytes)
        try cursor.skip(Ascii.rightBracket, in: bytes, "]")
        try cursor.expectEnd(of: bytes)
    }

    /// Whether `bytes` begin with the kind and `:[`.
    private static func names(_ kind: Kind, _ bytes: Span<UInt8>) -> Bool {
        let count = kind.rawValue.utf8.count
        return bytes.count > count + 1 && bytes[count] == Ascii.colon && bytes[count + 1] == Ascii.leftBracket
            && bytes.has(kind.rawValue, at: 0)
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(text: kind.rawValue)
        bytes.append(Ascii.colon)
        bytes.append(Ascii.leftBracket)
        bytes.append(decimal: inode)
        bytes.append(Ascii.rightBracket)
    }
}
