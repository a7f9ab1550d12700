/// The forms of names in paths of control groups.
extension ArraySlice<UInt8> {
    /// Whether it is the id of a container: 64 lower-case hexadecimal digits, as Docker, containerd's CRI, CRI-O and
    /// Podman make them.
    var isContainerID: Bool { count == 64 && allSatisfy(\.isLowerHexadecimal) }

    /// Whether it is the id of a container of Fargate: 32 lower-case hexadecimal digits, a hyphen, and a number.
    var isTaskContainerID: Bool {
        guard count > 33, count <= 33 + 20, prefix(32).allSatisfy(\.isLowerHexadecimal) else { return false }
        return self[startIndex + 32] == Ascii.minus && dropFirst(33).allSatisfy { (0x30...0x39).contains($0) }
    }

    /// The UID of a pod: a UUID, in which slices have underscores for hyphens, or 32 hexadecimal digits for static pods.
    var podUID: String? {
        guard count == 36 || count == 32 else { return nil }
        var text: [UInt8] = []
        text.reserveCapacity(count)
        for (offset, byte) in enumerated() {
            let isHyphen = count == 36 && [8, 13, 18, 23].contains(offset)
            guard isHyphen ? byte == Ascii.minus || byte == 0x5f : byte.isLowerHexadecimal else { return nil }
            text.append(isHyphen ? Ascii.minus : byte)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The text, if it is of printable ASCII without spaces and not empty: so are the names of units and machines.
    var visibleText: String? {
        guard !isEmpty, allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
        return String(decoding: self, as: UTF8.self)
    }

    /// The name of a machine within the name of a unit, where `\xNN` stands for a byte (`systemd-escape(1)`).
    var unescapedUnitName: ArraySlice<UInt8>? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var position = startIndex
        while position < endIndex {
            guard self[position] == Ascii.backslash else {
                bytes.append(self[position])
                position += 1
                continue
            }
            guard endIndex - position >= 4, self[position + 1] == 0x78,
                let high = Ascii.hexadecimalValue(self[position + 2]),
                let low = Ascii.hexadecimalValue(self[position + 3])
            else { return nil }
            bytes.append(high << 4 | low)
            position += 4
        }
        return bytes[...]
    }

    func equals(_ text: String) -> Bool { elementsEqual(text.utf8) }

    /// What stands behind `prefix`; `nil` when it does not begin so.
    func without(prefix: String) -> ArraySlice<UInt8>? {
        starts(with: prefix.utf8) ? dropFirst(prefix.utf8.count) : nil
    }

    /// What stands before `suffix`; `nil` when it does not end so.
    func without(suffix: String) -> ArraySlice<UInt8>? {
        count >= suffix.utf8.count && self.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
            ? dropLast(suffix.utf8.count) : nil
    }

    /// What stands behind the last `mark`; `nil` when there is none.
    func behindLast(_ mark: String) -> ArraySlice<UInt8>? {
        var start = endIndex - mark.utf8.count
        while start >= startIndex {
            if self[start...].starts(with: mark.utf8) { return self[(start + mark.utf8.count)...] }
            start -= 1
        }
        return nil
    }
}

extension UInt8 {
    fileprivate var isLowerHexadecimal: Bool { (0x30...0x39).contains(self) || (0x61...0x66).contains(self) }
}
