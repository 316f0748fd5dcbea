// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// The strings or binaries of a plain column, row by row, without a copy.
///
/// A class, so that handing it on in a loop counts one reference and not those of all its parts.
final class TextRows: Sendable {
  let column: Column
  private let offsets: Buffer
  private let bytes: Buffer

  /// - Parameter column: one that is not all null.
  init(_ column: Column) {
    switch column.values {
    case .variable(let offsets, let bytes):
      self.offsets = offsets.aligned(to: 4)
      self.bytes = bytes
    case .null:
      self.offsets = MutableBuffer(zeroed: (column.count + 1) * 4).freeze()
      self.bytes = .empty
    default: preconditionFailure("\(column.type) is no plain column of text")
    }
    self.column = column
  }

  private func range(_ row: Int) -> Range<Int> {
    let buffer = self.offsets
    let offsets = buffer.values(as: Int32.self)
    let start = Int(offsets[row])
    // What is in a null slot means nothing, offsets out of order too.
    return start..<max(start, Int(offsets[row + 1]))
  }

  /// How many bytes are in `row`.
  func count(_ row: Int) -> Int { range(row).count }

  /// What `body` makes of the bytes in `row`.
  @inline(__always)
  func withBytes<R>(_ row: Int, _ body: (RawSpan) -> R) -> R {
    let range = self.range(row)
    let bytes = self.bytes
    return body(bytes.bytes.extracting(range))
  }

  func isNull(_ row: Int) -> Bool { column.isNull(row) }

  func text(_ row: Int) -> String { column.string(row) }

  /// Appends the bytes in `row` to `target`.
  func append(_ row: Int, to target: inout MutableBuffer) {
    let bytes = self.bytes
    target.append(bytes.bytes.extracting(range(row)))
  }

  /// Appends the bytes in `part` of those in `row` to `target`.
  func append(_ row: Int, _ part: Range<Int>, to target: inout MutableBuffer) {
    let start = range(row).lowerBound
    let part = start + part.lowerBound..<start + part.upperBound
    let bytes = self.bytes
    target.append(bytes.bytes.extracting(part))
  }

  /// 1 in rows with text of which `test` is true.
  @inline(__always)
  func bits(_ test: (RawSpan) -> Bool) -> Bitmap {
    var bits = BitmapBuilder(capacity: column.count)
    for row in 0..<column.count {
      bits.append(!column.isNull(row) && withBytes(row, test))
    }
    return bits.finish()
  }
}
