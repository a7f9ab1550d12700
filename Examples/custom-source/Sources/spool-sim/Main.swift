import CollectorSimulation
import SpoolSource

/// The simulator: everything that `collector-sim` does, and the spool.
@main
struct Main {
    static func main() { SimulatorCommand.main(name: "spool-sim", sources: [.spool]) }
}
