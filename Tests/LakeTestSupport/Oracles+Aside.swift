// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Oracles {
  /// Runs a program beside what goes on here; returns what it said.
  ///
  /// - Throws: ``Failure`` if it ends badly, or takes longer than `seconds`.
  public static func runAside(
    _ program: URL, _ arguments: [String], within seconds: Int = 180
  ) async throws -> String {
    let file = FileManager.default.temporaryDirectory
      .appending(path: "lake-oracle-\(UUID().uuidString)")
    try Data().write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    let output = try FileHandle(forWritingTo: file)
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    let status: Int32 = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do {
        try process.run()
      } catch {
        continuation.resume(throwing: error)
        return
      }
      DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(seconds)) {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      }
    }
    let text = String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self)
    if status != 0 { throw Failure(text: "exit \(status): \(text)") }
    return text
  }

  /// As ``write(_:_:in:)``, on the SQLite catalog `lake` in `catalog.sqlite` of the warehouse.
  public static func writeWithSQLite(
    _ engine: String, _ script: URL, in warehouse: URL
  ) async throws {
    guard let tools = SiblingFolder.shared("oracles") else { return }
    _ = try await runAside(
      tools.appending(path: "write"),
      [engine, script.path, warehouse.path, "--catalog", "jdbc"])
  }
}
