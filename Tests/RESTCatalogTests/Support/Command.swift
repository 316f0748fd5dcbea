// SPDX-License-Identifier: Apache-2.0
import Foundation
import LakeTestSupport

/// A program that is run to its end, no thread of the tests waiting for it.
struct Command {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// What it printed.
  ///
  /// - Throws: ``Failure`` with its words if it does not end well.
  @discardableResult
  static func run(
    _ program: URL, _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> String {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    let file = FileManager.default.temporaryDirectory.appending(path: "lake-said-\(UUID())")
    _ = FileManager.default.createFile(atPath: file.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: file) }
    let output = try FileHandle(forWritingTo: file)
    process.standardOutput = output
    process.standardError = output
    let status: Int32 = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do {
        try process.run()
      } catch {
        process.terminationHandler = nil
        continuation.resume(throwing: error)
      }
    }
    try output.close()
    let text = try String(contentsOf: file, encoding: .utf8)
    guard status == 0 else {
      throw Failure(description: "\(program.lastPathComponent) \(arguments): \(text.suffix(3000))")
    }
    return text
  }
}

/// Iceberg's own REST handlers (Java) on the loopback interface, over a warehouse on disk.
struct JavaServer {
  let uri: String
  let warehouse: URL
  private let run: URL
  private static let tools = SiblingFolder.shared("oracles")

  /// True where there is such a server; it takes a JDK, which continuous integration has not.
  static let isThere = tools != nil && !Oracles.installed(of: ["java"]).isEmpty

  private static let isAsked =
    ["LAKE_INTEROP", "LAKE_DEPTH"].contains { name in
      ["all", "long"].contains(ProcessInfo.processInfo.environment[name] ?? "")
    }

  /// Calls `body` with a server that is stopped after it; says so and does nothing where there is
  /// none.
  static func using(
    _ what: String, token: String? = nil, always isAlways: Bool = false,
    _ body: (JavaServer) async throws -> Void
  ) async throws {
    guard isThere, let tools else { return print("skipped, 1 test: no Java for: \(what)") }
    guard isAlways || isAsked else {
      return print("skipped, 1 test: LAKE_INTEROP=all asks for: \(what)")
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "lake-rest-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let warehouse = folder.appending(path: "wh")
    let run = folder.appending(path: "run")
    let program = tools.appending(path: "rest")
    let said = try await Command.run(
      program, ["start", warehouse.path] + (token.map { ["--token", $0] } ?? []),
      environment: ["LAKE_RUN": run.path])
    let words = said.split { $0 == "\n" || $0 == "=" || $0 == " " || $0 == "'" }.map(String.init)
    guard let uri = words.first(where: { $0.hasPrefix("http://") }) else {
      throw Command.Failure(description: said)
    }
    let server = JavaServer(uri: uri, warehouse: warehouse, run: run)
    do {
      try await body(server)
    } catch {
      _ = try? await Command.run(program, ["stop"], environment: ["LAKE_RUN": run.path])
      throw error
    }
    _ = try await Command.run(program, ["stop"], environment: ["LAKE_RUN": run.path])
  }

  /// Has another engine run `script` on this catalog, which it calls `lake`.
  func write(_ engine: String, _ script: String) async throws {
    guard let tools = Self.tools else { return }
    let ending = engine == "duckdb" || engine == "spark" ? "sql" : "py"
    let file = warehouse.deletingLastPathComponent().appending(path: "script-\(UUID()).\(ending)")
    try script.write(to: file, atomically: true, encoding: .utf8)
    try await Command.run(
      tools.appending(path: "write"),
      [engine, file.path, warehouse.path, "--catalog", "rest:\(uri)"])
  }
}
