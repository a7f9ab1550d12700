package import Backends

package import struct SystemPackage.Errno

/// The files of a world: an empty folder called the root, and an empty one around it.
package protocol LitmusFiles: AnyObject {
    /// Records that the kernel queues for an instance before it drops (`fs.inotify.max_queued_events`).
    var queueLimit: Int { get }

    /// A new inotify instance of the observer.
    func openWatcher() throws(Errno) -> any FileWatcher

    /// The root as the observer opens it.
    func openRoot() throws(Errno) -> any RootedDirectory

    /// Does what the case says, and returns when the kernel has done it.
    ///
    /// - Returns: The error of the kernel; `nil` when it was done.
    /// - Throws: When this kernel has no such thing.
    func perform(_ action: LitmusFileAction) async throws(LitmusFailure) -> Errno?
}
