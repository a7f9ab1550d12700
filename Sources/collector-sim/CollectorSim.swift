import CMimalloc
import CollectorSimulation

@main
struct CollectorSim {
    static func main() { SimulatorCommand.main() }
}
