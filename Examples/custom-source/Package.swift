// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "custom-source",
    dependencies: [
        // In a package of your own: .package(url: "...", from: "...")
        .package(name: "collector-core", path: "../..")
    ],
    targets: [
        .target(
            name: "SpoolSource", dependencies: [.product(name: "CollectorCore", package: "collector-core")]),
        .executableTarget(
            name: "spoold",
            dependencies: ["SpoolSource", .product(name: "CollectorHost", package: "collector-core")]),
        .executableTarget(
            name: "spool-sim",
            dependencies: ["SpoolSource", .product(name: "CollectorSimulation", package: "collector-core")]),
        .testTarget(
            name: "SpoolSourceTests",
            dependencies: ["SpoolSource", .product(name: "CollectorTestKit", package: "collector-core")]),
    ],
    swiftLanguageModes: [.v6]
)
