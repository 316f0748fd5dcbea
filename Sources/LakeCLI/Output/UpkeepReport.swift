// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON
internal import Lake

/// What a command that keeps a table up tells of it: a JSON object, or a line for people.
struct UpkeepReport {
  private enum Fact {
    case number(Int64)
    case text(String)
    case texts([String])
    case flag(Bool)
    case none
  }

  private let table: String
  private var facts: [(key: String, fact: Fact)] = []
  /// What people are told.
  private var parts: [String] = []

  init(table: String, _ operation: String) {
    self.table = table
    facts.append(("operation", .text(operation)))
  }

  mutating func add(_ key: String, _ number: Int) { facts.append((key, .number(Int64(number)))) }
  mutating func add(_ key: String, _ number: Int64?) {
    facts.append((key, number.map { .number($0) } ?? .none))
  }
  mutating func add(_ key: String, _ text: String) { facts.append((key, .text(text))) }
  mutating func add(_ key: String, _ texts: [String]) { facts.append((key, .texts(texts))) }
  mutating func add(_ key: String, _ flag: Bool) { facts.append((key, .flag(flag))) }
  /// Something for people.
  mutating func say(_ part: String) { parts.append(part) }

  mutating func add(duration: Duration) {
    let (seconds, attoseconds) = duration.components
    add("duration_ms", seconds * 1000 + attoseconds / 1_000_000_000_000_000)
  }

  func print(_ options: OutputOptions) {
    StandardOutput.writeReport(
      options.printsObject ? object : "\(table): \(parts.joined(separator: ", "))\n")
  }

  private var object: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.writeKey("table")
    writer.write(table)
    for (key, fact) in facts {
      writer.writeKey(key)
      switch fact {
      case .number(let number): writer.write(number)
      case .text(let text): writer.write(text)
      case .flag(let flag): writer.write(flag)
      case .none: writer.writeNull()
      case .texts(let texts):
        writer.beginArray()
        for text in texts { writer.write(text) }
        writer.endArray()
      }
    }
    writer.endObject()
    return String(decoding: writer.finish().array(), as: UTF8.self) + "\n"
  }
}
