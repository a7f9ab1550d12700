/// Bounds of the runtime itself, beside those that ``CollectorConfiguration`` sets.
public enum CollectorLimits {
    /// Most bytes of events that one subscriber's queue keeps alive unless its options say otherwise; an estimate, see
    /// ``Subscription``. A queue of 8 192 events of ordinary size takes a tenth of it; one of hostile command lines
    /// (up to 2 MiB each) would take 16 GiB.
    public static let queueByteCount = 64 << 20
    /// Most records (status, health, telemetry) that wait in one subscriber's queue; beyond it the oldest are dropped and
    /// counted in ``SubscriberTelemetry/droppedRecordCount``.
    public static let pendingRecordCount = 256
    /// Most names of removed sources whose accounts are kept for the end; beyond it the oldest is dropped and counted in
    /// ``Telemetry/forgottenAccountCount``.
    public static let retiredSourceCount = 64
    /// Checks in a row that a source may miss or fail before its run is cancelled and started again.
    public static let failedCheckCount = 2
    /// Longest reason in a status or health record, in bytes; what is beyond it is cut.
    public static let reasonByteCount = 1_024
}
