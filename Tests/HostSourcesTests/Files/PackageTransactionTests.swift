import EventModel
import HostSources
import Testing

@Suite struct PackageTransactionTests {
    private let wall = WallTime(nanoseconds: 1_000)
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    private let figlet = DpkgDatabase.Package(name: "figlet", architecture: "amd64")

    private func change(_ operation: FileOperation, _ path: String, from previous: String? = nil)
        -> PackageTransactions.Change
    {
        PackageTransactions.Change(
            path: bytes(path), previousPath: previous.map(bytes), operation: operation)
    }

    /// What dpkg does to unpack one file, as its own inotify records show it.
    private func unpack(_ path: String, into transactions: inout PackageTransactions, at now: Instant)
        -> [PackageTransactions.Admission]
    {
        [
            transactions.admit(change(.created, path + ".dpkg-new"), at: now),
            transactions.admit(change(.modified, path + ".dpkg-new"), at: now),
            transactions.admit(change(.attributes, path + ".dpkg-new"), at: now),
            transactions.admit(change(.renamed, path, from: path + ".dpkg-new"), at: now),
        ]
    }

    @Test func `outside a transaction dpkg's working names are like any others`() {
        var transactions = PackageTransactions()
        let answer = transactions.admit(change(.created, "/usr/bin/x.dpkg-new"), at: at(1))
        #expect(answer == .pass)
        #expect(transactions.lookDue == nil)
    }

    @Test func `an unpacked file is folded, and the path it ends at is what is settled`() throws {
        var transactions = PackageTransactions()
        transactions.noteDatabase(at: at(1), wall: wall)
        let admissions = unpack("/usr/bin/figlet", into: &transactions, at: at(1.1))
        #expect(admissions.allSatisfy { $0 == .folded })
        let ended = transactions.look(isLocked: false, at: at(3.2), wall: wall)
        let settlement = try #require(ended)
        #expect(settlement.foldedCount == 4)
        #expect(
            settlement.held == [
                bytes("/usr/bin/figlet"): PackageTransactions.Held(operation: .renamed, wasOwned: false)
            ])
        #expect(!transactions.isOpen)
    }

    @Test func `an edit of another file while dpkg runs passes at once`() {
        var transactions = PackageTransactions()
        transactions.noteDatabase(at: at(1), wall: wall)
        let answers = [
            transactions.admit(change(.modified, "/etc/shadow"), at: at(1.1)),
            transactions.admit(change(.deleted, "/etc/motd"), at: at(1.1)),
            transactions.admit(change(.renamed, "/etc/passwd", from: "/etc/passwd+"), at: at(1.1)),
        ]
        #expect(answers == [.pass, .pass, .pass])
    }

    @Test func `an edit behind dpkg's back of a file that it has just installed passes`() {
        var transactions = PackageTransactions()
        transactions.noteDatabase(at: at(1), wall: wall)
        _ = unpack("/usr/bin/figlet", into: &transactions, at: at(1.1))
        let answer = transactions.admit(change(.modified, "/usr/bin/figlet"), at: at(1.2))
        #expect(answer == .pass)
    }

    @Test func `what is found in a folder that came with the transaction is folded, beside it it passes`() {
        var transactions = PackageTransactions()
        transactions.noteDatabase(at: at(1), wall: wall)
        _ = unpack("/usr/share/figlet", into: &transactions, at: at(1.1))
        let answers = [
            transactions.admit(change(.created, "/usr/share/figlet/fonts"), at: at(1.2)),
            transactions.admit(change(.created, "/usr/share/figlet/fonts/big.flf"), at: at(1.2)),
            transactions.admit(change(.created, "/usr/share/else"), at: at(1.2)),
            transactions.admit(change(.modified, "/usr/share/figlet/fonts"), at: at(1.2)),
        ]
        #expect(answers == [.folded, .folded, .pass, .pass])
    }

    @Test func `removing what a package of the transaction owned is folded, /usr or not`() throws {
        var transactions = PackageTransactions()
        transactions.noteDatabase(at: at(1), wall: wall)
        let unknown = transactions.unknown(of: [figlet])
        #expect(unknown == [figlet])
        transactions.noteOwned(by: figlet, list: bytes("/.\n/bin\n/bin/figlet\n/usr/share/figlet/a b\n"))
        let known = transactions.unknown(of: [figlet])
        #expect(known.isEmpty)
        let answers = [
            transactions.admit(change(.deleted, "/usr/bin/figlet"), at: at(1.1)),
            transactions.admit(change(.deleted, "/usr/share/figlet/a b"), at: at(1.1)),
            transactions.admit(change(.deleted, "/usr/bin/toilet"), at: at(1.1)),
        ]
        #expect(answers == [.folded, .folded, .pass])
        let ended = transactions.look(isLocked: false, at: at(4), wall: wall)
        let settlement = try #require(ended)
        #expect(settlement.packages == [figlet: true])
        #expect(settlement.held.count == 2)
    }

    @Test func `a held lock keeps the transaction open for an hour and no longer`() {
        var transactions = PackageTransactions()
        transactions.noteDatabase(at: at(1), wall: wall)
        _ = unpack("/usr/bin/figlet", into: &transactions, at: at(1.1))
        let answer = transactions.look(isLocked: true, at: at(10), wall: wall)
        #expect(answer == nil)
        #expect(transactions.lookDue == at(12))
        let second = transactions.look(isLocked: false, at: at(11), wall: wall)
        #expect(second == nil)
        let third = transactions.look(isLocked: true, at: at(3_700), wall: wall)
        #expect(third != nil)
    }

    @Test func `a transaction in which nothing happened leaves nothing to say`() {
        var transactions = PackageTransactions()
        transactions.noteDatabase(at: at(1), wall: wall)
        let answer = transactions.look(isLocked: false, at: at(4), wall: wall)
        #expect(answer == nil)
        #expect(!transactions.isOpen)
    }

    @Test func `a working file that goes away again leaves nothing`() throws {
        var transactions = PackageTransactions()
        transactions.noteDatabase(at: at(1), wall: wall)
        let answers = [
            transactions.admit(change(.created, "/usr/bin/a.dpkg-tmp"), at: at(1.1)),
            transactions.admit(change(.deleted, "/usr/bin/a.dpkg-tmp"), at: at(1.1)),
        ]
        #expect(answers == [.folded, .folded])
        _ = unpack("/usr/bin/a", into: &transactions, at: at(1.1))
        let ended = transactions.settle(wall: wall)
        let settlement = try #require(ended)
        #expect(settlement.held.keys.map { String(decoding: $0, as: UTF8.self) } == ["/usr/bin/a"])
    }
}

