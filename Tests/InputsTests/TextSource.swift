// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Foundation

@testable import Inputs

/// A text as a source, in chunks of a given size.
struct TextSource: ByteSource {
  let name = "text"
  private var rest: ArraySlice<UInt8>
  private let chunk: Int

  init(_ text: String, chunk: Int = 1 << 20) { self.init([UInt8](text.utf8), chunk: chunk) }

  init(_ bytes: [UInt8], chunk: Int = 1 << 20) {
    rest = bytes[...]
    self.chunk = chunk
  }

  mutating func read() async throws(InputError) -> Buffer? {
    guard !rest.isEmpty else { return nil }
    let part = rest.prefix(chunk)
    rest = rest.dropFirst(chunk)
    return Buffer([UInt8](part))
  }

  /// The fields and all rows as canonical lines, read as `format`.
  static func rows(
    _ source: TextSource, _ format: InputFormat, _ options: InputOptions = InputOptions()
  ) async throws -> (fields: [ColumnField], rows: [String]) {
    let reader = try await InputReader.open(source, format: format, options: options)
    var text = MutableBuffer()
    while let batch = try await reader.next() { batch.appendLines(.json, to: &text) }
    let lines = String(decoding: text.freeze().array(), as: UTF8.self).split(separator: "\n")
    return (reader.fields, lines.map(String.init))
  }

  /// The case, line and column of the error that reading ends in.
  static func error(
    _ text: String, _ format: InputFormat, _ options: InputOptions = InputOptions()
  ) async -> String {
    do {
      _ = try await rows(TextSource(text), format, options)
      return "none"
    } catch let error as InputError {
      switch error {
      case .fieldCount(_, let line, let expected, let found):
        return "fieldCount \(line): \(expected) \(found)"
      case .unparsable(_, let line, let column, _, let found):
        return "unparsable \(line) \(column): \(found)"
      case .malformed(_, let line, let column, _): return "malformed \(line) \(column ?? "-")"
      case .missingValue(_, let line, let column): return "missingValue \(line) \(column)"
      default: return "\(error)"
      }
    } catch {
      return "\(error)"
    }
  }
}

/// SplitMix64, from `LAKE_SEED` if that is set.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64

  init(_ fallback: UInt64, test: String = #function) {
    state = ProcessInfo.processInfo.environment["LAKE_SEED"].flatMap { UInt64($0) } ?? fallback
    print("\(test): LAKE_SEED=\(state)")
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}
