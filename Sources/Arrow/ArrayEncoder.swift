// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Makes arrays of columns: the buffers as they are wherever they can be.
///
/// What is made begins at row 0, its bitmaps at a first bit and its offsets at 0; there are no
/// dictionaries, and a slot for every null.
enum ArrayEncoder {
  /// - Throws: ``ArrowError/columnar(_:field:)`` if the strings of a dictionary, written out,
  ///   outgrow 32-bit offsets.
  static func array(_ column: Column, _ path: String) throws(ArrowError) -> ArrayData {
    let validity = column.validity.map { buffer($0) }
    func array(_ buffers: [Buffer?], _ children: [ArrayData] = []) -> ArrayData {
      ArrayData(
        count: column.count, nullCount: column.nullCount, buffers: [validity] + buffers,
        children: children)
    }
    switch column.values {
    case .null:
      if column.type == .null {
        return ArrayData(count: column.count, nullCount: column.count, buffers: [])
      }
      return try self.array(withSlots(column), path)
    case .dictionary:
      return try self.array(try plain(column, path), path)
    case .bits(let bits): return array([buffer(bits)])
    case .fixed(let values): return array([try wide(column, values, path)])
    case .variable(let offsets, let bytes):
      let (rebased, range) = rebase(offsets)
      return array([rebased, bytes.slice(range)])
    case .structure(let children):
      return array([], try self.children(children, column.type.children, path))
    case .list(let offsets, let elements):
      let (rebased, range) = rebase(offsets)
      let child = try self.array(elements.slice(range), path + ".element")
      return array([rebased], [child])
    }
  }

  private static func plain(_ column: Column, _ path: String) throws(ArrowError) -> Column {
    do throws(ColumnarError) {
      return try column.materialized()
    } catch {
      throw .columnar(error, field: path)
    }
  }

  private static func children(
    _ columns: [Column], _ fields: [ColumnField], _ path: String
  ) throws(ArrowError) -> [ArrayData] {
    var arrays: [ArrayData] = []
    for (column, field) in zip(columns, fields) {
      arrays.append(try array(column, path + "." + field.name))
    }
    return arrays
  }

  /// The bits from the first bit of a buffer on.
  private static func buffer(_ bits: Bitmap) -> Buffer {
    let byteCount = (bits.count + 7) / 8
    if bits.offset % 8 == 0 {
      return bits.buffer.slice(bits.offset / 8..<bits.offset / 8 + byteCount)
    }
    var builder = BitmapBuilder(capacity: bits.count)
    builder.append(bits)
    return builder.finish().buffer.slice(0..<byteCount)
  }

  /// Values as they are, but decimals of 8 bytes as ones of 16.
  private static func wide(
    _ column: Column, _ values: Buffer, _ path: String
  ) throws(ArrowError) -> Buffer {
    guard case .decimal(let precision, let scale) = column.type, precision <= 18 else {
      return values
    }
    do throws(ColumnarError) {
      let wide = try column.promoted(to: .decimal(precision: 38, scale: scale))
      guard case .fixed(let values) = wide.values else { return values }
      return values
    } catch {
      throw .columnar(error, field: path)
    }
  }

  /// Offsets from 0 on, and what they are offsets into.
  private static func rebase(_ offsets: Buffer) -> (Buffer, Range<Int>) {
    let old = offsets.values(as: Int32.self)
    let first = old[0]
    let last = old[old.count - 1]
    if first == 0 { return (offsets, 0..<Int(last)) }
    var target = MutableBuffer(byteCount: offsets.count)
    var new = target.mutableValues(as: Int32.self)
    for i in old.indices { new[i] = old[i] &- first }
    return (target.freeze(), Int(first)..<Int(last))
  }

  /// The same nulls with a slot for each.
  private static func withSlots(_ column: Column) -> Column {
    let count = column.count
    let values: Column.Values
    switch column.type.layout {
    case .null: values = .null
    case .bits: values = .bits(Bitmap(repeating: false, count: count))
    case .fixed(let width): values = .fixed(MutableBuffer(zeroed: count * width).freeze())
    case .variable:
      values = .variable(offsets: MutableBuffer(zeroed: (count + 1) * 4).freeze(), bytes: .empty)
    case .structure:
      values = .structure(column.type.children.map { .nulls($0.type, count: count) })
    case .list:
      values = .list(
        offsets: MutableBuffer(zeroed: (count + 1) * 4).freeze(),
        elements: ColumnBuilder(column.type.elementType).finish())
    }
    return Column(
      type: column.type, count: count, validity: column.validity, values: values)
  }
}
