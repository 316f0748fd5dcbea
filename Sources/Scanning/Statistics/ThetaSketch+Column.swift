// SPDX-License-Identifier: Apache-2.0
internal import Bytes
package import Columnar
package import Iceberg

extension ThetaSketch {
  /// Takes the values of a column into account that are not null; its elements' ones if it has
  /// such.
  ///
  /// Cost: a hash a row; of a dictionary's entries one each.
  package mutating func insert(_ column: Column) {
    guard column.nullCount < column.count else { return }
    if column.nullCount > 0, let validity = column.validity {
      return insert(column.filter(by: validity))
    }
    switch column.values {
    case .null, .structure, .list: break
    case .bits(let bits): insert(bits)
    case .fixed(let values): insert(values, of: column.type)
    case .variable(let offsets, let bytes):
      insert(bytes.bytes, offsets: offsets.aligned(to: 4).values(as: Int32.self))
    case .dictionary(let codes, let entries): insert(entries, codes: codes)
    }
  }

  private mutating func insert(_ bits: Bitmap) {
    let ones = bits.countOfOnes
    for value in [UInt8(0), 1] where value == 1 ? ones > 0 : ones < bits.count {
      let bytes = [value]
      insert(unsafe bytes.span.bytes)
    }
  }

  /// Only entries count that a row refers to: others may be of rows that are deleted.
  private mutating func insert(_ entries: Column, codes: Buffer) {
    var isUsed = [Bool](repeating: false, count: entries.count)
    let codes = codes.aligned(to: 4)
    let span = codes.values(as: Int32.self)
    for i in span.indices { isUsed[Int(span[i])] = true }
    insert(isUsed.contains(false) ? entries.filter(by: Bitmap(isUsed)) : entries)
  }

  private mutating func insert(_ values: Buffer, of type: ColumnType) {
    let values = values.aligned(to: 16)
    switch type {
    case .float: insert(values.values(as: Float.self))
    case .double: insert(values.values(as: Double.self))
    case .decimal(let precision, _) where precision <= 18:
      let span = values.values(as: Int64.self)
      for i in span.indices { insert(unscaled: Int128(span[i])) }
    case .decimal:
      let span = values.values(as: Int128.self)
      for i in span.indices { insert(unscaled: span[i]) }
    case .uuid: insert(values, width: 16)
    case .fixed(let byteCount): insert(values, width: byteCount)
    default:
      if type.layout == .fixed(width: 4) {
        insert(values.values(as: Int32.self))
      } else {
        insert(values.values(as: Int64.self))
      }
    }
  }

  private mutating func insert(_ values: Buffer, width: Int) {
    guard width > 0 else { return }
    let bytes = values.bytes
    var at = 0
    while at < bytes.byteCount {
      insert(bytes.extracting(at..<at + width))
      at += width
    }
  }
}
