/// Records of inotify as Linux 6.18 on x86-64 gave them, on ext4.
enum InotifyCapture {
    /// `IN_CREATE` of `a`.
    static let create = hex("0100000000010000000000001000000061000000000000000000000000000000")
    /// `IN_MOVED_FROM` of `a`.
    static let movedFrom = hex("0100000040000000198d04001000000061000000000000000000000000000000")
    /// `IN_MOVED_TO` of 15 times `n`, the longest name that is padded to 16 bytes.
    static let movedTo = hex("0100000080000000198d0400100000006e6e6e6e6e6e6e6e6e6e6e6e6e6e6e00")
    /// `IN_MOVED_TO` of 16 times `n`: the NUL takes another 16 bytes.
    static let movedToLonger = hex(
        """
        01000000800000001a8d0400200000006e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e
        00000000000000000000000000000000
        """)
    /// `IN_CREATE|IN_ISDIR` of `sub`.
    static let createFolder = hex("0100000000010040000000001000000073756200000000000000000000000000")
    /// `IN_CLOSE_WRITE` of a name of the bytes 0xff, newline, blank, `x`.
    static let oddName = hex("01000000080000000000000010000000ff0a2078000000000000000000000000")
    /// `IN_IGNORED`, without a name.
    static let ignored = hex("01000000008000000000000000000000")
    /// `IN_Q_OVERFLOW`, of no watch.
    static let overflow = hex("ffffffff004000000000000000000000")

    static let all = [create, movedFrom, movedTo, movedToLonger, createFolder, oddName, ignored, overflow]
}

/// Entries of a folder as `getdents64(2)` of Linux 6.18 on x86-64 gave them, on ext4.
enum DirectoryCapture {
    static let own = hex("5a021900000000000665c0092ff47a221800042e00000000")
    static let fifo = hex("5d02190000000000f82b4755fe8357341800016669666f00")
    static let file = hex("5b02190000000000a2a9edf6c1f9eb4d1800086261636b00")
    static let symlink = hex("5c021900000000006945294cc415d24f18000a6c696e6b00")
    /// Five bytes and a NUL take another eight bytes.
    static let longerName = hex("5f02190000000000a46108c24fdecc5420000831323334350000000000000000")
    static let folder = hex("5e021900000000001eba4030d7643a581800047375620000")
    /// The last one: its offset is the greatest of all.
    static let parent = hex("5902190000000000ffffffffffffff7f1800042e2e000000")

    static let all = [own, fifo, file, symlink, longerName, folder, parent]
}
