// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

@Suite("Others read our statistics", .serialized)
struct StatisticsInteropTests {
  private static let scripts = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/theta")

  /// The Python of `engine`; nil, which is told, if it is not there.
  private func python(_ engine: String) -> URL? {
    if let python = Oracles.python(of: engine) { return python }
    print("skipped: \(engine) is not installed")
    #expect(!SiblingFolder.isContinuousIntegration, "\(engine) is missing")
    return nil
  }

  private func withFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-statistics-\(Environment.system.uuid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder)
  }

  @Test func `the reference library in Java reads our sketches`() async throws {
    guard let python = python("spark") else { return }
    try await withFolder { folder in
      var arguments = [Self.scripts.appending(path: "check_sketches.py").path]
      for count in [0, 1, 2, 4096, 4097, 1_000_000] as [Int64] {
        var sketch = ThetaSketch()
        let values = Array(0..<count)
        sketch.insert(values.span)
        let file = folder.appending(path: "\(count).theta")
        try Data(sketch.serialized().array()).write(to: file)
        arguments += [file.path, "\(sketch.estimate)", "\(min(count, 4096))"]
      }
      try Oracles.run(python, arguments)
    }
  }

  @Test func `PyIceberg reads the statistics file of an analysis`() async throws {
    guard let python = python("pyiceberg") else { return }
    try await withFolder { folder in
      let catalog = FilesystemCatalog(
        warehouse: try ObjectPath("file://\(folder.path)"), store: LocalStore())
      let table = try await catalog.createTable("db.t", "k long, t string")
      try await table.append([
        Rows.batch(
          (0..<10).map { [.long($0), .string("\($0 % 3)")] }, table.metadata.currentSchema)
      ])
      let analysis = try #require(try await table.refreshed().analyze())
      let statistics = try #require(analysis.receipt.table.metadata.statistics.first)
      let script = Self.scripts.appending(path: "check_puffin.py").path
      let file = try #require(URL(string: statistics.path)).path
      try Oracles.run(python, [script, file, "1", "10", "2", "3"])
    }
  }
}
