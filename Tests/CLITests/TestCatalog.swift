// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

@testable import LakeCLI

/// The kind of catalog that tests work in which name none, as `LAKE_TEST_CATALOG` says: of folders if
/// it says nothing.
///
/// A kind is a case here, how its catalogs are opened in ``properties(in:)``, and what servers it
/// takes in ``variables()``.
enum TestCatalog: String, CaseIterable {
  /// Of folders, with nothing configured: by `LAKE_WAREHOUSE` alone.
  case filesystem
  /// Names in an SQLite file of the workplace, files in its folder.
  case sqlite
  /// Of folders in a bucket of a server of S3, which is started for the run; a prefix for each
  /// workplace.
  case s3
  /// Names on a server that speaks Iceberg's REST protocol, files in the workplace.
  case rest

  static let kind: TestCatalog = {
    let told = ProcessInfo.processInfo.environment["LAKE_TEST_CATALOG"] ?? "filesystem"
    guard let kind = TestCatalog(rawValue: told) else {
      let known = allCases.map(\.rawValue).joined(separator: ", ")
      preconditionFailure("LAKE_TEST_CATALOG is \(told), not one of: \(known)")
    }
    return kind
  }()

  /// The file of the SQLite catalog, in a workplace.
  static let file = ".test-catalog.db"

  /// What the catalog of the workplace `folder` is opened with, as `lake.yaml` has it: with `${NAME}`
  /// for what is among ``variables()``.
  private func properties(in folder: URL) -> [String: String] {
    let warehouse = folder.appending(path: "warehouse").path
    switch self {
    case .filesystem: return ["type": "filesystem", "warehouse": warehouse]
    case .sqlite:
      return [
        "type": "sql", "uri": "sqlite:///\(folder.path)/\(Self.file)", "warehouse": warehouse,
      ]
    case .s3:
      return [
        "type": "filesystem", "warehouse": "s3://${TEST_S3_BUCKET}/\(folder.lastPathComponent)",
        "s3.endpoint": "${TEST_S3_ENDPOINT}", "s3.access-key-id": "${TEST_S3_KEY}",
        "s3.secret-access-key": "${TEST_S3_SECRET}", "s3.region": "us-east-1",
        "s3.path-style-access": "true",
      ]
    case .rest: return ["type": "rest", "uri": "${LAKE_TEST_REST}", "warehouse": warehouse]
    }
  }

  /// What the properties refer to, once it is known: where a server is, which is started by then.
  private func variables() async throws -> [String: String] {
    switch self {
    case .filesystem, .sqlite: return [:]
    case .s3:
      guard let server = try await S3Server.running(.seaweedfs) else {
        throw MissingServer()
      }
      return [
        "TEST_S3_ENDPOINT": server.endpoint, "TEST_S3_BUCKET": server.bucket,
        "TEST_S3_KEY": server.accessKeyID, "TEST_S3_SECRET": server.secretAccessKey,
      ]
    case .rest: return ["LAKE_TEST_REST": try await JavaCatalogs.uri()]
    }
  }

  // MARK: of every kind

  private static let configuration = ".test-catalog.yaml"

  /// Makes the catalog that of the workplace `folder`.
  static func configure(_ folder: URL) throws {
    guard kind != .filesystem else { return }
    let lines = kind.properties(in: folder).sorted { $0.key < $1.key }
      .map { "    \($0.key): \($0.value)\n" }
    try Data("catalog:\n  test:\n\(lines.joined())".utf8)
      .write(to: folder.appending(path: configuration))
  }

  /// What has commands in `folder` use the catalog; nothing where it was not configured.
  static func environment(in folder: URL) async throws -> [String: String] {
    let file = folder.appending(path: configuration).path
    guard FileManager.default.fileExists(atPath: file) else { return [:] }
    return ["LAKE_CATALOG": "test", "LAKE_CONFIG": file]
      .merging(try await kind.variables()) { $1 }
  }

  /// The catalog itself, of the workplace `folder`.
  static func open(in folder: URL) async throws -> any Catalog {
    let variables = try await kind.variables()
    let properties = kind.properties(in: folder).mapValues { value in
      variables.reduce(value) { $0.replacingOccurrences(of: "${\($1.key)}", with: $1.value) }
    }
    return try await CatalogConfiguration(name: "test", properties: properties, file: "the test")
      .open(allowing: [])
  }

  /// Properties that the catalog gives each table.
  static var ownProperties: [String] {
    kind == .rest ? ["write.parquet.compression-codec = zstd"] : []
  }

  // MARK: names of metadata files

  /// True where metadata files are `v1.metadata.json` and so on; else they are `00000-UUID…`.
  private static var countsFromOne: Bool { kind != .sqlite }

  /// The name of a metadata file as ``Scrubbed`` shows it: each catalog has its own way to give them.
  ///
  /// - Parameter version: which state of the table, from 1 on.
  static func metadataName(_ version: Int) -> String {
    guard !countsFromOne else { return "v\(version).metadata.json" }
    let digits = String(version - 1)
    return String(repeating: "0", count: 5 - digits.count) + digits + "-UUID.metadata.json"
  }

  /// Which state of the table the metadata file `name` is, from 1 on.
  static func version(_ name: String) -> Int? {
    let number = countsFromOne ? name.dropFirst().prefix { $0 != "." } : name.prefix(5)
    return Int(number).map { countsFromOne ? $0 : $0 + 1 }
  }
}

extension Trait where Self == ConditionTrait {
  /// Skips the test under a kind of catalog in which there can't be what it is about.
  static func notWith(_ kinds: TestCatalog..., because reason: String) -> Self {
    .disabled(if: isSkipped(kinds, reason), "\(TestCatalog.kind) catalog: \(reason)")
  }
}

private func isSkipped(_ kinds: [TestCatalog], _ reason: String) -> Bool {
  guard kinds.contains(.kind) else { return false }
  print("skipped, 1 test: with a \(TestCatalog.kind) catalog: \(reason)")
  return true
}

/// The kind of catalog needs a server that is not installed.
private struct MissingServer: Error {}
