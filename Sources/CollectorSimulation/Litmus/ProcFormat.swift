package import Backends
import EventModel

/// Finds fields in files of `/proc`, apart from the parsers of the product, so that the two check each other.
package enum ProcFormat: Hashable, Sendable {
    /// `/proc/PID/stat`: fields by the names of proc(5).
    case stat
    /// `Name:\tvalue` or `name value` a line.
    case lines
    case other

    /// The format of a file below `/proc/PID`.
    package init(_ file: ProcessFile) {
        switch file {
        case .stat: self = .stat
        case .status, .io, .limits: self = .lines
        default: self = .other
        }
    }

    /// Fields of `stat` that cases ask for, by their position from 1.
    private static let positions = [
        "pid": 1, "comm": 2, "state": 3, "ppid": 4, "pgrp": 5, "session": 6, "tty_nr": 7, "tpgid": 8,
        "flags": 9,
        "num_threads": 20, "starttime": 22, "vsize": 23, "rss": 24, "startcode": 26, "endcode": 27,
        "kstkesp": 29,
        "exit_signal": 38, "exit_code": 52,
    ]
    /// Fields, of either file, whose numbers are pids.
    private static let processFields: Set<String> = [
        "pid", "ppid", "pgrp", "session", "Tgid", "Ngid", "Pid", "PPid", "TracerPid", "NStgid", "NSpid",
        "NSpgid", "NSsid",
    ]

    /// The field as an answer shows it, pids by name; `nil` when the file has none.
    package func field(_ name: String, in bytes: [UInt8], names: ProcessNames) -> String? {
        let value: [UInt8]?
        switch self {
        case .stat: value = Self.statField(name, in: bytes)
        case .lines, .other: value = Self.lineField(name, in: bytes)
        }
        guard let value else { return nil }
        if name == "comm" || name == "Name" { return Printer.quoted(value) }
        let words = value.split { $0 == .space || $0 == 0x09 }.map { String(decoding: $0, as: UTF8.self) }
        guard Self.processFields.contains(name) else { return words.joined(separator: ",") }
        // Behind the first stand the numbers within inner namespaces, which are nobody's names.
        let first = words.first.flatMap { Int32($0) }.map { names.text(of: ProcessID($0)) }
        return ([first].compactMap { $0 } + words.dropFirst()).joined(separator: ",")
    }

    /// The name is between the first parenthesis and the last; everything else is words.
    private static func statField(_ name: String, in bytes: [UInt8]) -> [UInt8]? {
        guard let position = positions[name], let open = bytes.firstIndex(of: UInt8(ascii: "(")),
            let close = bytes.lastIndex(of: UInt8(ascii: ")")), open < close
        else { return nil }
        switch position {
        case 1: return Array(bytes[..<open].filter { $0 != .space })
        case 2: return Array(bytes[(open + 1)..<close])
        default:
            let words = bytes[(close + 1)...].split { $0 == .space || $0 == 0x0a }
            return position - 3 < words.count ? Array(words[position - 3]) : nil
        }
    }

    private static func lineField(_ name: String, in bytes: [UInt8]) -> [UInt8]? {
        for line in bytes.split(separator: 0x0a) where line.starts(with: name.utf8) {
            var rest = line.dropFirst(name.utf8.count)
            guard let separator = rest.first, separator == UInt8(ascii: ":") || separator == .space else {
                continue
            }
            rest = rest.dropFirst()
            if rest.first == 0x09 || rest.first == .space { rest = rest.dropFirst() }
            return Array(rest)
        }
        return nil
    }
}
