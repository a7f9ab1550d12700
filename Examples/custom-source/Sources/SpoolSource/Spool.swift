public import CollectorCore

/// Measures how many files wait in a spool folder, and tells when they become too many and when they no longer are.
struct Spool: EventSource {
    let descriptor = SourceDescriptor(
        name: "spool", capabilities: .performance, overflowPolicy: .dropOldest)
    let folder: any RootedDirectory
    let limit: Int
    let interval: Duration

    func run(_ context: SourceContext) async throws {
        context.ready()
        var isFull = false
        while !Task.isCancelled {
            let count = try folder.names().count
            await emit(.performanceSample, count, context)
            if (count > limit) != isFull {
                isFull.toggle()
                await emit(.performanceThreshold, count, context)
            }
            context.emitter.flush()
            try await context.clock.sleep(until: context.clock.monotonic.advanced(by: interval))
        }
    }

    private func emit(_ kind: EventKind, _ count: Int, _ context: SourceContext) async {
        let measurement = PerformanceEvent(
            metricName: "spool.files", value: Double(count), unit: "{file}", pid: nil,
            component: String(decoding: folder.path, as: UTF8.self))
        await context.emitter.emit(
            Event(
                source: descriptor.name, kind: kind, origin: .emitted, time: context.clock.wall,
                monotonic: context.clock.monotonic, subject: .performance(measurement), escaped: []))
    }
}

extension SourceDefinition {
    private static let path = TypedSetting.string(
        "sources.spool.path", default: "",
        rule: TextRule(expected: "an absolute path") {
            $0.isEmpty || $0.hasPrefix("/")
        }, secrecy: .open, reload: .atRestart, "The folder whose files are counted; nothing for none.")
    private static let limit = TypedSetting.integer(
        "sources.spool.limit", default: 1_000, range: 0...1_000_000, unit: "files", reload: .atRestart,
        "More files than this are told as performance.threshold.")
    private static let interval = TypedSetting.duration(
        "sources.spool.interval", default: .seconds(10), range: .milliseconds(100) ... .seconds(3_600),
        reload: .atRestart, "How often the files are counted.")

    public static let spool = SourceDefinition(
        "spool", settings: [path.setting, limit.setting, interval.setting]
    ) { host in
        guard !host.settings[path].isEmpty else { return nil }
        return Spool(
            folder: try host.rootedDirectory(host.settings[path]), limit: host.settings[limit],
            interval: host.settings[interval])
    }
}
