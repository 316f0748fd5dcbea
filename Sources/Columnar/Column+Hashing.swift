// SPDX-License-Identifier: Apache-2.0
public import Bytes

extension Column {
  /// A 64-bit hash (UInt64) of each row over all of `columns`, which are of equal length.
  ///
  /// Laws: rows that are equal have equal hashes, whether their columns are plain, dictionaries,
  /// slices, or one of them of a narrower type with the same values (int and long, float and
  /// double, decimals of one scale). Every null is equal to every other, every NaN too; -0 differs
  /// from 0. Not to be stored: hashes may change with any release.
  public static func hashes(of columns: [Column], seed: UInt64) -> Buffer {
    guard let first = columns.first else { preconditionFailure("no column to hash") }
    precondition(columns.allSatisfy { $0.count == first.count }, "columns of different lengths")
    let seed = Hash.start(seed)
    var result = Hash.values(first, seed: seed)
    for column in columns.dropFirst() {
      result = Hash.combined(result, Hash.values(column, seed: seed))
    }
    return result
  }
}

extension Hash {
  /// The hash of each row of `column`.
  static func values(_ column: Column, seed: UInt64) -> Buffer {
    switch column.values {
    case .null: return repeated(null, count: column.count)
    case .dictionary(let codes, let dictionary):
      if dictionary.count == 0 { return repeated(null, count: column.count) }
      if dictionary.count > column.count, !column.type.isNested {
        let plain = column.comparable()
        if case .dictionary = plain.values {
          return withNulls(bytes(plain, seed: seed).freeze(), column.validity)
        }
        return values(plain, seed: seed)
      }
      let entries = values(dictionary, seed: seed)
      let rows = Gather.fixed(entries, width: 8, rows: codes.values(as: Int32.self))
      return withNulls(rows, column.validity)
    case .bits(let bits): return withNulls(booleans(bits, seed: seed), column.validity)
    case .fixed: return withNulls(fixed(column, seed: seed), column.validity)
    case .variable: return withNulls(bytes(column, seed: seed).freeze(), column.validity)
    case .structure(let children):
      var result = repeated(start(seed), count: column.count)
      for child in children { result = combined(result, values(child, seed: seed)) }
      return withNulls(result, column.validity)
    case .list(let offsets, let elements):
      return withNulls(lists(offsets, values(elements, seed: seed)), column.validity)
    }
  }

  /// `next` behind `first`, row by row.
  static func combined(_ first: Buffer, _ next: Buffer) -> Buffer {
    let a = first.values(as: UInt64.self)
    let b = next.values(as: UInt64.self)
    var target = MutableBuffer(byteCount: first.count)
    var result = target.mutableValues(as: UInt64.self)
    for i in result.indices { result[i] = combine(a[i], b[i]) }
    return target.freeze()
  }

  private static func repeated(_ hash: UInt64, count: Int) -> Buffer {
    var target = MutableBuffer(byteCount: count * 8)
    var result = target.mutableValues(as: UInt64.self)
    for i in result.indices { result[i] = hash }
    return target.freeze()
  }

  private static func withNulls(_ hashes: Buffer, _ validity: Bitmap?) -> Buffer {
    guard let validity else { return hashes }
    var target = MutableBuffer(capacity: hashes.count)
    target.append(hashes.bytes)
    var new = target.mutableValues(as: UInt64.self)
    let nulls = validity.inverted()
    for w in 0..<nulls.wordCount {
      var rest = nulls.word(w)
      while rest != 0 {
        new[w &* 64 &+ rest.trailingZeroBitCount] = null
        rest &= rest &- 1
      }
    }
    return target.freeze()
  }

  private static func booleans(_ bits: Bitmap, seed: UInt64) -> Buffer {
    let hashOfTrue = word(1, seed: seed)
    let hashOfFalse = word(0, seed: seed)
    var target = MutableBuffer(byteCount: bits.count * 8)
    var result = target.mutableValues(as: UInt64.self)
    for i in result.indices { result[i] = bits[i] ? hashOfTrue : hashOfFalse }
    return target.freeze()
  }

  private static func lists(_ offsets: Buffer, _ elements: Buffer) -> Buffer {
    let ends = offsets.values(as: Int32.self)
    let hashes = elements.values(as: UInt64.self)
    var target = MutableBuffer(byteCount: (ends.count - 1) * 8)
    var result = target.mutableValues(as: UInt64.self)
    for i in result.indices {
      let range = Int(ends[i])..<Int(ends[i + 1])
      var hash = word(UInt64(range.count), seed: 0)
      for element in range { hash = combine(hash, hashes[element]) }
      result[i] = hash
    }
    return target.freeze()
  }

  private static func fixed(_ column: Column, seed: UInt64) -> Buffer {
    guard case .fixed(let buffer) = column.values else { preconditionFailure("not fixed") }
    switch column.type {
    case .float:
      return words(buffer, as: Float.self) { word(bits(of: Double($0)), seed: seed) }
    case .double: return words(buffer, as: Double.self) { word(bits(of: $0), seed: seed) }
    case .uuid, .fixed: return bytes(column, seed: seed).freeze()
    default:
      switch column.type.layout {
      case .fixed(width: 4):
        return words(buffer, as: Int32.self) {
          word(UInt64(bitPattern: Int64($0)), seed: seed)
        }
      case .fixed(width: 8): return words(buffer, as: UInt64.self) { word($0, seed: seed) }
      default: return words(buffer, as: WideInteger.self) { wide($0, seed: seed) }
      }
    }
  }

  /// The hash of an integer of 64 bits if it is one.
  @inline(__always)
  private static func wide(_ value: WideInteger, seed: UInt64) -> UInt64 {
    let low = word(value.low, seed: seed)
    if value.high == Int64(bitPattern: value.low) >> 63 { return low }
    return combine(low, word(UInt64(bitPattern: value.high), seed: seed))
  }

  /// The bits of a number, all NaNs' the same.
  @inline(__always)
  static func bits(of value: Double) -> UInt64 {
    value.isNaN ? 0x7ff8_0000_0000_0000 : value.bitPattern
  }

  @inline(__always)
  private static func words<T: BitwiseCopyable>(
    _ buffer: Buffer, as type: T.Type, _ hash: (T) -> UInt64
  ) -> Buffer {
    let aligned = buffer.aligned(to: MemoryLayout<T>.alignment)
    let values = aligned.values(as: T.self)
    var target = MutableBuffer(byteCount: values.count * 8)
    var result = target.mutableValues(as: UInt64.self)
    for i in values.indices { result[i] = hash(values[i]) }
    return target.freeze()
  }
}

extension Buffer {
  /// These bytes, copied if they don't lie on a multiple of `alignment`.
  package func aligned(to alignment: Int) -> Buffer {
    isAligned(to: alignment) ? self : Buffer(copying: bytes)
  }
}
