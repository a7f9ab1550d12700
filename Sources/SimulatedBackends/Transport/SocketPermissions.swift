package import Backends
package import EventModel

/// Who may connect to a socket: whoever may write to its name.
package struct SocketPermissions: Hashable, Sendable {
    package var mode: UInt32
    package var owner: UserID
    package var group: GroupID

    package init(mode: UInt32, owner: UserID = UserID(0), group: GroupID = GroupID(0)) {
        self.mode = mode
        self.owner = owner
        self.group = group
    }

    /// `generic_permission` (`fs/namei.c`) with `MAY_WRITE`; uid 0 has `CAP_DAC_OVERRIDE`.
    package func allowWriting(_ process: PeerCredentials) -> Bool {
        if process.uid == UserID(0) { return true }
        if process.uid == owner { return mode & 0o200 != 0 }
        if process.gid == group || process.groups.contains(group) { return mode & 0o020 != 0 }
        return mode & 0o002 != 0
    }
}
