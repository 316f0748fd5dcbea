// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// pyarrow and DuckDB, asked through `Fixtures/parquet/roundtrip.py`.
///
/// They are where the interop tools beside the checkout put them; without them, tests that need
/// them are skipped, which is printed, and which fails where `LAKE_CI=1`.
enum OtherEngines {
  private static let python: URL? = {
    let environment = ProcessInfo.processInfo.environment
    let home =
      environment["LAKE_ORACLES"].map { URL(filePath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache/lake-oracles")
    let found = home.appending(path: "duckdb/bin/python")
    return FileManager.default.isExecutableFile(atPath: found.path) ? found : nil
  }()

  /// True if they can be asked; else the skip of `test` is printed.
  static func areThere(for test: String = #function) -> Bool {
    if python != nil { return true }
    print("skipped: \(test): pyarrow and DuckDB are not installed")
    #expect(ProcessInfo.processInfo.environment["LAKE_CI"] != "1", "engines are missing")
    return false
  }

  /// True where more cases are asked for: `LAKE_DEPTH=long`.

  /// The lines that the script prints, each split at its tabs.
  static func lines(_ arguments: [String]) throws -> [[String]] {
    let process = Process()
    process.executableURL = python
    process.arguments = [TestFiles.fixture("parquet/roundtrip.py").path] + arguments
    // The folder of the script is a checkout: nothing is to be left there.
    process.environment = ProcessInfo.processInfo.environment.merging([
      "PYTHONDONTWRITEBYTECODE": "1"
    ]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(arguments)")
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
  }

  /// Does `body` with a new folder, and removes that.
  static func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-roundtrip-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }
}
