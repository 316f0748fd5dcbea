// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// The values of a leaf without its nulls, laid out as the physical type has them.
indirect enum LeafValues {
  case bits(Bitmap)
  /// Little-endian numbers of 4 or 8 bytes, or fixed byte strings.
  case fixed(Buffer, width: Int)
  case variable(offsets: Buffer, bytes: Buffer)
  /// Codes (Int32) into `entries`, which are no dictionary; `source` tells dictionaries apart.
  case dictionary(codes: Buffer, entries: LeafValues, source: Column)

  var count: Int {
    switch self {
    case .bits(let bits): bits.count
    case .fixed(let buffer, let width): buffer.count / width
    case .variable(let offsets, _): offsets.count / 4 - 1
    case .dictionary(let codes, _, _): codes.count / 4
    }
  }

  /// How many bytes the values in `range` take before encoding.
  func byteCount(_ range: Range<Int>) -> Int {
    switch self {
    case .bits: return (range.count + 7) / 8
    case .fixed(_, let width): return range.count * width
    case .variable(let offsets, _):
      let span = offsets.values(as: Int32.self)
      return Int(span[range.upperBound] - span[range.lowerBound]) + 4 * range.count
    case .dictionary: return range.count * 4
    }
  }
}

/// What became of a dictionary when it was laid out last, as batches tend to share theirs.
struct LaidOutDictionary {
  let source: Column
  let entries: LeafValues
}

extension LeafValues {
  /// The rows of `column` at `rows` (nil: all of them), none of which is null.
  ///
  /// - Parameter known: the dictionary laid out last, replaced if another one comes.
  static func layOut(
    _ column: Column, rows: [Int32]?, as kind: LeafKind, known: inout LaidOutDictionary?
  ) -> LeafValues {
    switch column.values {
    case .null: return empty(kind)
    case .bits(let bits): return .bits(rows.map { Gather.bits(bits, $0) } ?? bits)
    case .fixed(let buffer):
      guard case .fixed(let width) = column.type.layout else { return empty(kind) }
      let dense = rows.map { Gather.fixed(buffer, width: width, $0) } ?? buffer
      return physical(dense, width: width, as: kind)
    case .variable(let offsets, let bytes):
      if let rows { return Gather.variable(offsets, bytes, rows) }
      return .variable(offsets: offsets, bytes: bytes)
    case .dictionary(let codes, let dictionary):
      let dense = rows.map { Gather.fixed(codes, width: 4, $0) } ?? codes
      if let known, known.source.hasSameMemory(as: dictionary) {
        return .dictionary(codes: dense, entries: known.entries, source: known.source)
      }
      var none: LaidOutDictionary?
      let entries = layOut(dictionary, rows: nil, as: kind, known: &none)
      known = LaidOutDictionary(source: dictionary, entries: entries)
      return .dictionary(codes: dense, entries: entries, source: dictionary)
    case .structure, .list: return empty(kind)
    }
  }

  private static func empty(_ kind: LeafKind) -> LeafValues {
    switch kind {
    case .boolean: .bits(Bitmap(repeating: false, count: 0))
    case .int32, .float: .fixed(.empty, width: 4)
    case .int64, .double: .fixed(.empty, width: 8)
    case .byteArray: .variable(offsets: Buffer([0, 0, 0, 0]), bytes: .empty)
    case .fixed(let width), .wideDecimal(let width): .fixed(.empty, width: width)
    }
  }

  /// Values of `width` bytes as the physical type has them: short decimals get shorter, long ones
  /// big-endian.
  private static func physical(_ buffer: Buffer, width: Int, as kind: LeafKind) -> LeafValues {
    switch kind {
    case .int32 where width == 8: .fixed(narrowed(buffer), width: 4)
    case .wideDecimal(let byteCount): .fixed(bigEndian(buffer, byteCount), width: byteCount)
    default: .fixed(buffer, width: width)
    }
  }

  private static func narrowed(_ buffer: Buffer) -> Buffer {
    let count = buffer.count / 8
    var narrow = MutableBuffer(byteCount: count * 4)
    let source = buffer.bytes
    var target = narrow.mutableValues(as: Int32.self)
    for i in target.indices {
      target[i] = Int32(truncatingIfNeeded: source.loadLE(at: i &* 8, as: Int64.self))
    }
    return narrow.freeze()
  }

  private static func bigEndian(_ buffer: Buffer, _ byteCount: Int) -> Buffer {
    let count = buffer.count / 16
    var output = MutableBuffer(capacity: count * byteCount)
    let source = buffer.bytes
    for i in 0..<count {
      for byte in (0..<byteCount).reversed() {
        output.append(value: source.loadLE(at: i &* 16 &+ byte, as: UInt8.self))
      }
    }
    return output.freeze()
  }
}

extension Column {
  /// True if both are the same rows of the same memory.
  func hasSameMemory(as other: Column) -> Bool {
    guard count == other.count, type == other.type else { return false }
    switch (values, other.values) {
    case (.fixed(let a), .fixed(let b)): return a.isSameMemory(as: b)
    case (.variable(let a, let b), .variable(let c, let d)):
      return a.isSameMemory(as: c) && b.isSameMemory(as: d)
    default: return false
    }
  }
}

/// Picks rows out of columns, for leaves that have nulls or lie inside lists.
enum Gather {
  static func bits(_ bits: Bitmap, _ rows: [Int32]) -> Bitmap {
    var builder = BitmapBuilder(capacity: rows.count)
    for row in rows { builder.append(bits[Int(row)]) }
    return builder.finish()
  }

  static func fixed(_ buffer: Buffer, width: Int, _ rows: [Int32]) -> Buffer {
    var output = MutableBuffer(byteCount: rows.count * width)
    let source = buffer.bytes
    switch width {
    case 4:
      var target = output.mutableValues(as: UInt32.self)
      for i in target.indices {
        target[i] = source.loadLE(at: Int(rows[i]) &* 4, as: UInt32.self)
      }
    case 8:
      var target = output.mutableValues(as: UInt64.self)
      for i in target.indices {
        target[i] = source.loadLE(at: Int(rows[i]) &* 8, as: UInt64.self)
      }
    default:
      for i in rows.indices {
        let start = Int(rows[i]) * width
        output.replace(at: i * width, with: source.extracting(start..<start + width))
      }
    }
    return output.freeze()
  }

  static func variable(_ offsets: Buffer, _ bytes: Buffer, _ rows: [Int32]) -> LeafValues {
    var ends = MutableBuffer(byteCount: (rows.count + 1) * 4)
    var output = MutableBuffer(capacity: bytes.count)
    let source = bytes.bytes
    let places = offsets.values(as: Int32.self)
    var target = ends.mutableValues(as: Int32.self)
    target[0] = 0
    for i in rows.indices {
      let row = Int(rows[i])
      output.append(source.extracting(Int(places[row])..<Int(places[row &+ 1])))
      target[i &+ 1] = Int32(truncatingIfNeeded: output.count)
    }
    return .variable(offsets: ends.freeze(), bytes: output.freeze())
  }
}
