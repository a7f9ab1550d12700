import EventModel
import KernelFormats
import Testing

/// Every reader gives a value or an error for any bytes, and what it gives is printed and read back alike.
@Suite struct TotalityTests {
    /// One format behind its type, with genuine files and messages.
    struct Format: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let samples: [[UInt8]]
        /// Reads, prints and reads again; `false` when the two values differ.
        let survives: @Sendable ([UInt8]) -> Bool

        init<Value: KernelFormat>(_ type: Value.Type, samples: [[UInt8]]) {
            testDescription = "\(type)"
            self.samples = samples
            survives = { bytes in
                // An error is one of the two answers that are right.
                guard let value = try? Value(parsing: bytes) else { return true }
                return (try? Value(parsing: value.bytes)) == value
            }
        }
    }

    static let formats = [
        Format(ConnectorMessage.self, samples: ConnectorCapture.all),
        Format(
            ConnectorRequest.self,
            samples: [ConnectorRequest(.listen).bytes, ConnectorRequest(.ignore, mask: [.exec]).bytes]),
        Format(
            ProcessStat.self,
            samples: ProcCapture.hostileNames.map(ProcCapture.stat(name:))
                + [ProcCapture.zombieStat, ProcCapture.kernelThreadStat]),
        Format(ProcessStatus.self, samples: [[UInt8](text: ProcCapture.status)]),
        Format(CommFile.self, samples: ProcCapture.hostileNames.map { $0 + [0x0a] }),
        Format(CommandLineFile.self, samples: [[UInt8](text: "ls\0-l\0\0"), [UInt8](text: "title"), [0]]),
        Format(
            CgroupFile.self, samples: [[UInt8](text: ProcCapture.hybridCgroup), [UInt8](text: "0::/a\n")]),
        Format(SystemStat.self, samples: [[UInt8](text: ProcCapture.systemStat)]),
        Format(BootIDFile.self, samples: [[UInt8](text: "5f2d0c1e-90ab-4cde-8f01-23456789abcd\n")]),
        Format(UptimeFile.self, samples: [[UInt8](text: "1215.42 2328.96\n")]),
        Format(PIDMaximumFile.self, samples: [[UInt8](text: "32768\n")]),
        Format(
            ExecutableLink.self, samples: [[UInt8](text: "/memfd:x (deleted)"), [UInt8](text: "/bin/sh")]),
        Format(NamespaceLink.self, samples: [[UInt8](text: "pid:[4026531836]")]),
        Format(InotifyRecord.self, samples: InotifyCapture.all),
        Format(DirectoryEntry.self, samples: DirectoryCapture.all),
    ]

    @Test(arguments: formats)
    func `each sample is read`(format: Format) {
        for sample in format.samples { #expect(format.survives(sample)) }
    }

    @Test(arguments: formats)
    func `no beginning of a sample traps`(format: Format) {
        for sample in format.samples {
            for count in 0..<sample.count { #expect(format.survives(Array(sample.prefix(count)))) }
        }
    }

    @Test(arguments: formats)
    func `no change of one byte traps`(format: Format) {
        var generator = SeededGenerator(seed: 10)
        let telling: [UInt8] = [0x00, 0xff, 0x80, 0x7f] + Array(" ()\n\\:/-09".utf8)
        for sample in format.samples {
            for index in sample.indices {
                let near = [sample[index] &+ 1, sample[index] ^ 0x20]
                for value in [
                    generator.element(of: telling), generator.element(of: near), generator.integer(),
                ] {
                    var bytes = sample
                    bytes[index] = value
                    #expect(format.survives(bytes), "byte \(index) set to \(value)")
                }
            }
        }
    }

    @Test(arguments: formats)
    func `no missing and no doubled byte traps`(format: Format) {
        for sample in format.samples {
            for index in sample.indices {
                var bytes = sample
                bytes.remove(at: index)
                #expect(format.survives(bytes))
                bytes = sample
                bytes.insert(sample[index], at: index)
                #expect(format.survives(bytes))
            }
        }
    }

    @Test(arguments: formats)
    func `no random bytes trap`(format: Format) {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<2_000 { #expect(format.survives(generator.bytes(atMost: 120))) }
    }

    @Test(arguments: formats)
    func `samples spliced into one another do not trap`(format: Format) {
        var generator = SeededGenerator(seed: 12)
        for _ in 0..<2_000 {
            let head = generator.element(of: format.samples)
            let tail = generator.element(of: format.samples)
            let cut = Int(generator.next() % UInt64(head.count + 1))
            let join = Int(generator.next() % UInt64(tail.count + 1))
            #expect(format.survives(Array(head[..<cut] + tail[join...])))
        }
    }

    @Test func `an error names the format, the byte and what was expected`() throws {
        let error = #expect(throws: FormatError.self) {
            try CgroupFile(parsing: [UInt8](text: "0::/\nx::/\n"))
        }
        #expect(error?.description == "/proc/PID/cgroup: byte 5: malformed, expected a decimal number")
    }
}
