// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Runs the built `lake` as a user would: as a process of its own.
struct LakeProcess {
  /// How a process ended.
  struct Outcome: CustomStringConvertible {
    var stdout: String
    var stderr: String
    /// Its exit code; 128 + the signal that killed it, as a shell has it.
    var status: Int32

    var description: String { "exit \(status)\n\(stdout)\(stderr)" }
    var lines: [Substring] { stdout.split(separator: "\n") }
    /// The rows of `--format jsonl`.
    var rows: [[String: Any]] {
      lines.compactMap { line in
        (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
      }
    }
  }

  /// The built program: the release build if there is one, as users have it.
  static let binary: URL = {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let candidates = ["release", "debug"].map { root.appending(path: ".build/\($0)/lake") }
    let found = candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) }
    return (found ?? candidates[1]).resolvingSymlinksInPath()
  }()

  /// Runs `program`, its output in files: a pipe would be shared with whatever else is started
  /// meanwhile.
  static func run(
    _ program: URL, _ arguments: [String], in folder: URL, environment: [String: String] = [:],
    stdin: String? = nil
  ) async throws -> Outcome {
    let files = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: files) }
    try Data((stdin ?? "").utf8).write(to: files.appending(path: "in"))
    let variables = ProcessInfo.processInfo.environment
      .filter { !$0.key.hasPrefix("LAKE_") }
      .merging([
        "HOME": folder.path, "LAKE_WAREHOUSE": folder.appending(path: "warehouse").path,
        "SWIFT_BACKTRACE": "enable=no",
      ]) { $1 }
      .merging(try await TestCatalog.environment(in: folder)) { $1 }
      .merging(Canary.environment(environment)) { $1 }
      .merging(environment) { $1 }
    let status = try await Spawn.run(
      program.path, arguments, environment: variables, in: folder.path,
      stdin: files.appending(path: "in").path, stdout: files.appending(path: "out").path,
      stderr: files.appending(path: "err").path)
    func text(_ name: String) throws -> String {
      String(decoding: try Data(contentsOf: files.appending(path: name)), as: UTF8.self)
    }
    let outcome = Outcome(stdout: try text("out"), stderr: try text("err"), status: status)
    Canary.expectNone(in: outcome, of: arguments)
    return outcome
  }
}

/// A folder with a warehouse in it, gone when the test is.
final class Workplace: Sendable {
  let folder: URL
  /// True if commands work in a ``TestCatalog``.
  let usesTestCatalog: Bool

  /// - Parameter ownCatalog: the test says itself which catalog each command uses.
  init(ownCatalog: Bool = false) throws {
    usesTestCatalog = !ownCatalog
    folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-cli-\(UUID().uuidString)").resolvingSymlinksInPath()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    if !ownCatalog { try TestCatalog.configure(folder) }
  }

  deinit {
    Canary.expectNone(inFilesOf: folder.appending(path: "warehouse"))
    try? FileManager.default.removeItem(at: folder)
  }

  /// Runs `lake` with `arguments`.
  @discardableResult
  func lake(
    _ arguments: String..., environment: [String: String] = [:], stdin: String? = nil
  ) async throws -> LakeProcess.Outcome {
    try await lake(arguments: arguments, environment: environment, stdin: stdin)
  }

  /// Runs `lake` with `arguments`.
  func lake(
    arguments: [String], environment: [String: String] = [:], stdin: String? = nil
  ) async throws -> LakeProcess.Outcome {
    try await LakeProcess.run(
      LakeProcess.binary, arguments, in: folder, environment: environment, stdin: stdin)
  }

  /// Runs a line of shell, in which `lake` is the program.
  func shell(
    _ line: String, environment: [String: String] = [:]
  ) async throws -> LakeProcess.Outcome {
    let script = "lake() { \(Self.quoted(LakeProcess.binary.path)) \"$@\"; }\n" + line
    return try await LakeProcess.run(
      URL(fileURLWithPath: "/bin/bash"), ["-c", script], in: folder, environment: environment)
  }

