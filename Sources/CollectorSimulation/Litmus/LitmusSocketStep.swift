package import Backends

package import struct SystemPackage.Errno

/// What is done to stream sockets and seen of them, through `TransportListener`, `TransportConnector` and
/// `TransportConnection`, but for what other processes do.
///
/// Names of sockets are relative to a folder of their own.
package enum LitmusSocketStep: Hashable, Sendable {
    /// `socket listen PATH [backlog=N] [mode=0600] as l`
    case listen(String, backlog: Int, mode: UInt16, name: String)
    /// `socket connect PATH as c`
    case connect(String, name: String)
    /// `socket connect PATH by A`: the process keeps its end until it ends or connects anew.
    case connectProcess(String, process: String)
    /// `socket pass A TEXT`: the process sends it with a descriptor along (`SCM_RIGHTS`).
    case pass(process: String, [UInt8])
    /// `socket accept l as s`
    case accept(String, name: String)
    /// `socket send c TEXT [times=N]`: each in one call.
    case send(String, [UInt8], times: Int)
    /// `socket fill c chunk=N`: how many bytes are taken, N in a call, until there is no room.
    case fill(String, chunkByteCount: Int)
    /// `socket recv c [count=N]`: one call.
    case receive(String, count: Int)
    /// `socket drain c`: how many bytes there are, and what follows.
    case drain(String)
    /// `socket ready c|l [receiving] [sending]`: whether a wait of 2 ms ends before its time.
    case ready(String, TransportInterest)
    /// `socket peer s`: process, user and group.
    case peer(String)
    /// `socket close c|l`
    case close(String)
    /// `socket put PATH remains|file`: a socket that nobody has, or a file.
    case put(String, isSocket: Bool)
    /// `socket rm PATH`
    case remove(String)
    /// `socket descriptors as v`: how many the observer has open.
    case descriptors(label: String?)
}

/// The stream sockets of a world.
package protocol LitmusSockets: AnyObject {
    /// Opens a listener as the collector does.
    func listen(at path: String, mode: UInt16, backlog: Int) throws(Errno) -> any TransportListener

    /// A way to the listener at a path, for the observer.
    func connector(to path: String) throws(Errno) -> any TransportConnector

    /// Makes a process connect.
    ///
    /// - Returns: The error of the kernel; `nil` when it is connected.
    func connect(_ process: String, to path: String) throws(LitmusFailure) -> Errno?

    /// Makes a process send a text and a descriptor over its connection.
    func pass(_ text: [UInt8], from process: String) throws(LitmusFailure) -> Errno?

    /// Puts a socket that nobody has, or a file, at a path, instead of what is there.
    func put(_ path: String, isSocket: Bool) throws(Errno)

    /// Removes a name.
    func remove(_ path: String) throws(Errno)

    /// How many descriptors the observer has open.
    var descriptorCount: Int { get throws(Errno) }
}
