import Backends
import EventModel
import Glibc
import KernelFormats
import LinuxBackends
import Testing

import struct SystemPackage.Errno

@Suite struct LinuxRootedDirectoryTests {
    /// A folder with a file, a folder, a FIFO and links, and its opened form.
    private func withRoot(_ body: (String, LinuxRootedDirectory) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/root"
            #expect(unsafe mkdir(path, 0o755) == 0)
            make("\(path)/file", "some text")
            make("\(folder)/outside", "secret")
            #expect(unsafe mkdir("\(path)/sub", 0o750) == 0)
            make("\(path)/sub/inner", "")
            #expect(unsafe mkfifo("\(path)/fifo", 0o600) == 0)
            #expect(unsafe symlink("file", "\(path)/link") == 0)
            #expect(unsafe symlink("../outside", "\(path)/escape") == 0)
            #expect(unsafe symlink("sub", "\(path)/sublink") == 0)
            try body(path, try LinuxRootedDirectory(path: Array(path.utf8)))
        }
    }

    private func make(_ path: String, _ text: String) {
        let file = unsafe open(path, O_CREAT | O_WRONLY, 0o644)
        put(Array(text.utf8), file)
        close(file)
    }

    private func error(_ call: () throws -> Void) -> Errno? {
        do {
            try call()
            return nil
        } catch {
            return error as? Errno
        }
    }

    private func error(
        of root: LinuxRootedDirectory, opening path: String, as access: FileAccess = .contents
    ) -> Errno? {
        error { _ = try root.file(path, as: access) }
    }

    private func contents(_ root: LinuxRootedDirectory, _ file: OpenFile) throws -> String {
        var bytes: [UInt8] = []
        while try root.read(file.handle, at: UInt64(bytes.count), count: 4, into: &bytes) > 0 {}
        return String(decoding: bytes, as: UTF8.self)
    }

    private func names(_ root: LinuxRootedDirectory, _ folder: OpenFile, count: Int) throws
        -> [String]
    {
        var names: [String] = []
        var bytes: [UInt8] = []
        while try root.readEntries(of: folder.handle, count: count, into: &bytes) > 0 {
            var reader = DirectoryEntryReader(at: 0, count: bytes.count)
            while let entry = try reader.next(in: bytes.span) {
                if !entry.isSelfOrParent { names.append(String(decoding: entry.name, as: UTF8.self)) }
            }
            bytes.removeAll()
        }
        return names.sorted()
    }

    @Test func `what was looked at is opened again, whatever has its name now`() throws {
        try withRoot { path, root in
            let look = try root.file("file", as: .path)
            #expect(unsafe rename("\(path)/file", "\(path)/moved") == 0)
            #expect(unsafe mkfifo("\(path)/file", 0o600) == 0)
            let file = OpenFile(try root.reopen(look.handle, as: .contents))
            #expect(try contents(root, file) == "some text")
        }
    }

    @Test func `a file is opened by its path and by its name, and read in parts`() throws {
        try withRoot { _, root in
            #expect(try contents(root, root.file("file", as: .contents)) == "some text")
            let folder = try root.file("sub", as: .folder)
            #expect(try contents(root, root.file("inner", in: folder, as: .contents)) == "")
            let way = try root.file([], as: .path)
            #expect(try contents(root, root.file("file", in: way, as: .contents)) == "some text")
        }
    }

    @Test func `a folder is listed in parts of any size`() throws {
        try withRoot { _, root in
            let all = ["escape", "fifo", "file", "link", "sub", "sublink"]
            for count in [32, 64, 4_096] {
                #expect(try names(root, root.file([], as: .folder), count: count) == all)
            }
            let folder = try root.file([], as: .folder)
            #expect(error { _ = try names(root, folder, count: 8) } == .invalidArgument)
        }
    }

    @Test(arguments: FileAccess.allCases)
    func `no path leads out of the root`(access: FileAccess) throws {
        try withRoot { path, root in
            for outside in ["..", "../outside", "sub/../../outside", "/etc", "\(path)/file"] {
                #expect(error(of: root, opening: outside, as: access) == .init(rawValue: EXDEV))
            }
            #expect(error(of: root, opening: "escape/x", as: access) == .tooManySymbolicLinkLevels)
            #expect(error(of: root, opening: "sublink/inner", as: access) == .tooManySymbolicLinkLevels)
        }
    }

    @Test func `a link at the end is opened as itself or not at all`() throws {
        try withRoot { _, root in
            for link in ["link", "escape", "sublink"] {
                #expect(error(of: root, opening: link) == .tooManySymbolicLinkLevels)
                let isRefused = error(of: root, opening: link, as: .folder).map {
                    $0 == .tooManySymbolicLinkLevels || $0 == .notDirectory
                }
                #expect(isRefused == true)
                let handle = try root.file(link, as: .path)
                #expect(try root.status(of: handle).type == .symlink)
            }
        }
    }

    @Test func `a name in a folder is one name`() throws {
        try withRoot { _, root in
            let folder = try root.file([], as: .folder)
            for name in ["", ".", "..", "sub/inner", "/file", "file/", "a\0b"] {
                #expect(
                    error { _ = try root.file(name, in: folder, as: .path) } == .invalidArgument)
                #expect(error { _ = try root.status(of: name, in: folder) } == .invalidArgument)
            }
            #expect(error(of: root, opening: "a\0b") == .invalidArgument)
        }
    }

    @Test func `what is wrong with a path is told`() throws {
        try withRoot { _, root in
            #expect(error(of: root, opening: "none") == .noSuchFileOrDirectory)
            #expect(error(of: root, opening: "file/none") == .notDirectory)
            #expect(error(of: root, opening: "file", as: .folder) == .notDirectory)
            #expect(error(of: root, opening: String(repeating: "n", count: 256)) == .fileNameTooLong)
            #expect(error(of: root, opening: String(repeating: "n/", count: 2_048)) == .fileNameTooLong)
            var bytes: [UInt8] = []
            let folder = try root.file([], as: .contents)
            #expect(error { _ = try root.read(folder.handle, at: 0, count: 1, into: &bytes) } == .isDirectory)
            let file = try root.file("file", as: .contents)
            let listing = error { _ = try root.readEntries(of: file.handle, count: 99, into: &bytes) }
            #expect(listing == .notDirectory)
        }
    }

    @Test func `a FIFO without a writer keeps nobody waiting`() throws {
        try withRoot { _, root in
            let fifo = try root.file("fifo", as: .contents)
            #expect(try root.status(of: fifo).type == .fifo)
            var bytes: [UInt8] = []
            #expect(error { _ = try root.read(fifo.handle, at: 0, count: 1, into: &bytes) } == .illegalSeek)
        }
    }

    @Test func `the status is that of stat(2)`() throws {
        try withRoot { path, root in
            var expected = stat()
            #expect(unsafe stat("\(path)/file", &expected) == 0)
            let folder = try root.file([], as: .path)
            let byName = try root.status(of: "file", in: folder)
            let byHandle = try root.status(of: root.file("file", as: .path))
            #expect(byName == byHandle)
            #expect(byName.device == UInt64(expected.st_dev))
            #expect(byName.inode == UInt64(expected.st_ino))
            #expect(byName.mode == expected.st_mode)
            #expect(byName.linkCount == UInt64(expected.st_nlink))
            #expect(byName.uid == UserID(expected.st_uid))
            #expect(byName.gid == GroupID(expected.st_gid))
            #expect(byName.size == 9)
            #expect(byName.modified.nanoseconds == nanoseconds(expected.st_mtim))
            #expect(byName.changed.nanoseconds == nanoseconds(expected.st_ctim))
            #expect(byName.mountID == (try root.status(of: folder)).mountID)
            #expect(try root.status(of: "link", in: folder).type == .symlink)
            #expect(
                error { _ = try root.status(of: "none", in: folder) } == .noSuchFileOrDirectory)
        }
    }

    @Test(arguments: [-9_000_000_000_000, -1, 0, 9_000_000_000_000])
    func `a time that somebody made up never traps`(seconds: Int) throws {
        // Where a file system keeps 64 bits of seconds.
        try #require(unsafe access("/dev/shm", W_OK) == 0)
        let path = "/dev/shm/collector-test-\(getpid())-\(seconds)"
        make(path, "")
        defer { unsafe unlink(path) }
        let time = timespec(tv_sec: seconds, tv_nsec: 0)
        #expect(unsafe utimensat(AT_FDCWD, path, [time, time], 0) == 0)
        let root = try LinuxRootedDirectory(path: Array("/dev/shm".utf8))
        let status = try root.status(of: root.file(Array(path.utf8.dropFirst(9)), as: .path))
        let clamped = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        #expect(
            status.modified.nanoseconds
                == (clamped.overflow ? (seconds < 0 ? Int64.min : .max) : Int64(clamped.partialValue)))
    }

    @Test func `a handle keeps its file when the name goes elsewhere`() throws {
        try withRoot { path, root in
            let file = try root.file("file", as: .contents)
            let before = try root.status(of: file)
            make("\(path)/new", "another")
            #expect(unsafe rename("\(path)/new", "\(path)/file") == 0)
            #expect(try contents(root, file) == "some text")
            #expect(try root.status(of: file).inode == before.inode)
            #expect(try root.status(of: file).linkCount == 0)
        }
    }

    @Test(arguments: [("", EINVAL), ("relative", EINVAL), ("/none", ENOENT), ("/dev/null", ENOTDIR)])
    func `a root that cannot be is refused`(path: String, errno: Int32) {
        #expect(error { _ = try LinuxRootedDirectory(path: Array(path.utf8)) } == Errno(rawValue: errno))
    }

    @Test(arguments: [("/", ""), ("//", ""), ("/tmp", "/tmp"), ("/tmp//", "/tmp")])
    func `a root is called by its path without a slash at the end`(path: String, shown: String) throws {
        #expect(try LinuxRootedDirectory(path: Array(path.utf8)).path == Array(shown.utf8))
    }

    @Test func `a lock that somebody holds is seen, one that is gone is not`() throws {
        try withRoot { path, root in
            let file = try root.open(Array("file".utf8), as: .contents)
            #expect(try !root.isLocked(file))
            let other = unsafe open("\(path)/file", O_RDWR)
            var lock = flock(
                l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
            // F_OFD_SETLK: owned by the open file, so that it counts as somebody else's.
            #expect(unsafe fcntl(other, 37, &lock) == 0)
            #expect(try root.isLocked(file))
            close(other)
            #expect(try !root.isLocked(file))
        }
    }

    @Test func `while others rename folders, an open ends inside the root or fails`() async throws {
        var template = Array("/tmp/collector-test-XXXXXX".utf8CString)
        let top = try #require(unsafe mkdtemp(&template).map { unsafe String(cString: $0) })
        for folder in ["in", "in/a", "in/a/b"] { #expect(unsafe mkdir("\(top)/\(folder)", 0o755) == 0) }
        make("\(top)/f", "outside")
        make("\(top)/in/f", "inside")
        let root = try LinuxRootedDirectory(path: Array("\(top)/in".utf8))
        async let renaming: Void = onLinuxThread { _ in
            for _ in 0..<5_000 {
                _ = unsafe rename("\(top)/in/a/b", "\(top)/b")
                _ = unsafe rename("\(top)/b", "\(top)/in/a/b")
            }
        }
        var openedCount = 0
        for _ in 0..<5_000 {
            // The way up passes the root when `b` lies beside it.
            guard let file = try? root.file("a/b/../../f", as: .contents) else { continue }
            openedCount += 1
            #expect(try contents(root, file) == "inside")
        }
        try await renaming
        #expect(openedCount > 0)
        try Child("/bin/rm", "-rf", top).wait()
    }

    private func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
