// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar

@testable import Parquet

/// Values of a page in each encoding.
///
///     input := type, count (2 bytes), where to cut, the values of the page
///
/// Laws: values are the same at once, by parts, and behind some that were skipped; those that were
/// read and encoded again read the same.
enum EncodingTargets {
  static let all: [FuzzTarget] = [
    target("plain", .plain, "boolean int32 int64 float double decimal string binary fixed"),
    target("dictionary", .rleDictionary, "int32 double string fixed"),
    target("rleBoolean", .rle, "boolean"),
    target("deltaBinaryPacked", .deltaBinaryPacked, "int32 int64 decimal"),
    target("deltaLengthByteArray", .deltaLengthByteArray, "string binary"),
    target("deltaByteArray", .deltaByteArray, "string binary fixed"),
    target("byteStreamSplit", .byteStreamSplit, "int32 int64 float double fixed"),
    FuzzTarget(name: "bitPacked", run: bitPacked),
    FuzzTarget(name: "rleBitPacked", run: hybrid, seeds: EncodingSeeds.hybrids),
  ]

  private static func target(_ name: String, _ encoding: Encoding, _ types: String) -> FuzzTarget {
    let leaves = types.split(separator: " ").compactMap { Self.leaves[String($0)] }
    return FuzzTarget(
      name: name,
      run: { (bytes) throws(BrokenLaw) in try Self.page(bytes, encoding, leaves) },
      seeds: { try EncodingSeeds.pages(encoding, leaves) })
  }

  static let leaves: [String: ParquetLeaf] = {
    let types: [(String, ColumnType)] = [
      ("boolean", .boolean), ("int32", .int32), ("int64", .int64), ("float", .float),
      ("double", .double), ("decimal", .decimal(precision: 12, scale: 2)), ("string", .string),
      ("binary", .binary), ("fixed", .fixed(byteCount: 5)),
    ]
    let fields = types.map { ColumnField($0.0, $0.1, isNullable: false) }
    let schema = try? ParquetSchema(fields: fields)
    return Dictionary(uniqueKeysWithValues: zip(types.map(\.0), schema?.leaves ?? []))
  }()

  // MARK: Pages

  static func page(
    _ bytes: Buffer, _ encoding: Encoding, _ leaves: [ParquetLeaf]
  ) throws(BrokenLaw) {
    var choices = FuzzChoices(bytes)
    let leaf = choices.pick(leaves)
    let count = choices.byte() + (choices.byte() & 15) << 8
    let cut = count == 0 ? 0 : choices.byte() % (count + 1)
    let page = Page(
      leaf: leaf, encoding: encoding, values: choices.rest,
      dictionary: encoding == .rleDictionary ? EncodingSeeds.dictionary(leaf) : nil)
    let whole = page.decode([.take(count)])
    let parts = page.decode([.take(cut), .take(count - cut)])
    try hold((whole == nil) == (parts == nil), "values by parts end otherwise")
    guard let whole, let parts else { return }
    try hold(whole.isEqual(to: parts), "values by parts are others")
    guard let behind = page.decode([.skip(cut), .take(count - cut)]) else {
      throw BrokenLaw("values that were read are not skipped")
    }
    try hold(whole.slice(cut..<count).isEqual(to: behind), "values behind skipped ones are others")
    guard count > 0, let encoded = EncodingSeeds.encode(whole, leaf, encoding) else { return }
    let again = Page(
      leaf: leaf, encoding: encoding, values: encoded, dictionary: page.dictionary)
    guard let read = again.decode([.take(count)]) else { throw BrokenLaw("not read back") }
    try hold(read.isEqual(to: whole), "values change when they are read back")
  }

  private struct Page {
    let leaf: ParquetLeaf
    let encoding: Encoding
    let values: Buffer
    let dictionary: Column?

    enum Step {
      case take(Int)
      case skip(Int)
    }

    /// The values taken; nil if an error of the format ends it.
    func decode(_ steps: [Step]) -> Column? {
      attempt { () throws(ByteError) in
        let workspace = DecodeWorkspace()
        var reader = PageValues(leaf, encoding, values, at: 0)
        var taken = DenseValues(
          type: leaf.columnType, capacity: 16, limit: FuzzLimits.decoding.blockByteCount)
        var count = 0
        for step in steps {
          switch step {
          case .take(let n):
            try reader.decode(n, dictionary: dictionary, into: &taken, workspace)
            count += n
          case .skip(let n):
            try reader.skip(n, limit: FuzzLimits.decoding.blockByteCount)
          }
        }
        return try taken.finish(nil, rowCount: count)
      }
    }
  }

  // MARK: Bits

  /// input := width, count, packed values. Laws: 32 and 64 bits read alike; packed again they are
  /// the bytes they were.
  static func bitPacked(_ bytes: Buffer) throws(BrokenLaw) {
    var choices = FuzzChoices(bytes)
    let width = choices.below(66)
    let count = choices.byte() * 3
    let packed = choices.rest
    var wide = MutableBuffer(byteCount: count * 8)
    var wideSpan = wide.mutableValues(as: UInt64.self)
    let isWide: Void? = attempt { () throws(ByteError) in
      try BitPacking.unpack(packed.bytes, width: width, into: &wideSpan)
    }
    guard isWide != nil else { return }
    var again = MutableBuffer()
    BitPacking.pack(wide.values(as: UInt64.self), width: width, into: &again)
    let length = BitPacking.byteCount(of: count, width: width)
    try hold(again.count == length, "packed to another size")
    let whole = count * width / 8
    try hold(
      again.bytes.extracting(0..<whole).hasSameBytes(as: packed.bytes.extracting(0..<whole)),
      "packed to other bytes")
    guard width <= 32 else { return }
    var narrow = MutableBuffer(byteCount: count * 4)
    var narrowSpan = narrow.mutableValues(as: UInt32.self)
    let isNarrow: Void? = attempt { () throws(ByteError) in
      try BitPacking.unpack(packed.bytes, width: width, into: &narrowSpan)
    }
    try hold(isNarrow != nil, "32 bits are not read")
    let (a, b) = (narrow.values(as: UInt32.self), wide.values(as: UInt64.self))
    for i in a.indices { try hold(UInt64(a[i]) == b[i], "value \(i) differs by its type") }
  }

  /// input := width, count, runs. Laws: as of pages.
  static func hybrid(_ bytes: Buffer) throws(BrokenLaw) {
    var choices = FuzzChoices(bytes)
    let width = choices.below(34)
    let count = choices.byte() * 5
    let cut = choices.below(64) % (count + 1)
    let runs = choices.rest
    let whole = codes(runs, width, skip: 0, count)
    guard let whole else { return }
    guard let behind = codes(runs, width, skip: cut, count - cut) else {
      throw BrokenLaw("runs that were read are not skipped")
    }
    try hold(whole.slice(cut * 4..<count * 4) == behind, "values behind skipped ones are others")
    var encoded = MutableBuffer()
    RLEBitPackedEncoder.encode(
      whole.values(as: UInt32.self), bitWidth: width, into: &encoded)
    try hold(codes(encoded.freeze(), width, skip: 0, count) == whole, "not read back")
  }

  private static func codes(_ runs: Buffer, _ width: Int, skip: Int, _ count: Int) -> Buffer? {
    attempt { () throws(ByteError) in
      var decoder = try RLEBitPackedDecoder(runs, bitWidth: width)
      try decoder.skip(skip)
      var output = MutableBuffer(byteCount: count * 4)
      var span = output.mutableValues(as: UInt32.self)
      try decoder.decode(into: &span, 0..<count)
      return output.freeze()
    }
  }
}
