import EventModel
import KernelFormats
import Testing

@Suite struct CommandLineFileTests {
    private func read(_ bytes: [UInt8]) -> CommandLineFile { CommandLineFile(parsing: bytes.span) }

    private func read(_ text: String) -> CommandLineFile { read([UInt8](text: text)) }

    private func arguments(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    @Test func `arguments end at their NULs`() {
        let file = read("ls\0-l\0/tmp dir\0")
        #expect(file.arguments == arguments("ls", "-l", "/tmp dir"))
        #expect(file.isTerminated)
        #expect(!file.isTruncated)
    }

    @Test func `a zombie's empty file has no arguments`() {
        #expect(read("").arguments.isEmpty)
        #expect(!read("").isTerminated)
    }

    @Test func `an exec without arguments leaves one that is empty`() {
        #expect(read("\0").arguments == arguments(""))
    }

    @Test func `empty arguments are kept`() {
        #expect(read("a\0\0b\0\0").arguments == arguments("a", "", "b", ""))
    }

    @Test func `the last NUL may be missing`() {
        let file = read("a\0b")
        #expect(file.arguments == arguments("a", "b"))
        #expect(!file.isTerminated)
        #expect(file.bytes == Array("a\0b".utf8))
    }

    @Test func `a title without NUL is one argument`() {
        #expect(read("nginx: worker process").arguments == arguments("nginx: worker process"))
        #expect(CommandLineFile(title: Array("nginx".utf8)).bytes == Array("nginx".utf8))
        #expect(CommandLineFile(title: []) == read(""))
    }

    @Test func `NULs that pad a title are not arguments`() {
        #expect(read("sshd: root\0\0\0\0\0").argumentsWithoutPadding == arguments("sshd: root")[...])
        #expect(read("\0\0\0").argumentsWithoutPadding == arguments("")[...])
        #expect(read("a\0\0b\0").argumentsWithoutPadding == arguments("a", "", "b")[...])
    }

    @Test func `a title that runs into the environment is measured`() {
        let file = read("TTTTTTTTENVV=leak\0")
        #expect(file.overrunByteCount(argStart: 0x7000, argEnd: 0x7008) == 10)
        #expect(file.overrunByteCount(argStart: 0x7000, argEnd: 0x7012) == 0)
        #expect(read("abc").overrunByteCount(argStart: 1, argEnd: 3) == 1)
    }

    @Test(arguments: [(0, 0), (5, 4), (.max, 0), (0, .max)])
    func `addresses that are hidden or absurd measure nothing`(argStart: UInt64, argEnd: UInt64) {
        #expect(read("abc\0").overrunByteCount(argStart: argStart, argEnd: argEnd) == 0)
        #expect(read("").overrunByteCount(argStart: argStart, argEnd: argEnd) == 0)
    }

    @Test func `bytes that are no UTF-8 are kept`() throws {
        let bytes: [UInt8] = [0xff, 0x00, 0xc3, 0x0a, 0x1b, 0x00]
        let file = read(bytes)
        #expect(file.arguments == [[0xff], [0xc3, 0x0a, 0x1b]])
        #expect(file.bytes == bytes)
    }

    // The results are bound to names, lest a failure print megabytes.

    @Test func `more bytes than the limit are cut and say so`() {
        let file = read([UInt8](repeating: 0x61, count: Limits.commandLineByteCount + 1))
        let (isTruncated, byteCounts) = (file.isTruncated, file.arguments.map(\.count))
        #expect(isTruncated)
        #expect(byteCounts == [Limits.commandLineByteCount])
    }

    @Test func `exactly the limit of bytes is not cut`() {
        let bytes = [UInt8](repeating: 0x61, count: Limits.commandLineByteCount - 1) + [0]
        let file = read(bytes)
        let (isTruncated, isTerminated, isSame) = (file.isTruncated, file.isTerminated, file.bytes == bytes)
        #expect(!isTruncated)
        #expect(isTerminated)
        #expect(isSame)
    }

    @Test func `more arguments than the limit are cut and say so`() {
        for (excess, isCut) in [(0, false), (1, true)] {
            let file = read([UInt8](repeating: 0, count: Limits.argumentCount + excess))
            let (isTruncated, count) = (file.isTruncated, file.arguments.count)
            #expect(count == Limits.argumentCount)
            #expect(isTruncated == isCut)
        }
    }

    @Test func `arguments that were printed are read back`() {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<1_000 {
            let list = (0..<Int(generator.next() % 8)).map { _ in generator.bytes(atMost: 20, excluding: [0])
            }
            let file = CommandLineFile(arguments: list)
            #expect(read(file.bytes) == file)
        }
    }

    @Test func `any bytes within the limits are printed as they were read`() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<1_000 {
            let bytes = generator.bytes(atMost: 60)
            #expect(read(bytes).bytes == bytes)
        }
    }
}
