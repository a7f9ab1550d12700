import EventModel
import Presentation
import Testing

struct EventTableRecordsTests {
    private static func gap(_ cause: GapCause, lost: UInt64?, bounds: LostBounds, subscriber: String?) -> Gap
    {
        Gap(
            source: .process, cause: cause, lost: lost, lostBounds: bounds, from: Instant(nanoseconds: 0),
            until: Instant(nanoseconds: 12_345_000_000), time: TableFixture.time,
            processors: cause == .kernelOverflow
                ? [
                    ProcessorLoss(processor: 0, lost: 3_000, after: 1, before: 3_002),
                    ProcessorLoss(processor: 1, lost: 2_984, after: 1, before: 2_986),
                ] : [],
            subscriber: subscriber)
    }

    @Test func `a gap says what is missing, why, for how long and where`() {
        let gap = Self.gap(.kernelOverflow, lost: 5_984, bounds: .exactly(5_984), subscriber: nil)
        #expect(
            TableFixture.table().line(for: gap)
                == "10:00:00.123 GAP        process: 5984 messages, lost in the kernel because the receive buffer "
                + "was full, within 12.3s; cpu0 3000, cpu1 2984")
    }

    @Test func `a gap without a count gives its bounds`() {
        let gap = Self.gap(
            .subscriberQueue, lost: nil, bounds: LostBounds(atLeast: 7, atMost: nil), subscriber: "stdout")
        #expect(
            TableFixture.table().line(for: gap)
                == "10:00:00.123 GAP        process: at least 7 events, dropped because the subscriber's queue was "
                + "full (stdout), within 12.3s")
    }

    @Test func `a gap without any bound does not read as if nothing were lost`() {
        let gap = Self.gap(
            .resume, lost: nil, bounds: LostBounds(atLeast: 0, atMost: nil), subscriber: "ipc/4/2")
        #expect(
            TableFixture.table().line(for: gap)
                == "10:00:00.123 GAP        process: an unknown number of events, not kept until the subscriber "
                + "came back (ipc/4/2), within 12.3s")
    }

    @Test func `the account of a source shows the law and its terms`() {
        var account = SourceAccount(source: .process)
        account.kernel = 100
        account.emitted = 80
        account.filtered.add(9, to: "thread")
        account.filtered.add(1, to: "self")
        account.lost = 10
        account.overflows = 2
        account.processors = [ProcessorAccount(processor: 3, isFenced: false, kernel: 100, lost: 10)]
        account.forkCheck = ForkCheck(forks: 9, atLeast: 6, atMost: 7)
        #expect(
            TableFixture.table().lines(for: account) == [
                "account process: kernel 100 = emitted 80 + filtered 10 + coalesced 0 + dropped 0 + lost 10: balanced",
                "        filtered: self 1, thread 9",
                "        overflows of the kernel's queue: 2",
                "        exact up to the last message received only: cpu3",
                "        forks 9, /proc/stat says 6 to 7: DISAGREES",
            ])
    }

    @Test func `an account that does not balance says so loudly`() {
        var account = SourceAccount(source: .process)
        account.kernel = 1
        #expect(TableFixture.table().lines(for: account)[0].hasSuffix(": NOT BALANCED"))
    }

    @Test func `the account of a subscriber shows both laws`() {
        var account = StreamAccount(subscriber: "stdout")
        account.offered = 10
        account.emitted = 7
        account.baseline = 3
        account.delivered = 9
        account.dropped.add(1, to: "queue")
        #expect(
            TableFixture.table().lines(for: account) == [
                "account stdout: offered 10 = emitted 7 + baseline 3 + resync 0 + derived 0 = delivered 9 + "
                    + "filtered 0 + dropped 1 + in flight 0: balanced",
                "        dropped: queue 1",
            ])
    }
}
