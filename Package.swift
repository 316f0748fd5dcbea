// swift-tools-version: 6.3
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

/// What every target is compiled with: an unmarked unsafe call, a missing `any`, a leaked import
/// and any warning at all stop the build.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
]

/// Tests may leave strict memory safety out: some expansions of `#expect` over spans trip it.
let testing: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
]

/// A library target of ours. The list of these calls is the module graph of ARCHITECTURE.md.
func module(_ name: String, _ dependencies: String...) -> Target {
  .target(
    name: name, dependencies: dependencies.map { .init(stringLiteral: $0) }, swiftSettings: strict)
}

/// The tests of module `name`, in `Tests/<name>Tests`.
func tests(_ name: String, _ dependencies: String...) -> Target {
  .testTarget(
    name: "\(name)Tests",
    dependencies: dependencies.map { .init(stringLiteral: $0) },
    swiftSettings: testing)
}

let package = Package(
  name: "lake",
  products: [
    .library(name: "Lake", targets: ["Lake"]),
    .executable(name: "lake", targets: ["LakeCLI"]),
    .executable(name: "lake-bench", targets: ["LakeBench"]),
    // What pyarrow loads to exchange batches with us in one process: for tests.
    .library(name: "ArrowExchange", type: .dynamic, targets: ["ArrowExchange"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // layer 0
    module("Bytes"),
    // layer 1
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    module("Codecs", "Bytes", "CZstd", "CZlib"),
    module("JSON", "Bytes"),
    module("Columnar", "Bytes"),
    module("Storage", "Bytes"),
    // layer 2
    module("Parquet", "Columnar", "Codecs", "Bytes"),
    module("Avro", "JSON", "Codecs", "Bytes"),
    module("Arrow", "Columnar", "Codecs", "Bytes"),
    // layer 3
    module("ParquetFiles", "Parquet", "Storage", "Columnar", "Bytes"),
    module("Iceberg", "Avro", "JSON", "Codecs", "Bytes"),
    // layer 4
    module(
      "Inputs", "ParquetFiles", "Parquet", "Avro", "Arrow", "Storage", "JSON", "Columnar",
      "Codecs", "Bytes"),
    module("Catalogs", "Iceberg", "Storage", "Codecs", "Bytes"),
    module("Expressions", "Iceberg", "Columnar", "Bytes"),
    // layer 5
    module(
      "Scanning", "Expressions", "Catalogs", "Iceberg", "ParquetFiles", "Parquet", "Avro",
      "Storage", "JSON", "Columnar", "Bytes"),
    // layer 6
    module(
      "Writing", "Scanning", "Catalogs", "Iceberg", "Expressions", "Storage", "Parquet", "Columnar",
      "Bytes"),
    // layer 7
    module(
      "KeyIndexing", "Writing", "Scanning", "Catalogs", "Iceberg", "Expressions", "Storage",
      "ParquetFiles", "Parquet", "Columnar", "Bytes"),
    // layer 8
    module(
      "Ingest", "KeyIndexing", "Writing", "Scanning", "Catalogs", "Expressions", "Iceberg",
      "Storage", "Columnar", "Bytes"),
    module(
      "Maintenance", "KeyIndexing", "Writing", "Scanning", "Catalogs", "Expressions", "Iceberg",
      "Storage", "Parquet", "Columnar", "Bytes"),
    // face
    module(
      "Lake", "Maintenance", "Ingest", "KeyIndexing", "Writing", "Scanning", "Expressions",
      "Catalogs", "Inputs", "Iceberg", "ParquetFiles", "Parquet", "Avro", "Arrow", "Storage",
      "Columnar", "Codecs", "Bytes"),
    // top
    .executableTarget(
      name: "LakeCLI",
      dependencies: [
        "Lake", "JSON", "Codecs", "Avro",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "LakeBench", dependencies: ["Lake", "JSON", "Codecs"], path: "Benchmarks",
      exclude: ["RESULTS.md", "run", "equality_deletes.py", "text_peers.py"],
      swiftSettings: strict),
    // tests
    .target(
      name: "LakeTestSupport", dependencies: ["Lake", "JSON", "Avro", "Codecs"],
      path: "Tests/LakeTestSupport", swiftSettings: testing),
    tests("Bytes", "Bytes"),
    tests("Codecs", "Codecs", "Bytes", "CZlib"),
    tests("JSON", "JSON", "Bytes"),
    tests("Columnar", "Columnar", "Bytes"),
    tests("Storage", "Storage", "Bytes", "LakeTestSupport"),
    tests("Parquet", "Parquet", "Columnar", "Codecs", "Bytes"),
    tests("Avro", "Avro", "JSON", "Codecs", "Bytes"),
    .target(
      name: "ArrowExchange", dependencies: ["Arrow", "Columnar", "Bytes"],
      path: "Tests/ArrowExchange", swiftSettings: testing),
    tests("Arrow", "Arrow", "ArrowExchange", "LakeTestSupport", "Lake"),
    tests("Inputs", "Inputs", "LakeTestSupport", "Lake"),
    tests("Iceberg", "Iceberg", "Avro", "JSON", "Codecs", "Bytes"),
    tests("Catalogs", "LakeTestSupport", "Lake", "JSON"),
    tests("Expressions", "LakeTestSupport", "Lake"),
    tests("Scanning", "Scanning", "Parquet", "Iceberg", "LakeTestSupport", "Lake"),
    tests("Writing", "Writing", "LakeTestSupport", "Lake"),
    tests("KeyIndexing", "KeyIndexing", "Writing", "LakeTestSupport", "Lake"),
    tests("Ingest", "Ingest", "KeyIndexing", "Writing", "LakeTestSupport", "Lake"),
    tests(
      "Maintenance", "Maintenance", "Ingest", "Writing", "Catalogs", "Storage", "Iceberg",
      "LakeTestSupport", "Lake"),
    tests("CLI", "LakeTestSupport", "Lake", "JSON", "LakeCLI"),
    tests("Readme", "Lake"),
    tests(
      "Fuzz", "Inputs", "Iceberg", "Arrow", "Avro", "JSON", "Parquet", "Columnar", "Codecs",
      "Storage", "Bytes"),
    tests("Tidy"),
    tests("Interop", "LakeTestSupport", "Lake", "JSON"),
  ]
)
