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
    // Each brings packages or a C library of its own, so that who wants `Lake` alone builds none.
    .library(name: "LakeS3", targets: ["S3Storage"]),
    .library(name: "LakeREST", targets: ["RESTCatalog"]),
    .library(name: "LakeSQLite", targets: ["SQLiteCatalog"]),
  ],
  traits: [
    .trait(
      name: "Network",
      description: "S3 and REST catalogs in `lake`; their packages take minutes to build."),
    .default(enabledTraits: ["Network"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
  ],
  targets: [
    // layer 0
    module("Bytes"),
    // layer 1
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    module("Codecs", "Bytes", "CZstd", "CZlib"),
    module("JSON", "Bytes"),
    module("XML", "Bytes"),
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
    module("Catalogs", "Iceberg", "Storage", "JSON", "Codecs", "Bytes"),
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
      "Maintenance", "KeyIndexing", "Writing", "Scanning", "Catalogs", "Expressions", "Iceberg",
      "Storage", "Parquet", "Columnar", "Bytes"),
    // layer 9
    module(
      "Ingest", "Maintenance", "KeyIndexing", "Writing", "Scanning", "Catalogs", "Expressions",
      "Iceberg", "Storage", "Columnar", "Bytes"),
    // side: what a table needs elsewhere than on a disk
    .target(
      name: "Network",
      dependencies: [
        "Storage", "JSON", "Bytes",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: strict),
    module("S3Storage", "Network", "Storage", "XML", "Bytes"),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    module("SQLiteCatalog", "Catalogs", "Iceberg", "Storage", "JSON", "Bytes", "CSQLite"),
    module(
      "RESTCatalog", "Network", "S3Storage", "Catalogs", "Iceberg", "Storage", "JSON", "Bytes"),
    // face
    module(
      "Lake", "Maintenance", "Ingest", "KeyIndexing", "Writing", "Scanning", "Expressions",
      "Catalogs", "Inputs", "Iceberg", "ParquetFiles", "Parquet", "Avro", "Arrow", "Storage",
      "Columnar", "Codecs", "Bytes"),
    // top
    .executableTarget(
      name: "LakeCLI",
      dependencies: [
        "Lake", "SQLiteCatalog", "JSON", "Codecs", "Avro",
        .target(name: "S3Storage", condition: .when(traits: ["Network"])),
        .target(name: "RESTCatalog", condition: .when(traits: ["Network"])),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "LakeBench",
      dependencies: [
        "Lake", "JSON", "Codecs",
        .target(name: "S3Storage", condition: .when(traits: ["Network"])),
      ],
      path: "Benchmarks",
      exclude: [
        "RESULTS.md", "run", "equality_deletes.py", "store_peers.py", "text_peers.py",
        "upkeep_peers.py",
      ],
      swiftSettings: strict),
    // tests
    .target(
      name: "SeededNumbers", path: "Tests/SeededNumbers", swiftSettings: testing),
    .target(
      name: "LakeTestSupport", dependencies: ["SeededNumbers", "Lake", "JSON", "Avro", "Codecs"],
      path: "Tests/LakeTestSupport", swiftSettings: testing),
    tests("Bytes", "Bytes", "SeededNumbers"),
    tests("Codecs", "Codecs", "SeededNumbers", "Bytes", "CZlib"),
    tests("JSON", "JSON", "SeededNumbers", "Bytes"),
    tests("XML", "XML", "Bytes", "LakeTestSupport"),
    tests("Columnar", "Columnar", "SeededNumbers", "Bytes"),
    tests("Storage", "Storage", "Bytes", "LakeTestSupport"),
    tests("Parquet", "Parquet", "SeededNumbers", "Columnar", "Codecs", "Bytes"),
    tests("Avro", "Avro", "SeededNumbers", "JSON", "Codecs", "Bytes"),
    .target(
      name: "ArrowExchange", dependencies: ["Arrow", "Columnar", "Bytes"],
      path: "Tests/ArrowExchange", swiftSettings: testing),
    tests("Arrow", "Arrow", "ArrowExchange", "LakeTestSupport", "Lake"),
    tests("Inputs", "Inputs", "SeededNumbers", "LakeTestSupport", "Lake"),
    tests("Iceberg", "Iceberg", "SeededNumbers", "Avro", "JSON", "Codecs", "Bytes"),
    tests("Catalogs", "LakeTestSupport", "Lake", "JSON"),
    tests("Expressions", "LakeTestSupport", "Lake"),
    tests("Scanning", "Scanning", "Parquet", "Iceberg", "SeededNumbers", "LakeTestSupport", "Lake"),
    tests("Writing", "Writing", "SeededNumbers", "LakeTestSupport", "Lake"),
    tests("KeyIndexing", "KeyIndexing", "Writing", "SeededNumbers", "LakeTestSupport", "Lake"),
    tests(
      "Ingest", "Ingest", "KeyIndexing", "Maintenance", "Writing", "SeededNumbers",
      "LakeTestSupport", "Lake"),
    tests(
      "Maintenance", "Maintenance", "Ingest", "KeyIndexing", "Writing", "Catalogs", "Storage",
      "Iceberg", "SeededNumbers", "LakeTestSupport", "Lake"),
    tests("Network", "Network", "Storage", "Bytes", "JSON", "SeededNumbers", "LakeTestSupport"),
    tests(
      "S3Storage", "S3Storage", "Network", "Storage", "XML", "Bytes", "SeededNumbers",
      "LakeTestSupport", "Lake"),
    tests(
      "SQLiteCatalog", "SQLiteCatalog", "CSQLite", "Catalogs", "Storage", "SeededNumbers",
      "LakeTestSupport", "Lake"),
    tests(
      "RESTCatalog", "RESTCatalog", "S3Storage", "Network", "Catalogs", "Storage", "JSON",
      "SeededNumbers", "LakeTestSupport", "Lake"),
    tests("CLI", "SeededNumbers", "LakeTestSupport", "Lake", "SQLiteCatalog", "JSON", "LakeCLI"),
    tests("Readme", "Lake"),
    tests(
      "Fuzz", "Inputs", "Iceberg", "Arrow", "Avro", "JSON", "XML", "Parquet", "Columnar", "Codecs",
      "Storage", "Bytes"),
    tests("Tidy"),
    tests("Interop", "SeededNumbers", "LakeTestSupport", "Lake", "JSON"),
  ]
)
