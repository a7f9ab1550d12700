package import Backends
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

    package func publish(_ item: PipelineItem) async {
        for subscription in current {
            switch item {
            case .events(let batch): await subscription.offer(batch)
            case .gap(let gap): subscription.offer(.gap(gap))
            }
        }
    }

    package func publish(_ status: SourceStatus) {
        for subscription in current { subscription.offer(.status(status)) }
    }

    package func close() {
        let subscriptions = state.withLock { state in
            state.isClosed = true
            return state.subscriptions
        }
        for subscription in subscriptions { subscription.close() }
    }
}
