import EventModel
import KernelFormats

/// Reads, prints and reads again what claims to come from the kernel.
enum FormatRoundTrip {
    /// The first byte chooses the format.
    static func violation(of bytes: [UInt8]) -> String? {
        guard let choice = bytes.first else { return nil }
        let content = Array(bytes.dropFirst())
        switch choice % 28 {
        case 0: return check(ConnectorMessage.self, content)
        case 1: return check(ConnectorRequest.self, content)
        case 2: return check(ProcessStat.self, content)
        case 3: return check(ProcessStatus.self, content)
        case 4: return check(CommFile.self, content)
        case 5: return check(CommandLineFile.self, content)
        case 6: return check(CgroupFile.self, content) ?? locate(content)
        case 7: return check(SystemStat.self, content)
        case 8: return check(BootIDFile.self, content)
        case 9: return check(UptimeFile.self, content)
        case 10: return check(PIDMaximumFile.self, content)
        case 11: return check(ExecutableLink.self, content)
        case 12: return check(NamespaceLink.self, content)
        case 13: return readDatagram(content)
        case 14: return check(InotifyRecord.self, content)
        case 15: return check(DirectoryEntry.self, content)
        case 16: return readRecords(content)
        case 17: return readEntries(content)
        case 18: return TextRoundTrip.redactionViolation(of: content)
        case 19: return TextRoundTrip.ruleViolation(of: content)
        case 20: return TextRoundTrip.fileRuleViolation(of: content)
        case 21: return TextRoundTrip.terminalViolation(of: content)
        case 22: return TextRoundTrip.kernelTextViolation(of: content)
        case 23: return FileRoundTrip.processorsViolation(of: content)
        case 24: return FileRoundTrip.updateViolation(of: content)
        case 25: return FileRoundTrip.listViolation(of: content)
        case 26: return FileRoundTrip.cursorViolation(of: content)
        default: return FileRoundTrip.indexViolation(of: content)
        }
    }

    private static func check<Value: KernelFormat>(_ type: Value.Type, _ bytes: [UInt8]) -> String? {
        guard let value = try? Value(parsing: bytes) else { return nil }
        // What a limit has cut is shorter when it is read again.
        if let commandLine = value as? CommandLineFile, commandLine.isTruncated { return nil }
        return (try? Value(parsing: value.bytes)) == value ? nil : "\(type) reads back as something else"
    }

    /// Every path is a place; only a container has an id, and what names it can be shown.
    private static func locate(_ bytes: [UInt8]) -> String? {
        var places = [ContainerMembership(cgroup: bytes)]
        if let file = try? CgroupFile(parsing: bytes), let place = ContainerMembership(file) {
            places.append(place)
        }
        for place in places {
            guard (place.kind == .container) == (place.id != nil) else { return "\(place.kind), id or not" }
            for text in [place.id, place.pod, place.unit] {
                guard let text else { continue }
                let isVisible = !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
                if !isVisible { return "a container's name cannot be shown" }
            }
        }
        return nil
    }

    /// Every step of a datagram's reader goes on.
    private static func readDatagram(_ bytes: [UInt8]) -> String? {
        var reader = ConnectorDatagramReader(at: 0, count: bytes.count)
        return drain("a datagram", of: bytes) { () throws(FormatError) in
            try reader.next(in: bytes.span) != nil
        }
    }

    /// Every step through inotify records goes on.
    private static func readRecords(_ bytes: [UInt8]) -> String? {
        var reader = InotifyReader(at: 0, count: bytes.count)
        return drain("inotify records", of: bytes) { () throws(FormatError) in
            try reader.next(in: bytes.span) != nil
        }
    }

    /// Every step through directory entries goes on.
    private static func readEntries(_ bytes: [UInt8]) -> String? {
        var reader = DirectoryEntryReader(at: 0, count: bytes.count)
        return drain("directory entries", of: bytes) { () throws(FormatError) in
            try reader.next(in: bytes.span) != nil
        }
    }

    /// Calls `step` until it returns `false`; a step never takes less than a byte.
    private static func drain(
        _ name: String, of bytes: [UInt8], _ step: () throws(FormatError) -> Bool
    ) -> String? {
        for _ in 0...bytes.count {
            do throws(FormatError) {
                if try !step() { return nil }
            } catch {
                continue
            }
        }
        return "the reader of \(name) does not end"
    }
}
