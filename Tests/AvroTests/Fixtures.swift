// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import Glibc
import JSON

/// Files of the `Fixtures` folder, found from this file's own place.
enum Fixtures {
  struct Missing: Error { var path: String }

  static let folder =
    String(#filePath.dropLast("Tests/AvroTests/Fixtures.swift".count)) + "Fixtures/"

  static func bytes(_ name: String) throws -> Buffer {
    guard let file = unsafe fopen(folder + name, "rb") else { throw Missing(path: name) }
    defer { unsafe fclose(file) }
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 {
      all += chunk[..<count]
    }
    return Buffer(all)
  }

  /// The values of a `.jsonl` file.
  static func lines(_ name: String) throws -> [JSONValue] {
    let text = try bytes(name)
    var reader = JSONReader(text.bytes)
    var values: [JSONValue] = []
    while reader.nextDocument() { values.append(try reader.readValue()) }
    return values
  }
}

extension AvroValue {
  /// The value as `Fixtures/avro/generate.py` writes it: bytes as Latin-1 text in `{"b": …}`.
  var canonical: JSONValue {
    switch self {
    case .null: .null
    case .boolean(let value): .boolean(value)
    case .int(let value): .integer(Int64(value))
    case .long(let value): .integer(value)
    case .float(let value): Self.number(Double(value))
    case .double(let value): Self.number(value)
    case .bytes(let value), .fixed(let value):
      .object([
        JSONMember(
          "b", .string(String(String.UnicodeScalarView(value.map { UnicodeScalar($0) }))))
      ])
    case .string(let value), .enumeration(let value): .string(value)
    case .array(let elements): .array(elements.map(\.canonical))
    case .map(let entries), .record(let entries):
      .object(entries.map { JSONMember($0.name, $0.value.canonical) })
    case .union(_, let value): value.canonical
    }
  }

  private static func number(_ value: Double) -> JSONValue {
    value.isFinite ? .double(value) : .string("\(value)")
  }
}

/// All records of a container file.
func readAll(_ file: Buffer) throws -> [AvroValue] {
  var reader = try AvroFileReader(file)
  return try reader.readAll()
}

/// Encodes with a fresh encoder.
func encoded(_ body: (inout AvroEncoder) throws -> Void) rethrows -> Buffer {
  var encoder = AvroEncoder()
  try body(&encoder)
  return encoder.finish()
}
