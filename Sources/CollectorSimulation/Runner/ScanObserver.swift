import Backends
import EventModel

import struct SystemPackage.Errno

/// Notes when `/proc` is listed, and passes everything on: the runner's eye on resyncs.
struct ScanObserver: ProcFileSystem {
    let base: any ProcFileSystem
    let onScan: @Sendable () -> Void

    func processIDs(into pids: inout [ProcessID]) throws(Errno) {
        onScan()
        try base.processIDs(into: &pids)
    }

    func openProcess(_ pid: ProcessID) throws(Errno) -> ProcessDirectory { try base.openProcess(pid) }

    func open(_ file: ProcessFile, in directory: borrowing ProcessDirectory) throws(Errno) -> ProcFile {
        try base.open(file, in: directory)
    }

    func open(_ file: SystemFile) throws(Errno) -> ProcFile { try base.open(file) }

    func read(_ file: borrowing ProcFile, count: Int, into bytes: inout [UInt8]) throws(Errno) -> Int {
        try base.read(file, count: count, into: &bytes)
    }

    func readLink(_ link: ProcessLink, in directory: borrowing ProcessDirectory, into bytes: inout [UInt8])
        throws(Errno)
    {
        try base.readLink(link, in: directory, into: &bytes)
    }

    func status(of link: ProcessLink, in directory: borrowing ProcessDirectory) throws(Errno)
        -> LinkTargetStatus
    {
        try base.status(of: link, in: directory)
    }

    func openExecutable(in directory: borrowing ProcessDirectory) throws(Errno) -> ProcFile {
        try base.openExecutable(in: directory)
    }

    func status(of file: borrowing ProcFile) throws(Errno) -> FileStatus { try base.status(of: file) }

    func status(ofPath path: [UInt8], in directory: borrowing ProcessDirectory) throws(Errno) -> FileStatus {
        try base.status(ofPath: path, in: directory)
    }

    func threadIDs(in directory: borrowing ProcessDirectory, into tids: inout [ProcessID]) throws(Errno) {
        try base.threadIDs(in: directory, into: &tids)
    }

    func pidFDInode(of pid: ProcessID) throws(Errno) -> UInt64 { try base.pidFDInode(of: pid) }
}
