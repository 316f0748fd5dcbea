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
