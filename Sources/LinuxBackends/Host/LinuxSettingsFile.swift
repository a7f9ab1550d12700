package import struct SystemPackage.Errno

/// Reads files that say what a privileged process shall do.
package enum LinuxSettingsFile {
    /// Why a file of settings is not read.
    package enum Failure: Error, Hashable, Sendable {
        case failed(Errno)
        /// A folder, a FIFO, a device.
        case notRegular
        /// More bytes than allowed.
        case tooLarge
        /// Somebody else than root and our own user may change it, and so what this process does.
        case changeableByOthers(owner: UInt32, mode: UInt32)
    }

    /// The whole file; through symbolic links, as configuration is often laid out. `/dev/null` is an empty one.
    ///
    /// - Throws: ``Failure``: `failed` also with `ENOENT`.
    package static func read(_ path: String, byteCountLimit: Int) throws(Failure) -> [UInt8] {
        guard path != "/dev/null" else { return [] }
        let file = try open(path)
        let status = try attempt { () throws(Errno) in try Syscall.status(of: file) }
        guard status.isRegular else { throw .notRegular }
        try checkOwner(status)
        var bytes: [UInt8] = []
        while try readMore(of: file, into: &bytes) {
            guard bytes.count <= byteCountLimit else { throw .tooLarge }
        }
        return bytes
    }

    /// Refuses a folder into which others could put files, or in which they could give them other names.
    package static func checkFolder(_ path: String) throws(Failure) {
        let folder = try open(path)
        try checkOwner(try attempt { () throws(Errno) in try Syscall.status(of: folder) })
    }

    private static func checkOwner(_ status: StatResult) throws(Failure) {
        let isOurs = status.uid == 0 || status.uid == HostProcess.effectiveUserID
        guard isOurs, status.mode & 0o022 == 0 else {
            throw .changeableByOthers(owner: status.uid, mode: status.mode & 0o7777)
        }
    }

    private static func open(_ path: String) throws(Failure) -> OwnedDescriptor {
        do throws(Errno) {
            return try Syscall.openFileAtOnce(path)
        } catch {
            throw .failed(error)
        }
    }

    private static func readMore(of file: borrowing OwnedDescriptor, into bytes: inout [UInt8])
        throws(Failure) -> Bool
    {
        do throws(Errno) {
            return try Syscall.read(file.rawValue, atMost: 65_536, into: &bytes) > 0
        } catch {
            throw .failed(error)
        }
    }

    private static func attempt<Value>(_ call: () throws(Errno) -> Value) throws(Failure) -> Value {
        do throws(Errno) {
            return try call()
        } catch {
            throw .failed(error)
        }
    }
}
