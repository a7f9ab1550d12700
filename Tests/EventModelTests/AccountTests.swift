import EventModel
import Testing

@Suite struct AccountTests {
    @Test func `a new account is balanced`() {
        #expect(SourceAccount(source: .process).isBalanced)
        #expect(StreamAccount(subscriber: "s").isBalanced)
    }

    @Test func `a source account balances when each message has exactly one fate`() {
        let fates: [(inout SourceAccount) -> Void] = [
            { $0.emitted += 1 }, { $0.filtered.add(1, to: "thread") }, { $0.coalesced += 1 },
            { $0.dropped.add(1, to: "buffer/full") }, { $0.lost = ($0.lost ?? 0) + 1 },
        ]
        for fate in fates {
            var account = SourceAccount(source: .process)
            account.kernel += 1
            #expect(!account.isBalanced)
            fate(&account)
            #expect(account.isBalanced)
            fate(&account)
            #expect(!account.isBalanced)
        }
    }

    @Test func `what stands for no kernel message is outside the law of the source`() {
        var account = SourceAccount(source: .process)
        account.syntheticDropped = 5
        account.overflows = 2
        #expect(account.isBalanced)
    }

    @Test func `a source whose losses nobody numbers balances without them`() {
        var account = SourceAccount(source: "files")
        account.lost = nil
        account.lostBounds = LostBounds(atLeast: 1, atMost: nil)
        account.kernel = 2
        account.emitted = 2
        #expect(account.isBalanced)
    }

    @Test func `a stream account balances when each event has one origin and one fate`() {
        let origins: [(inout StreamAccount) -> Void] = [
            { $0.emitted += 1 }, { $0.baseline += 1 }, { $0.resync += 1 }, { $0.derived += 1 },
        ]
        let fates: [(inout StreamAccount) -> Void] = [
            { $0.delivered += 1 }, { $0.filtered.add(1, to: "topic") }, { $0.dropped.add(1, to: "full") },
            { $0.inFlight += 1 },
        ]
        for origin in origins {
            for fate in fates {
                var account = StreamAccount(subscriber: "s")
                account.offered = 1
                origin(&account)
                #expect(!account.isBalanced, "an event without a fate")
                fate(&account)
                #expect(account.isBalanced)
                origin(&account)
                #expect(!account.isBalanced, "an event with two origins")
            }
        }
    }

    @Test func `a tally lists what happened in the order of the reasons`() {
        var tally = Tally()
        tally.add(2, to: "b")
        tally.add(0, to: "never")
        tally.add(1, to: "a")
        tally.add(3, to: "b")
        tally.add(1, to: "c")
        #expect(tally.entries.map(\.reason) == ["a", "b", "c"])
        #expect(tally["b"] == 5)
        #expect(tally["never"] == 0)
        #expect(tally.total == 7)
    }

    @Test func `merging tallies adds them, in either order`() {
        var random = SplitMix64(seed: 5)
        for _ in 0..<200 {
            var left = Tally()
            var right = Tally()
            var sums: [String: UInt64] = [:]
            for _ in 0..<random.next() % 10 {
                let reason = String(random.next() % 6)
                let count = random.next() % 3
                sums[reason, default: 0] += count
                if random.next() % 2 == 0 {
                    left.add(count, to: reason)
                } else {
                    right.add(count, to: reason)
                }
            }
            var merged = left
            merged.merge(right)
            right.merge(left)
            #expect(merged == right)
            #expect(merged.total == sums.values.reduce(0, +))
            for (reason, count) in sums { #expect(merged[reason] == count) }
        }
    }
}
