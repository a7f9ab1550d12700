import Digests
import EventModel
import Testing

@Suite struct CommonProcessIdentifierTests {
    /// One process and the identifier expected for it.
    struct Vector: Sendable {
        var boot: String
        var namespace: UInt64
        var ticks: UInt64
        var tgid: Int32
        var expected: String
    }

    /// The first is the example of the specification; the others come from Python's `hashlib`, `struct` and
    /// `uuid`.
    static let vectors = [
        Vector(
            boot: "2899dae4-4fa4-4eef-95b6-6bc95325f61a", namespace: 4_026_532_263, ticks: 55_558, tgid: 29,
            expected: "b770a0ed-8463-822c-b5f6-30d9081ddbd9"),
        Vector(
            boot: "00000000-0000-0000-0000-000000000000", namespace: 0, ticks: 0, tgid: 0,
            expected: "2c34ce1d-f23b-838c-9abf-2a7f6437cca3"),
        Vector(
            boot: "ffffffff-ffff-ffff-ffff-ffffffffffff", namespace: .max, ticks: .max, tgid: .max,
            expected: "21f82b9d-bd6b-851b-8377-b4db40279173"),
        Vector(
            boot: "01234567-89ab-cdef-0123-456789abcdef", namespace: 4_026_531_836, ticks: 1, tgid: 1,
            expected: "21508e36-bce3-8ae2-85d2-cff1619fe04a"),
        Vector(
            boot: "01234567-89ab-cdef-0123-456789abcdef", namespace: 4_026_531_836, ticks: 123_456_789_012,
            tgid: 4_194_304, expected: "145256a6-9733-884c-beee-cf486b158bf1"),
    ]

    @Test(arguments: vectors)
    func `the identifier equals an independent computation`(vector: Vector) throws {
        let made = CommonProcessIdentifier.make(
            bootID: try #require(BootID(vector.boot)), pidNamespace: vector.namespace,
            startTicks: vector.ticks,
            tgid: ProcessID(vector.tgid))
        #expect(made.description == vector.expected)
    }

    @Test func `each of the four values changes the identifier`() {
        let boot = BootID(high: 1, low: 2)
        let made = [
            CommonProcessIdentifier.make(bootID: boot, pidNamespace: 3, startTicks: 4, tgid: ProcessID(5)),
            CommonProcessIdentifier.make(
                bootID: BootID(high: 2, low: 2), pidNamespace: 3, startTicks: 4, tgid: ProcessID(5)),
            CommonProcessIdentifier.make(
                bootID: BootID(high: 1, low: 3), pidNamespace: 3, startTicks: 4, tgid: ProcessID(5)),
            CommonProcessIdentifier.make(bootID: boot, pidNamespace: 4, startTicks: 4, tgid: ProcessID(5)),
            CommonProcessIdentifier.make(bootID: boot, pidNamespace: 3, startTicks: 5, tgid: ProcessID(5)),
            CommonProcessIdentifier.make(bootID: boot, pidNamespace: 3, startTicks: 4, tgid: ProcessID(6)),
        ]
        #expect(Set(made).count == made.count)
    }

    @Test func `every identifier is a version 8 UUID of the RFC variant`() {
        for ticks in UInt64(0)..<256 {
            let made = CommonProcessIdentifier.make(
                bootID: BootID(high: 7, low: 9), pidNamespace: 1, startTicks: ticks, tgid: ProcessID(1))
            #expect(made.high >> 12 & 0xf == 8)
            #expect(made.low >> 62 == 0b10)
        }
    }
}
