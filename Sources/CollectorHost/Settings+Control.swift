package import Configuration
import ControlPlane
import EventModel

// MARK: - ipc

extension HostSettings {
    static let control = [
        controlSocket.setting, controlGroup.setting, controlHistory.setting, controlConnections.setting,
        daemonEyeSocket.setting,
    ]

    package static let controlSocket = TypedSetting.string(
        "ipc.socket", default: "/run/collector-core/control.sock", rule: socketPath, secrecy: .open,
        reload: .atRestart,
        "The Unix socket at which collectorctl and other programs ask the collector and follow its events. Its folder "
            + "is made when it is missing. Empty: there is none.")
    package static let controlGroup = TypedSetting.string(
        "ipc.group", default: "", rule: groupID, secrecy: .open, reload: .atRestart,
        "The number of the group whose members may connect, beside the collector's own user and root. They may ask and "
            + "follow; only root and the collector's own user may have files read. Empty: nobody else.")
    package static let controlHistory = TypedSetting.byteCount(
        "ipc.history", default: .mebibytes(4), range: .kibibytes(64) ... .gibibytes(1), reload: .atRestart,
        "How much memory the last events may take that are kept for clients which are slow, or come back. What is gone "
            + "is told as a gap.")
    package static let controlConnections = TypedSetting.integer(
        "ipc.max_connections", default: 64, range: 1...1_024, unit: "connections", reload: .atRestart,
        "Most connections at a time; a quarter of them for one user, except root and the collector's own.")

    package static let daemonEyeSocket = TypedSetting.string(
        "ipc.daemoneye_socket", default: "", rule: socketPath, secrecy: .open, reload: .atRestart,
        "The Unix socket at which programs written for the DaemonEye system ask this collector, in that system's protocol. "
            + "Who may connect, and who may have files read, is as with ipc.socket. Empty: there is none.")

    /// A path that no socket can have is told before the daemon starts with it.
    static let socketPathLengths = [controlSocket, daemonEyeSocket].map { socket in
        SettingsConstraint(keys: [socket.key]) {
            $0[socket].utf8.count <= Limits.socketPathByteCount
        } message: {
            "expected \(socket.key) to have at most \(Limits.socketPathByteCount) bytes, not "
                + "\($0[socket].utf8.count): the path of a socket has no more room (unix(7))"
        }
    }

    private static let socketPath = TextRule(expected: "an absolute path without \"..\", or nothing") {
        $0.isEmpty || ($0.hasPrefix("/") && !$0.utf8.contains(0) && !$0.split(separator: "/").contains(".."))
    }

    private static let groupID = TextRule(expected: "the number of a group, or nothing") {
        $0.isEmpty || UInt32($0) != nil
    }

    static func controlLimits(_ values: SettingsValues) -> ControlServer.Limits {
        var limits = ControlServer.Limits()
        limits.historyByteCount = values[controlHistory].bytes
        limits.connectionCount = values[controlConnections]
        limits.connectionCountPerUser = max(1, limits.connectionCount / 4)
        return limits
    }
}
