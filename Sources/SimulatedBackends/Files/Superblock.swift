import EventModel

import struct SystemPackage.Errno

/// One file system and where it is mounted.
final class Superblock {
    let device: UInt64
    let mountID: UInt64
    /// Decides the order of listings.
    let hashSeed: UInt64
    /// Whether a listing says what each file is (`d_type`).
    let tellsTypes: Bool
    /// Room in bytes.
    let capacity: UInt64
    private(set) var usedByteCount: UInt64 = 0
    /// What every call upon it gives: the server or the disk is gone.
    var failure: Errno?
    /// Where it is mounted; `nil` for the root of all, and after it was unmounted.
    var mountpoint: Dentry?
    /// Open files: it cannot be unmounted.
    var pinCount = 0
    /// Nobody can reach it by a path any more, but files are open.
    var isDetached = false
    private var root: Dentry?
    private var nextInode: UInt64
    /// Numbers that were given back, descending.
    private var freeInodes: [UInt64] = []

    init(
        device: UInt64, mountID: UInt64, hashSeed: UInt64, firstInode: UInt64, capacity: UInt64,
        tellsTypes: Bool
    ) {
        self.device = device
        self.mountID = mountID
        self.hashSeed = hashSeed
        self.capacity = capacity
        self.tellsTypes = tellsTypes
        nextInode = firstInode
    }

    /// The folder at its top.
    var rootDentry: Dentry {
        guard let root else { preconditionFailure("a file system has a root from its beginning") }
        return root
    }

    func setRoot(_ dentry: Dentry) { root = dentry }

    func check() throws(Errno) {
        if let failure { throw failure }
    }

    // MARK: Room

    /// The lowest free number (`find_next_zero_bit` over the bitmap, `fs/ext4/ialloc.c`): what has just been given back
    /// comes again at once.
    func takeInode() -> UInt64 {
        if let free = freeInodes.popLast() { return free }
        defer { nextInode += 1 }
        return nextInode
    }

    func release(inode: UInt64, byteCount: UInt64) {
        usedByteCount -= min(byteCount, usedByteCount)
        var low = 0
        var high = freeInodes.count
        while low < high {
            let middle = (low + high) / 2
            if freeInodes[middle] > inode { low = middle + 1 } else { high = middle }
        }
        freeInodes.insert(inode, at: low)
    }

    /// Gives a file more or less room.
    ///
    /// - Throws: `ENOSPC`, and then nothing has changed.
    func resize(from old: UInt64, to new: UInt64) throws(Errno) {
        let used = usedByteCount - min(old, usedByteCount) + new
        guard new <= old || used <= capacity else { throw .noSpace }
        usedByteCount = used
    }
}
