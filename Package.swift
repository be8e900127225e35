// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors; `make` passes nothing else that changes what is compiled.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// A library module. The order of this file is the import graph: a module may import those above it.
///
/// - Parameter readmes: the folders of the module that hold a README.md.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], readmes: [String] = []) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: readmes.map { $0 + "/README.md" },
    swiftSettings: strict,
    // A square root in a debug build is a call to `sqrt`; nothing else imports the C library below the runtime.
    linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))])
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let package = Package(
  name: "starling",
  platforms: [.macOS("26.0")],
  products: [
    .executable(name: "starling", targets: ["starling"]),
    .library(name: "StarlingCore", targets: ["StarlingCore"]),
    .library(name: "StarlingTransport", targets: ["StarlingTransport"]),
    .library(name: "StarlingOverlay", targets: ["StarlingOverlay"]),
    .library(name: "StarlingBroadcast", targets: ["StarlingBroadcast"]),
    .library(name: "StarlingLedger", targets: ["StarlingLedger"]),
    .library(name: "StarlingSharedMemory", targets: ["StarlingSharedMemory"]),
    .library(name: "StarlingApps", targets: ["StarlingApps"]),
    .library(name: "StarlingNode", targets: ["StarlingNode"]),
    .library(name: "StarlingSimulator", targets: ["StarlingSimulator"]),
    .library(name: "StarlingRuntime", targets: ["StarlingRuntime"]),
  ],
  targets: [
    .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(
      name: "CMicrohttpd", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CPrefetch"),
    .target(name: "CStarlingShims", dependencies: ["CMicrohttpd"]),
    module("StarlingCore", ["CSodium"]),
    module("StarlingTransport", ["StarlingCore", "CSodium"], readmes: ["."]),
    module(
      "StarlingOverlay", ["StarlingCore"],
      readmes: ["Admission", "Brahms", "Coordinates", "Election", "RandomWalk", "Rings", "SCAMP"]),
    module(
      "StarlingBroadcast", ["StarlingCore"],
      readmes: ["Epsilon", "Tree", "Flood", "Gossip", "Rings", "Secure"]),
    module("StarlingLedger", ["StarlingCore"], readmes: [".", "AssetTransfer"]),
    module(
      "StarlingSharedMemory", ["StarlingCore", "StarlingLedger"],
      readmes: ["AssetTransfer", "Checking", "Memory"]),
    module("StarlingApps", ["StarlingCore"], readmes: ["Files"]),
    module(
      "StarlingNode",
      [
        "StarlingCore", "StarlingTransport", "StarlingOverlay", "StarlingBroadcast", "StarlingApps",
        "StarlingLedger",
      ], readmes: ["Conduct", "Host", "Node", "Peers", "Secure"]),
    module(
      "StarlingSimulator",
      [
        "StarlingCore", "StarlingOverlay", "StarlingBroadcast", "StarlingLedger", "StarlingNode", "CPrefetch",
      ],
      readmes: ["Ledger/Baseline"]),
    module(
      "StarlingRuntime",
      [
        "StarlingCore", "StarlingTransport", "StarlingOverlay", "StarlingLedger", "StarlingApps",
        "StarlingNode",
        "StarlingSimulator", "CMicrohttpd", "CSQLite", "CStarlingShims",
      ]),
    .executableTarget(
      name: "starling",
      dependencies: [
        "StarlingCore", "StarlingOverlay", "StarlingBroadcast", "StarlingLedger", "StarlingApps",
        "StarlingNode",
        "StarlingSimulator", "StarlingRuntime",
      ],
      path: "Sources/StarlingCommand", swiftSettings: strict),
    .executableTarget(
      name: "FloodBenchmark",
      dependencies: [
        "StarlingCore", "StarlingOverlay", "StarlingBroadcast", "StarlingNode", "StarlingSimulator",
      ],
      path: "Benchmarks/FloodBenchmark", swiftSettings: strict),
    .executableTarget(
      name: "HostileTraffic",
      dependencies: ["StarlingCore", "StarlingTransport", "StarlingRuntime", "CStarlingShims"],
      path: "Benchmarks/HostileTraffic", swiftSettings: strict),
    .executableTarget(
      name: "Equivocator",
      dependencies: [
        "StarlingCore", "StarlingTransport", "StarlingBroadcast", "StarlingApps", "StarlingNode",
        "StarlingRuntime", "CStarlingShims",
      ],
      path: "Benchmarks/Equivocator", swiftSettings: strict),
    .executableTarget(
      name: "LedgerThroughput",
      dependencies: ["StarlingCore", "StarlingLedger", "StarlingNode", "StarlingRuntime"],
      path: "Benchmarks/LedgerThroughput", exclude: ["run"], swiftSettings: strict),
    .executableTarget(
      name: "LedgerCrashes",
      dependencies: ["StarlingCore", "StarlingLedger", "StarlingNode", "StarlingRuntime"],
      path: "Benchmarks/LedgerCrashes", exclude: ["run"], swiftSettings: strict),
    .executableTarget(
      name: "LedgerGrowth",
      dependencies: ["StarlingCore", "StarlingLedger", "StarlingNode", "StarlingRuntime"],
      path: "Benchmarks/LedgerGrowth", exclude: ["run"], swiftSettings: strict),
    .target(
      name: "StarlingTestSupport", dependencies: ["StarlingCore"], path: "Tests/StarlingTestSupport",
      swiftSettings: strict),
    .executableTarget(
      name: "ScampRules", dependencies: ["StarlingCore", "StarlingSimulator"],
      path: "Benchmarks/ScampRules", swiftSettings: strict),
    .executableTarget(
      name: "SecureStatistics",
      dependencies: ["StarlingCore", "StarlingBroadcast", "StarlingSimulator"],
      path: "Benchmarks/SecureStatistics", swiftSettings: strict),
    .executableTarget(
      name: "SharedMemoryHistories",
      dependencies: ["StarlingCore", "StarlingLedger", "StarlingSharedMemory"],
      path: "Benchmarks/SharedMemoryHistories", swiftSettings: strict),
    tests("StarlingCoreTests", ["StarlingCore", "StarlingTestSupport"]),
    tests("StarlingTransportTests", ["StarlingTransport", "StarlingCore", "CSodium"]),
    tests("StarlingOverlayTests", ["StarlingOverlay", "StarlingSimulator", "StarlingTestSupport"]),
    tests("StarlingBroadcastTests", ["StarlingBroadcast", "StarlingSimulator", "StarlingTestSupport"]),
    tests("StarlingLedgerTests", ["StarlingLedger", "StarlingTestSupport"], exclude: ["Vectors"]),
    tests("StarlingSharedMemoryTests", ["StarlingSharedMemory", "StarlingTestSupport"]),
    tests("StarlingAppsTests", ["StarlingApps"]),
    tests("StarlingNodeTests", ["StarlingNode", "StarlingTestSupport"]),
    tests("StarlingSimulatorTests", ["StarlingSimulator", "StarlingTestSupport"]),
    tests("StarlingRuntimeTests", ["StarlingRuntime", "StarlingTestSupport", "CSQLite"]),
    tests("CommandTests", ["starling"]),
    tests("TidyTests", []),
  ],
  swiftLanguageModes: [.v6]
)

// The fuzzers' targets are part of the tests, which run the inputs that are kept. `make fuzz` builds them into a
// program instead, to which libFuzzer brings its own `main`.
let fuzzed: [Target.Dependency] = [
  "StarlingCore", "StarlingTransport", "StarlingOverlay", "StarlingBroadcast", "StarlingLedger",
  "StarlingApps",
  "StarlingNode", "StarlingRuntime",
]
if Context.environment["STARLING_FUZZ"] == nil {
  package.targets.append(
    .testTarget(
      name: "FuzzTests", dependencies: fuzzed, path: "Fuzzers",
      exclude: ["Corpus", "Driver", "README.md", "decoders"],
      sources: ["Targets", "Tests"], swiftSettings: strict))
} else {
  package.targets.append(
    .executableTarget(
      name: "StarlingFuzzer", dependencies: fuzzed, path: "Fuzzers",
      exclude: ["Corpus", "Tests", "README.md", "decoders"],
      sources: ["Targets", "Driver"], swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
