import CLinux
import EventModel

import struct SystemPackage.Errno

extension Syscall {
    /// The processors that the calling thread may run on: a bit each, processor 0 in the lowest bit of the first word.
    static func affinity() throws(Errno) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: Limits.processorCount / 64)
        let count = words.count
        let byteCount = try check { unsafe clinux_get_affinity(count, &words) }
        words.removeSubrange((Int(byteCount) + 7) / 8..<count)
        return words
    }

    /// Moves the calling thread to one of the processors of the mask before it returns.
    ///
    /// - Throws: `EINVAL` when the thread may run on none of them (`sched_setaffinity(2)`).
    static func setAffinity(_ words: [UInt64]) throws(Errno) {
        _ = try check { unsafe clinux_set_affinity(words.count, words) }
    }
}
