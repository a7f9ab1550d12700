import CollectorHost
import SpoolSource

/// The daemon: everything that `collectord` does, and the spool.
@main
struct Main {
    static func main() { DaemonCommand.main(name: "spoold", sources: [.spool]) }
}
