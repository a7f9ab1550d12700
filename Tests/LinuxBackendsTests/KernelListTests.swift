import EventModel
import LinuxBackends
import Testing

struct KernelListTests {
    @Test(
        arguments: [
            ("0-1\n", [0, 1]), ("0\n", [0]), ("0-2,5,7-8\n", [0, 1, 2, 5, 7, 8]), ("\n", []), ("", []),
            ("8191", [8191]),
        ] as [(String, [UInt32])])
    func `lists of processors are read as the kernel writes them`(text: String, processors: [UInt32]) {
        #expect(ProcessorList.parse(Array(text.utf8)) == processors)
    }

    @Test(arguments: [
        "a", "1-", "-1", "3-1", "0,0", "2,1", "0-8192", "1-2-3", "0,,1", "99999999999", " 1", "0\n\n",
    ])
    func `malformed lists of processors are refused`(text: String) {
        #expect(ProcessorList.parse(Array(text.utf8)) == nil)
    }

    /// A record of `getdents64(2)`: inode and offset of eight bytes, length of two, type of one, name, NUL, padding.
    private static func entry(_ name: String) -> [UInt8] {
        let length = (19 + name.utf8.count + 1 + 7) / 8 * 8
        let header = [UInt8](repeating: 1, count: 16) + [UInt8(length & 0xff), UInt8(length >> 8), 4]
        return header + Array(name.utf8) + [UInt8](repeating: 0, count: length - 19 - name.utf8.count)
    }

    @Test func `only numbers are taken from a directory`() {
        let bytes = ["1", "self", "..", "4194304", "12x", "99999999999", "42"].flatMap(Self.entry)
        var pids: [ProcessID] = []
        DirectoryEntries.appendNumbers(of: bytes.span, to: &pids)
        #expect(pids == [ProcessID(1), ProcessID(4_194_304), ProcessID(42)])
    }

    @Test func `a directory record cut anywhere is not read beyond its end`() {
        let bytes = Self.entry("17") + Self.entry("18")
        for count in 0..<bytes.count {
            var pids: [ProcessID] = []
            DirectoryEntries.appendNumbers(of: Array(bytes.prefix(count)).span, to: &pids)
            #expect(pids == (count < bytes.count / 2 ? [] : [ProcessID(17)]))
        }
    }
}
