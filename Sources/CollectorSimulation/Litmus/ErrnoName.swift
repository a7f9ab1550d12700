package import struct SystemPackage.Errno

extension Errno {
    private static let names: [(Errno, String)] = [
        (.notPermitted, "EPERM"), (.noSuchFileOrDirectory, "ENOENT"), (.noSuchProcess, "ESRCH"),
        (.interrupted, "EINTR"), (.ioError, "EIO"), (.resourceTemporarilyUnavailable, "EAGAIN"),
        (.noMemory, "ENOMEM"), (.permissionDenied, "EACCES"), (.fileExists, "EEXIST"),
        (.notDirectory, "ENOTDIR"), (.isDirectory, "EISDIR"), (.invalidArgument, "EINVAL"),
        (.tooManyOpenFilesInSystem, "ENFILE"), (.tooManyOpenFiles, "EMFILE"), (.fileTooLarge, "EFBIG"),
        (.noSpace, "ENOSPC"), (.readOnlyFileSystem, "EROFS"), (.noFunction, "ENOSYS"),
        (.noBufferSpace, "ENOBUFS"), (.connectionRefused, "ECONNREFUSED"),
        (.protocolNotSupported, "EPROTONOSUPPORT"), (.timedOut, "ETIMEDOUT"), (.badMessage, "EBADMSG"),
    ]

    /// The name of the header, such as `ESRCH`; `errno N` for one that no case is about.
    package var symbol: String { Self.names.first { $0.0 == self }?.1 ?? "errno \(rawValue)" }
}
