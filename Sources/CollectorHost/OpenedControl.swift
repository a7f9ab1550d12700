import Backends
import CollectorCore
import Configuration
import ControlPlane
import EventModel
import LinuxBackends
import WireMessages

import struct SystemPackage.Errno

/// The control socket, opened before privileges are given up.
struct OpenedControl {
    let thread: LinuxThread
    let listener: LinuxTransportListener
    let path: String

    /// Members of the group may connect; who else may is decided by the socket's owner.
    private static let mode: UInt32 = 0o660

    /// - Returns: `nil` when there shall be none.
    static func open(_ values: SettingsValues) throws(HostError) -> OpenedControl? {
        let path = values[HostSettings.controlSocket]
        guard !path.isEmpty else { return nil }
        let thread = try OpenedHost.attempt("a thread") { () throws(Errno) in
            try LinuxThread(name: "control")
        }
        do throws(TransportListenerError) {
            let listener = try LinuxTransportListener(
                path: path, mode: mode, group: UInt32(values[HostSettings.controlGroup]).map { GroupID($0) },
                on: thread)
            return OpenedControl(thread: thread, listener: listener, path: path)
        } catch {
            throw HostError(
                error.isDenied ? .permission : .unavailable,
                "\(error) with --set \(HostSettings.controlSocket.key)=PATH (nothing for none)")
        }
    }

    /// The server for the socket; it keeps events from now on.
    func makeServer(
        for collector: Collector, _ values: SettingsValues, settings: any SettingsKeeper
    ) throws(CollectorError) -> ControlServer {
        let own = UserID(HostProcess.effectiveUserID)
        let server = ControlServer(
            listener: listener, path: path, collector: collector, settings: settings,
            limits: HostSettings.controlLimits(values), thread: thread
        ) { peer in
            peer.uid == own || peer.uid == UserID(0) ? .control : .read
        }
        try server.subscribe()
        return server
    }
}
