// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Other engines, to be asked what they read of a table.
///
/// The tools lie beside the checkout (`shared/oracles`); the engines are where its `setup` puts them.
public enum Oracles {
  /// What an engine said of a table.
  public struct Answer: Sendable {
    public let engine: String
    public let agrees: Bool
    /// All it said.
    public let text: String
  }

  private static let tools = SiblingFolder.shared("oracles")

  private static let home: URL = {
    if let told = ProcessInfo.processInfo.environment["LAKE_ORACLES"] { return URL(filePath: told) }
    return FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache/lake-oracles")
  }()

  /// The engines of `wanted` that are installed.
  public static func installed(of wanted: [String]) -> [String] {
    guard tools != nil else { return [] }
    return wanted.filter { engine in
      let set = engine == "java" ? "spark" : engine
      return FileManager.default.fileExists(atPath: home.appending(path: "\(set)/bin/python").path)
    }
  }

  /// The Python that `engine` is installed for; nil if it is not.
  public static func python(of engine: String) -> URL? {
    installed(of: [engine]).isEmpty ? nil : home.appending(path: "\(engine)/bin/python")
  }

  /// Where the modules are that oracles share; nil if they are not there.
  public static let library = tools?.appending(path: "lib")

  /// Runs a script, of which nothing is expected but that it ends well.
  public static func run(_ python: URL, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = python
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    if process.terminationStatus != 0 {
      throw Failure(text: String(decoding: data, as: UTF8.self))
    }
  }

  /// What a script said that failed.
  public struct Failure: Error {
    public let text: String
  }

  /// What `engines` read of the table in `folder`, compared with the canonical rows in `expected`.
  public static func compare(_ folder: URL, _ engines: [String], expected: URL) throws -> [Answer] {
    guard let tools, !engines.isEmpty else { return [] }
    let process = Process()
    process.executableURL = tools.appending(path: "compare")
    process.arguments = [folder.path] + engines + ["--expected", expected.path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return answers(String(decoding: data, as: UTF8.self), engines)
  }

  /// Has `engine` run `script` on the filesystem catalog in `warehouse`, which it calls `lake`.
  public static func write(_ engine: String, _ script: URL, in warehouse: URL) throws {
    guard let tools else { return }
    try run(tools.appending(path: "write"), [engine, script.path, warehouse.path])
  }

  /// Takes apart what `compare` prints: a line that begins with an engine's name, and those after
  /// it that are indented.
  private static func answers(_ text: String, _ engines: [String]) -> [Answer] {
    var parts: [String: [String]] = [:]
    var current = ""
    for line in text.split(separator: "\n").map(String.init) {
      if let engine = engines.first(where: { line.hasPrefix($0 + " ") }) { current = engine }
      parts[current, default: []].append(line)
    }
    return engines.map { engine in
      let lines = parts[engine] ?? ["\(engine): no answer: \(text)"]
      let words = lines[0].split(separator: " ")
      return Answer(
        engine: engine, agrees: words.count > 1 && words[1] == "ok",
        text: lines.joined(separator: "\n"))
    }
  }
}
