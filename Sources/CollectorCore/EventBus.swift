package import Backends
import DequeModule
import EventModel
import Synchronization

/// Hands batches to every subscriber; holds none itself.
package final class EventBus: Sendable {
    private struct State {
        var subscriptions: [Subscription] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let limit: Int
    private let clock: any SystemClock

    package init(subscriberLimit: Int, clock: any SystemClock) {
        limit = subscriberLimit
        self.clock = clock
    }

    /// - Throws: ``CollectorError`` when there are too many subscribers or the name is taken.
    package func subscribe(_ options: SubscriptionOptions) throws(CollectorError) -> Subscription {
        let subscription = Subscription(options: options, clock: clock)
        let (problem, isClosed) = state.withLock { state -> (CollectorError?, Bool) in
            if let problem = refusal(of: options, in: state) { return (problem, false) }
            state.subscriptions.append(subscription)
            return (nil, state.isClosed)
        }
        if let problem { throw problem }
        // Nothing will be published any more: the stream ends at once.
        if isClosed { subscription.close() }
        return subscription
    }

    private func refusal(of options: SubscriptionOptions, in state: State) -> CollectorError? {
        guard state.subscriptions.count < limit else {
            return CollectorError(
                code: .tooManySubscribers,
                message: "cannot subscribe \"\(options.name)\": there are already \(limit) subscribers")
        }
        guard !state.subscriptions.contains(where: { $0.options.name == options.name }) else {
            return CollectorError(
                code: .duplicateName, message: "there is already a subscriber named \"\(options.name)\"")
        }
        return nil
    }

    package func unsubscribe(_ subscription: Subscription) {
        state.withLock { $0.subscriptions.removeAll { $0 === subscription } }
        subscription.close()
    }

    package var current: [Subscription] { state.withLock { $0.subscriptions } }

    /// Offers an item to everybody without waiting.
    ///
    /// - Returns: Those who would have made it wait, and have not got it.
    package func publishNow(_ item: PipelineItem) -> [Subscription] {
        var refusers: [Subscription] = []
        for subscription in current {
            switch item {
            case .events(let batch): if !subscription.offerNow(batch) { refusers.append(subscription) }
            case .gap(let gap): subscription.offer(.gap(gap))
            }
        }
        return refusers
    }

    package func publish(_ backlog: Backlog) async {
        var refusers = backlog.refusers
        for item in backlog.items {
            for subscription in refusers ?? current {
                switch item {
                case .events(let batch): await subscription.offer(batch)
                case .gap(let gap): subscription.offer(.gap(gap))
                }
            }
            refusers = nil
        }
    }

    /// Wakes those who have something in their queue that they were not woken for.
    package func announce() {
        for subscription in current { subscription.announce() }
    }

    package func publish(_ status: SourceStatus) {
        for subscription in current { subscription.offer(.status(status)) }
    }

    package func publish(_ record: CollectorRecord) {
        for subscription in current { subscription.offer(.record(record)) }
    }

    package func close() {
        let subscriptions = state.withLock { state in
            state.isClosed = true
            return state.subscriptions
        }
        for subscription in subscriptions { subscription.close() }
    }
}
