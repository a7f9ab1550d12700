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
        (.tooManySymbolicLinkLevels, "ELOOP"), (.fileNameTooLong, "ENAMETOOLONG"),
        (.staleNFSFileHandle, "ESTALE"), (.overflow, "EOVERFLOW"),
        (.operationNotSupportedByDevice, "ENODEV"), (.diskQuotaExceeded, "EDQUOT"),
        (.resourceBusy, "EBUSY"), (.addressInUse, "EADDRINUSE"),
        (.addressFamilyNotSupported, "EAFNOSUPPORT"), (.protocolNotAvailable, "ENOPROTOOPT"),
        (.noSuchAddressOrDevice, "ENXIO"), (.improperLink, "EXDEV"), (.illegalSeek, "ESPIPE"),
        (.directoryNotEmpty, "ENOTEMPTY"), (.tooManyLinks, "EMLINK"), (.badFileDescriptor, "EBADF"),
        (.brokenPipe, "EPIPE"), (.connectionReset, "ECONNRESET"), (.connectionAbort, "ECONNABORTED"),
        (.socketNotConnected, "ENOTCONN"), (.notSocket, "ENOTSOCK"),
    ]

    /// The name of the header, such as `ESRCH`; `errno N` for one that no case is about.
    package var symbol: String { Self.names.first { $0.0 == self }?.1 ?? "errno \(rawValue)" }

    /// The error of a name such as `ESRCH`; `nil` for a name that no case is about.
    package init?(symbol: String) {
        guard let entry = Self.names.first(where: { $0.1 == symbol }) else { return nil }
        self = entry.0
    }
}
