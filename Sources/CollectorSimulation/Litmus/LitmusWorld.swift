package import Backends
package import EventModel

package import struct SystemPackage.Errno

/// A kernel that a case runs on: what the case does to it, and the backends through which it is watched.
///
/// A world lives for one try of one case and is used by one task.
package protocol LitmusWorld: AnyObject {
    var clock: any SystemClock { get }
    var fence: any ProcessorFence { get }
    /// The process that cases call R: parent of what `proc` makes, and the one that adopts orphans.
    var rootProcess: ProcessID { get }
    /// What stands before the names of programs in paths, with its slash.
    var programPrefix: [UInt8] { get }

    /// `/proc` as the observer sees it now.
    func procFileSystem() throws(Errno) -> any ProcFileSystem
    func openConnector() throws(Errno) -> any NetlinkSocket
    func openDurableFile() throws(Errno) -> any DurableFile
    /// The files of the case, which are made with the first call.
    func files() throws(LitmusFailure) -> any LitmusFiles
    /// The stream sockets of the case, in a folder of their own.
    func sockets() throws(LitmusFailure) -> any LitmusSockets

    /// Does what the case says, and returns when the kernel has done it.
    ///
    /// - Returns: The id of a new process or thread.
    func perform(_ action: LitmusAction) async throws(LitmusFailure) -> ProcessID?

    /// Makes the message `bytes` arrive from user space at all connector sockets of the observer.
    func forge(_ message: [UInt8]) throws(LitmusFailure)
}

/// Why a case could not be run to its end on one kernel: never a verdict on its behaviour.
package struct LitmusFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What could not be done.
    package var message: String

    /// A failure with this message.
    package init(_ message: String) { self.message = message }

    /// The message.
    package var description: String { message }
}

/// One kernel, as a maker of worlds.
package protocol LitmusArm: Sendable {
    var name: LitmusArmName { get }

    /// Runs a case once, in a new world, and blocks the caller meanwhile.
    ///
    /// - Parameter attempt: From 0; another attempt may be answered otherwise.
    func run(_ test: LitmusCase, attempt: Int) -> LitmusRun
}

/// The answers of one try, or why there are none.
package struct LitmusRun: Hashable, Sendable {
    /// One answer per line of the case that has an expectation, in order.
    package var answers: [String]
    /// Why the try ended early; `nil` when it did not.
    package var failure: LitmusFailure?
    /// The line at which it failed.
    package var failedLine: Int?

    /// A run that gave these answers, to its end unless there is a failure.
    package init(answers: [String], failure: LitmusFailure? = nil, failedLine: Int? = nil) {
        self.answers = answers
        self.failure = failure
        self.failedLine = failedLine
    }
}
