extension Event {
    /// Roughly how many bytes of memory the event takes, for the bounds of queues.
    ///
    /// A constant for what is small, and the bytes of those texts that the outside can make long.
    package var estimatedByteCount: Int {
        switch subject {
        case .process(let process):
            var count = 1_024
            for argument in process.commandLine { count += 16 + argument.utf8.count }
            if let path = process.executablePath { count += path.utf8.count }
            if let path = process.cgroup { count += path.utf8.count }
            return count
        case .filesystem(let file):
            let paths = file.path.utf8.count + (file.previousPath?.utf8.count ?? 0)
            let names = file.transaction?.packages.reduce(0) { $0 + 40 + $1.name.utf8.count } ?? 0
            return 640 + paths + names
        case .network, .performance: return 512
        case .triggerRequest(let request):
            return request.metadata.reduce(1_024) { $0 + $1.key.utf8.count + $1.value.utf8.count + 64 }
        }
    }
}
