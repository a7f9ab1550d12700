import Backends
import CollectorCore
import Configuration
import ControlPlane
import EventModel
import LinuxBackends
import WireMessages

import struct SystemPackage.Errno

/// A socket for clients, opened before privileges are given up: the control socket, or the one for DaemonEye clients.
struct OpenedControl {
    let thread: LinuxThread
    let listener: LinuxTransportListener
    let path: String

    /// Members of the group may connect; who else may is decided by the socket's owner.
    private static let mode: UInt32 = 0o660

    /// - Parameters:
    ///   - setting: Says where; empty for nowhere.
    ///   - name: The thread's.
    /// - Returns: `nil` when there shall be none.
    static func open(
        _ setting: TypedSetting<String>, on name: String, _ values: SettingsValues
    ) throws(HostError) -> OpenedControl? {
        let path = values[setting]
        guard !path.isEmpty else { return nil }
        let thread = try OpenedHost.attempt("a thread") { () throws(Errno) in try LinuxThread(name: name) }
        do throws(TransportListenerError) {
            let listener = try LinuxTransportListener(
                path: path, mode: mode, group: UInt32(values[HostSettings.controlGroup]).map { GroupID($0) },
                on: thread)
            return OpenedControl(thread: thread, listener: listener, path: path)
        } catch {
            throw HostError(
                error.isDenied ? .permission : .unavailable,
                "\(error) with --set \(setting.key)=PATH (nothing for none)", cause: error.errno,
                fix: (error.command.map { $0 + ", or " } ?? "") + "--set \(setting.key)=PATH")
        }
    }

    /// What a client may do.
    private static func role(_ peer: PeerCredentials) -> WireWelcome.Role {
        let own = UserID(HostProcess.effectiveUserID)
        return peer.uid == own || peer.uid == UserID(0) ? .control : .read
    }

    /// The server for a socket of DaemonEye clients.
    func makeDaemonEyeServer(for collector: Collector) -> DaemonEyeServer {
        DaemonEyeServer(
            listener: listener, path: path, collector: collector, limits: DaemonEyeServer.Limits(),
            thread: thread, role: Self.role)
    }

    /// The server for the socket; it keeps events from now on.
    ///
    /// - Parameter daemonEye: Shown beside it in `status`.
    func makeServer(
        for collector: Collector, _ values: SettingsValues, settings: any SettingsKeeper,
        beside daemonEye: DaemonEyeServer?
    ) throws(CollectorError) -> ControlServer {
        let server = ControlServer(
            listener: listener, path: path, collector: collector, settings: settings,
            limits: HostSettings.controlLimits(values), thread: thread,
            otherListeners: { daemonEye.map { [$0.listenerStatus] } ?? [] }, role: Self.role)
        try server.subscribe()
        return server
    }
}
