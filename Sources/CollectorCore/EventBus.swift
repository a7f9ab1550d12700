package import Backends
import EventModel
import Synchronization

/// Hands batches to every subscriber; holds none itself.
package final class EventBus: Sendable {
    private let subscriptions = Mutex<[Subscription]>([])
    private let limit: Int
    private let clock: any SystemClock

    package init(subscriberLimit: Int, clock: any SystemClock) {
        limit = subscriberLimit
        self.clock = clock
    }

    /// - Throws: ``CollectorError`` when there are too many subscribers or the name is taken.
    package func subscribe(_ options: SubscriptionOptions) throws(CollectorError) -> Subscription {
        let subscription = Subscription(options: options, clock: clock)
        let problem = subscriptions.withLock { subscriptions -> CollectorError? in
            guard subscriptions.count < limit else {
                return CollectorError(
                    code: .tooManySubscribers,
                    message: "cannot subscribe \"\(options.name)\": there are already \(limit) subscribers")
            }
            guard !subscriptions.contains(where: { $0.options.name == options.name }) else {
                return CollectorError(
                    code: .duplicateName, message: "there is already a subscriber named \"\(options.name)\"")
            }
            subscriptions.append(subscription)
            return nil
        }
        if let problem { throw problem }
        return subscription
    }

    package func unsubscribe(_ subscription: Subscription) {
        subscriptions.withLock { $0.removeAll { $0 === subscription } }
        subscription.close()
    }

    package var current: [Subscription] { subscriptions.withLock { $0 } }

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
        for subscription in current { subscription.close() }
    }
}
