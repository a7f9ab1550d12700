import CLinux

import struct SystemPackage.Errno

/// Gives up privileges for good.
///
/// Capabilities, ids and `no_new_privs` belong to threads. Therefore the whole reduction is done by the only thread of
/// the process, before the first task, queue or thread exists: later ones inherit it.
package enum PrivilegeReduction {
    /// A user and a group that a process started by root turns into.
    package struct Account: Hashable, Sendable {
        package var uid: UInt32
        package var gid: UInt32

        package init(uid: UInt32, gid: UInt32) {
            self.uid = uid
            self.gid = gid
        }
    }

    /// Reduces the process to `kept`, as far as it has them, and to `account`, if there is one.
    ///
    /// Afterwards no call and no program that it executes can gain anything back.
    /// - Throws: `EBUSY` when other threads exist, which would keep everything; or the step that failed, after which
    ///   the process must not go on.
    package static func reduceProcess(keeping kept: CapabilitySet, account: Account?) throws(HardeningError) {
        try requireSingleThread()
        try reduceThread(keeping: kept, account: account)
    }

    static func requireSingleThread() throws(HardeningError) {
        let threads = try PrivilegeReport.threadIDs()
        guard threads.count == 1 else {
            throw HardeningError("reduce privileges while \(threads.count) threads exist", .resourceBusy)
        }
    }

    /// Reduces the calling thread only.
    package static func reduceThread(keeping kept: CapabilitySet, account: Account?) throws(HardeningError) {
        var effective: UInt64 = 0
        var permitted: UInt64 = 0
        var inheritable: UInt64 = 0
        try HardeningError.check(
            "read the capabilities", unsafe clinux_get_capabilities(&effective, &permitted, &inheritable))
        let remaining = kept.intersection(CapabilitySet(rawValue: permitted))

        if CapabilitySet(rawValue: effective).contains(.setPCap) {
            try dropBoundingSet(except: remaining)
            // Uid 0 means nothing from here on; a change of uid takes no capability away either.
            try HardeningError.check("lock the securebits", clinux_lock_secure_bits())
        } else if account != nil {
            // Without the right to, no_new_privs alone must keep programs from gaining anything.
            try HardeningError.check("keep capabilities", clinux_set_keep_capabilities(1))
        }
        if let account { try become(account) }
        try HardeningError.check(
            "set the capabilities", clinux_set_capabilities(remaining.rawValue, remaining.rawValue, 0))
        try HardeningError.check("clear the ambient set", clinux_ambient_clear())
        try HardeningError.check("set no_new_privs", clinux_set_no_new_privileges())
    }

    /// Forbids core dumps and debuggers, and makes root the owner of the process's files in `/proc`.
    package static func setNonDumpable() throws(HardeningError) {
        try HardeningError.check("make the process non-dumpable", clinux_set_dumpable(0))
    }

    private static func dropBoundingSet(except kept: CapabilitySet) throws(HardeningError) {
        for number in Int32(0)..<64 {
            let result = clinux_bounding_set_has(number)
            // The kernel knows no higher one.
            if result < 0 { return }
            if result == 0 || kept.contains(Capability(rawValue: UInt8(number))) { continue }
            try HardeningError.check(
                "drop a capability from the bounding set", clinux_bounding_set_drop(number))
        }
    }

    private static func become(_ account: Account) throws(HardeningError) {
        try HardeningError.check("leave the supplementary groups", clinux_clear_groups())
        try HardeningError.check("become group \(account.gid)", clinux_set_group(account.gid))
        try HardeningError.check("become user \(account.uid)", clinux_set_user(account.uid))
    }
}
