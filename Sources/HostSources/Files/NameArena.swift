/// Names of files, packed: room that a removed name leaves is used again for one of about its length.
///
/// Slots are multiples of 8 bytes and are named by the number of their first 8 bytes, so that 32 bits reach 32 GiB. Pages
/// of 64 KiB never move: growing copies nothing.
struct NameArena {
    private static let unitByteCount = 8
    private static let pageUnitCount = 8_192
    /// One more than the units of the longest name (`NAME_MAX` is 255).
    private static let classCount = 33

    private var pages: [ContiguousArray<UInt8>] = []
    /// The next unit of the last page that has never been used.
    private var nextUnit = 1
    /// The first free slot of each size in units; 0 for none. A free slot begins with the number of the next one.
    private var freeSlots: [UInt32]

    init() { freeSlots = Array(repeating: 0, count: Self.classCount) }

    /// Bytes of memory that names and free slots take.
    var byteCount: Int { pages.count * Self.pageUnitCount * Self.unitByteCount }

    /// Keeps a name of 1 to 255 bytes.
    ///
    /// - Returns: Its slot, never 0.
    mutating func insert(_ name: [UInt8]) -> UInt32 {
        precondition(!name.isEmpty && name.count <= 255, "a name has 1 to 255 bytes")
        let slot = takeSlot(unitCount: Self.unitCount(name.count))
        let (page, start) = Self.place(slot)
        for index in name.indices { pages[page][start + index] = name[index] }
        return slot
    }

    /// Frees the slot of a name of `count` bytes.
    mutating func remove(_ slot: UInt32, count: Int) {
        let unitCount = Self.unitCount(count)
        setWord(at: slot, to: freeSlots[unitCount])
        freeSlots[unitCount] = slot
    }

    func name(_ slot: UInt32, count: Int) -> [UInt8] {
        let (page, start) = Self.place(slot)
        return Array(pages[page][start..<(start + count)])
    }

    /// Appends a name to other bytes.
    func append(_ slot: UInt32, count: Int, to bytes: inout [UInt8]) {
        let (page, start) = Self.place(slot)
        bytes.append(contentsOf: pages[page][start..<(start + count)])
    }

    /// Whether the slot holds exactly these bytes, when its name has as many.
    func holds(_ name: [UInt8], at slot: UInt32) -> Bool {
        let (page, start) = Self.place(slot)
        for index in name.indices where pages[page][start + index] != name[index] { return false }
        return true
    }

    // MARK: - Slots

    private mutating func takeSlot(unitCount: Int) -> UInt32 {
        let free = freeSlots[unitCount]
        if free != 0 {
            freeSlots[unitCount] = word(at: free)
            return free
        }
        // What is left of a page when a name does not fit is at most 255 bytes.
        let isFull = nextUnit % Self.pageUnitCount + unitCount > Self.pageUnitCount
        if isFull { nextUnit = (nextUnit / Self.pageUnitCount + 1) * Self.pageUnitCount }
        if nextUnit / Self.pageUnitCount >= pages.count {
            pages.append(
                ContiguousArray(repeating: 0, count: Self.pageUnitCount * Self.unitByteCount))
        }
        defer { nextUnit += unitCount }
        return UInt32(nextUnit)
    }

    private static func unitCount(_ byteCount: Int) -> Int { (byteCount + unitByteCount - 1) / unitByteCount }

    private static func place(_ slot: UInt32) -> (page: Int, start: Int) {
        (Int(slot) / pageUnitCount, Int(slot) % pageUnitCount * unitByteCount)
    }

    private func word(at slot: UInt32) -> UInt32 {
        let (page, start) = Self.place(slot)
        var word: UInt32 = 0
        for index in (0..<4).reversed() { word = word << 8 | UInt32(pages[page][start + index]) }
        return word
    }

    private mutating func setWord(at slot: UInt32, to word: UInt32) {
        let (page, start) = Self.place(slot)
        for index in 0..<4 {
            pages[page][start + index] = UInt8(truncatingIfNeeded: word >> UInt32(8 * index))
        }
    }
}
