package import Backends

import struct SystemPackage.Errno

/// Makes a thread of the operating system for each source.
package struct LinuxThreads: ThreadProvider {
    package init() {}

    /// Traps when no descriptor can be had: a source without its thread would be silent.
    package func makeThread(named name: String) -> any ExecutionThread {
        do {
            return try LinuxThread(name: name)
        } catch {
            preconditionFailure("the system refuses a thread's descriptors: \(error)")
        }
    }
}