@Suite struct DpkgDatabaseTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func `status updates name their packages`() {
        let update = bytes(
            "Package: figlet\nStatus: install ok unpacked\nArchitecture: amd64\n\nPackage: a+b.c\n")
        #expect(
            DpkgDatabase.packages(inUpdate: update) == [
                DpkgDatabase.Package(name: "figlet", architecture: "amd64"),
                DpkgDatabase.Package(name: "a+b.c", architecture: nil),
            ])
    }

    @Test(arguments: [
        "../../etc/shadow", "a/b", ".hidden", "", "a\u{0}b", String(repeating: "x", count: 201),
    ])
    func `a name that would be a path is no package`(_ name: String) {
        #expect(DpkgDatabase.packages(inUpdate: bytes("Package: \(name)\n")).isEmpty)
    }

    @Test func `checksums keep blanks in names and skip what is none`() {
        let good = "d41d8cd98f00b204e9800998ecf8427e"
        let text = "\(good)  usr/share/a b\nnothing\n\(good.uppercased())  usr/x\n\(good) usr/y\n\(good)  \n"
        var found: [String] = []
        DpkgDatabase.forEachChecksum(inChecksums: bytes(text)) { path, digest in
            found.append(String(decoding: path, as: UTF8.self))
            #expect(digest.count == 16 && digest[0] == 0xd4 && digest[15] == 0x7e)
        }
        #expect(found == ["/usr/share/a b"])
    }
}
