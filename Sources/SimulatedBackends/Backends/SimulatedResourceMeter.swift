package import Backends
import Synchronization

package import struct SystemPackage.Errno

/// Answers what it is told to, or fails with what it is told to.
package final class SimulatedResourceMeter: ResourceMeter {
    private let answer: Mutex<Result<ResourceUsage, Errno>>

    package init(_ usage: ResourceUsage) { answer = Mutex(.success(usage)) }

    /// Sets what is measured from now on.
    package func set(_ usage: ResourceUsage) { answer.withLock { $0 = .success(usage) } }

    /// Makes measuring fail from now on.
    package func fail(with error: Errno) { answer.withLock { $0 = .failure(error) } }

    package func usage() throws(Errno) -> ResourceUsage { try answer.withLock { $0 }.get() }
}