  static func quoted(_ text: String) -> String {
    "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }

  /// Writes a file, and returns its path.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let file = folder.appending(path: name)
    try Data(text.utf8).write(to: file)
    return file.path
  }

  /// The table `shop.orders` with four rows in two commits.
  func makeOrders() async throws {
    let created = try await lake(
      "create", "shop.orders", "--schema",
      """
      id long not null, name string, price decimal(9, 2), at timestamptz, tags list<string>, \
      part string
      """, "--partition-by", "part", "--property", "owner=me")
    guard created.status == 0 else { throw Unexpected(created) }
    let first = """
      {"id":1,"name":"ann","price":"1.50","at":"2024-01-01T00:00:00Z","tags":["a","b"],"part":"x"}
      {"id":2,"name":null,"price":null,"at":null,"tags":null,"part":"x"}
      {"id":3,"name":"say \\"hi\\", ok","price":"-0.05","at":"2024-02-29T23:59:59.5Z","tags":[],"part":"y"}

      """
    let second = """
      {"id":4,"name":"","price":"1234567.89","at":"1969-12-31T23:59:59Z","tags":["c"],"part":null}

      """
    for (name, rows) in [("first.jsonl", first), ("second.jsonl", second)] {
      let appended = try await lake("append", "shop.orders", try write(name, rows))
      guard appended.status == 0 else { throw Unexpected(appended) }
    }
  }

  /// What eight at once come to, each of which is given its number.
  static func eight(
    _ work: @escaping @Sendable (_ writer: Int) async throws -> LakeProcess.Outcome
  ) async throws -> [LakeProcess.Outcome] {
    try await withThrowingTaskGroup(of: LakeProcess.Outcome.self) { group in
      for writer in 0..<8 { group.addTask { try await work(writer) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
  }

  /// Eight scripts of Bash at once, in which `$1` is the number of each and `$LAKE_BINARY` is `lake`.
  func eightScripts(_ script: String) async throws -> [LakeProcess.Outcome] {
    try await Self.eight { [folder] writer in
      try await LakeProcess.run(
        URL(filePath: "/bin/bash"), ["-c", script, "writer", "\(writer)"], in: folder,
        environment: ["LAKE_BINARY": LakeProcess.binary.path])
    }
  }

  /// The snapshots of `table`, newest first, each of which is expected to be the next one's child.
  func linearHistory(_ table: String, _ options: [String] = []) async throws -> [[String: Any]] {
    let outcome = try await LakeProcess.run(
      LakeProcess.binary, ["log", table] + options, in: folder)
    let snapshots = outcome.rows
    for (child, parent) in zip(snapshots, snapshots.dropFirst()) {
      #expect(child["parent_id"] as? Int64 == parent["snapshot_id"] as? Int64)
    }
    return snapshots
  }

  /// How many rows `table` has.
  func count(_ table: String) async throws -> Int {
    let outcome = try await lake("count", table, "--format", "table")
    guard outcome.status == 0, let count = Int(outcome.stdout.dropLast()) else {
      throw Unexpected(outcome)
    }
    return count
  }
}

/// A step of a test's preparation went wrong.
struct Unexpected: Error, CustomStringConvertible {
  let description: String
  init(_ outcome: LakeProcess.Outcome) { description = outcome.description }
}

/// What differs from run to run, made the same.
enum Scrubbed {
  static func text(_ text: String, in folder: URL) -> String {
    var text = text.replacingOccurrences(of: folder.path, with: "DIR")
    let patterns = [
      ("s3://[a-z]+/\(folder.lastPathComponent)", "DIR/warehouse"),
      ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
      ("[0-9]{15,19}", "ID"),
      ("20(2[5-9]|[3-9][0-9])-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "TIME"),
    ]
    for (pattern, name) in patterns {
      text = text.replacingOccurrences(of: pattern, with: name, options: .regularExpression)
    }
    return text
  }
}
