package import Backends

package import struct SystemPackage.Errno

/// Measures this process by `getrusage(2)` and `/proc/self`.
package struct LinuxResourceMeter: ResourceMeter {
    package init() {}

    package func usage() throws(Errno) -> ResourceUsage {
        let usage = try LinuxSelfUsage.current()
        return ResourceUsage(
            userTime: usage.userTime, systemTime: usage.systemTime,
            residentByteCount: usage.residentByteCount, descriptorCount: usage.descriptorCount,
            threadCount: usage.threadCount)
    }
}
