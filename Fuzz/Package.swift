// swift-tools-version: 6.3
import PackageDescription

// A package of its own, so that neither fuzzers nor their flags come near the product. Built by `make fuzz`, which says
// how: everything below must be instrumented too, or the fuzzers are blind.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let simulation: Target.Dependency = .product(name: "CollectorSimulation", package: "collector-core")

/// The entry point of libFuzzer is the whole program: it brings its own `main`.
func fuzzer(_ name: String) -> Target {
    .executableTarget(
        name: name, dependencies: ["FuzzTarget", simulation],
        swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])],
        linkerSettings: [.unsafeFlags(["-use-ld=lld"])])
}

let package = Package(
    name: "collector-fuzz",
    dependencies: [.package(name: "collector-core", path: "..")],
    targets: [
        .target(name: "FuzzTarget", dependencies: [simulation], swiftSettings: settings),
        fuzzer("fuzz-scenario"),
        fuzzer("fuzz-simulation"),
        fuzzer("fuzz-swarm"),
        fuzzer("fuzz-litmus"),
        fuzzer("fuzz-formats"),
        fuzzer("fuzz-frames"),
        fuzzer("fuzz-client"),
        fuzzer("fuzz-server"),
        fuzzer("fuzz-daemoneye"),
        fuzzer("fuzz-messages"),
        fuzzer("fuzz-settings"),
    ],
    swiftLanguageModes: [.v6]
)
