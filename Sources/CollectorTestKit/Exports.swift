@_exported public import CollectorCore
@_exported public import CollectorSimulation
