import CMimalloc
import CollectorHost

@main
struct Collectord {
    static func main() { DaemonCommand.main() }
}
