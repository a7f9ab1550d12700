import CLinux
import EventModel
import Glibc

package import struct SystemPackage.Errno

/// The collector's own process.
package enum HostProcess {
    /// Ends the process at once, without running anything on the way (`_exit(2)`).
    package static func exitNow(_ code: Int32) -> Never { _exit(code) }

    /// Opens `/dev/null` in place of standard input, output and error where they are closed, so that nothing else gets
    /// their numbers, and with them what is meant for a person.
    ///
    /// Without `/dev/null` nothing changes.
    package static func fillStandardDescriptors() { _ = clinux_fill_standard_descriptors() }

    /// Makes a write to a pipe that nobody reads any more an error of the write, `EPIPE`, instead of the process's end.
    package static func ignoreBrokenPipes() { Syscall.ignore(SIGPIPE) }

    /// The effective user id (`geteuid(2)`).
    package static var effectiveUserID: UInt32 { geteuid() }

    /// Why the arguments of this process, of which the first is its own name, could not be read; `nil` when they could.
    ///
    /// Without arguments a parser would answer every question with the help, as if all were well.
    package static var argumentsProblem: String? {
        guard CommandLine.arguments.isEmpty else { return nil }
        return "cannot read the arguments: /proc is not mounted; mount -t proc proc /proc"
    }

    /// Why no files may be made in a folder (`faccessat(2)`); `nil` when they may.
    package static func refusal(ofFilesIn folder: String) -> Errno? {
        unsafe faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0 ? nil : Errno(rawValue: errno)
    }

    /// Whether another descriptor can be had: the limit is not that on open files (`RLIMIT_NOFILE`).
    package static var mayOpenMore: Bool {
        do throws(Errno) {
            _ = try Syscall.openFileAtOnce("/dev/null")
            return true
        } catch {
            return false
        }
    }

    /// Bytes that are left to this user on the file system of a folder (`statvfs(3)`); `nil` when it cannot be asked.
    package static func freeByteCount(in folder: String) -> UInt64? {
        var status = statvfs()
        guard unsafe statvfs(folder, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    /// Whether capabilities count on the whole host: elsewhere they do within a user namespace only (user_namespaces(7)).
    ///
    /// `true` when it cannot be asked.
    package static var isInFirstUserNamespace: Bool {
        var status = stat()
        guard unsafe stat("/proc/self/ns/user", &status) == 0 else { return true }
        // PROC_USER_INIT_INO of include/linux/proc_ns.h.
        return status.st_ino == 0xEFFF_FFFD
    }

    /// Whether a variable of the environment is set and not empty.
    package static func hasEnvironment(_ name: String) -> Bool {
        guard let value = unsafe getenv(name) else { return false }
        return unsafe value.pointee != 0
    }

    /// The value of a variable of the environment; `nil` when it is not set.
    package static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// The variables whose name begins so, in no particular order; of several with one name, each.
    package static func environment(prefix: String) -> [(name: String, value: String)] {
        var found: [(name: String, value: String)] = []
        var index = 0
        while let text = unsafe clinux_environment(index) {
            let line = unsafe String(cString: text)
            if line.hasPrefix(prefix), let equals = line.firstIndex(of: "=") {
                found.append((String(line[..<equals]), String(line[line.index(after: equals)...])))
            }
            index += 1
        }
        return found
    }

    /// The version of this product.
    package static let version = "0.1.0"

    /// The host's name as the kernel of this uts namespace has it (`uname(2)`); bytes that are not UTF-8 are escaped.
    package static var hostName: String {
        // The kernel's name has at most 64 bytes (`__NEW_UTS_LEN`) and its NUL.
        var bytes = [CChar](repeating: 0, count: 65)
        let result = unsafe gethostname(&bytes, bytes.count)
        precondition(result == 0, "a buffer of the kernel's own size must hold the host's name")
        return KernelText.decode(bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }).text
    }
}
