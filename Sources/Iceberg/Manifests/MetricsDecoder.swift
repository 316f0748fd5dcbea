// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import Bytes

/// How to decode the metrics maps of one file: arrays of keys and values.
struct MetricsDecoder: Sendable {
  /// The maps there are, those that `projection` leaves out aside.
  static func wanted(for projection: ManifestProjection.Metrics) -> [AvroWanted] {
    let counts: [AvroWanted] = [.array(109), .array(110), .array(137), .array(125), .array(128)]
    return switch projection {
    case .none: []
    case .of: counts
    case .all: [.array(108)] + counts
    }
  }

  /// How the pairs of one map are laid out.
  private struct Pairs: Sendable {
    let plan: AvroPlan
    let keyID: Int32
    let valueID: Int32
    /// The pair is an int and then its value, neither of them optional: nothing to look up.
    let isPlain: Bool
  }

  /// A map whose pairs are plain.
  private struct PlainMap: BitwiseCopyable {
    let id: Int32
    let pairByteCount: Int
  }

  private let pairs: [Int32: Pairs]
  /// Apart from the others, since a copy of ``Pairs`` for each map of each entry counts references.
  private let plain: [PlainMap]
  private let only: [FieldID]?

  init(_ plan: AvroPlan, _ projection: ManifestProjection.Metrics) throws(AvroError) {
    switch projection {
    case .of(let ids): only = ids.sorted()
    case .none, .all: only = nil
    }
    var pairs: [Int32: Pairs] = [:]
    for (map, keyID, valueID) in [
      (108, 117, 118), (109, 119, 120), (110, 121, 122), (137, 138, 139), (125, 126, 127),
      (128, 129, 130),
    ] as [(Int32, Int32, Int32)] {
      guard let items = plan.schema(ofField: map)?.itemSchema else { continue }
      let value: AvroWanted = map == 125 || map == 128 ? .bytes(valueID) : .long(valueID)
      let fields = items.record?.fields ?? []
      let kinds = fields.map(\.schema.kind)
      let isPlain =
        fields.map(\.fieldID) == [keyID, valueID]
        && [[.int, .long], [.int, .bytes]].contains(kinds)
      pairs[map] = Pairs(
        plan: try AvroPlan(items, wanted: [.int(keyID), value]), keyID: keyID, valueID: valueID,
        isPlain: isPlain)
    }
    self.pairs = pairs
    plain = pairs.filter(\.value.isPlain).map { map, pairs in
      PlainMap(id: map, pairByteCount: pairs.plan.minimumByteCount)
    }
  }

  func decode(
    _ map: Int32, _ avro: inout AvroDecoder, into metrics: inout MetricsCollector
  ) throws(AvroError) {
    metrics.begin()
    for plain in plain where plain.id == map {
      let least = plain.pairByteCount
      while case let count = try avro.readBlockCount(elementByteCount: least), count > 0 {
        for _ in 0..<count {
          let key = FieldID(try avro.readInt())
          try readValue(map, key, &avro, into: &metrics)
        }
      }
      return
    }
    guard let layout = pairs[map] else { return }
    let least = layout.plan.minimumByteCount
    while case let count = try avro.readBlockCount(elementByteCount: least), count > 0 {
      for _ in 0..<count { try readPair(map, layout, &avro, into: &metrics) }
    }
  }

  /// A pair whose key need not come first, and whose parts may be missing.
  private func readPair(
    _ map: Int32, _ layout: Pairs, _ avro: inout AvroDecoder, into metrics: inout MetricsCollector
  ) throws(AvroError) {
    var at = AvroPlan.Position()
    var key: FieldID?
    var number: Int64?
    var bytes: [UInt8]?
    while let field = try avro.nextField(of: layout.plan, at: &at) {
      if field.id == layout.keyID {
        key = FieldID(try avro.readInt())
      } else if map == 125 || map == 128 {
        bytes = try avro.readBytes().array()
      } else {
        number = try avro.readLong()
      }
    }
    guard let key, isWanted(key) else { return }
    if let number { metrics.set(map, key, number) }
    if let bytes { metrics.set(map, key, bytes) }
  }

  private func readValue(
    _ map: Int32, _ key: FieldID, _ avro: inout AvroDecoder, into metrics: inout MetricsCollector
  ) throws(AvroError) {
    if map == 125 || map == 128 {
      let bytes = try avro.readBytes()
      if isWanted(key) { metrics.set(map, key, bytes.array()) }
    } else {
      let number = try avro.readLong()
      if isWanted(key) { metrics.set(map, key, number) }
    }
  }

  private func isWanted(_ id: FieldID) -> Bool {
    guard let only else { return true }
    // A scan has predicates on few columns: a search would take longer.
    for candidate in only where candidate == id { return true }
    return false
  }
}

/// Brings the numbers of several maps together by column.
struct MetricsCollector {
  private var columns: [ColumnMetrics] = []
  /// Where the next key is, if this map has its keys in the order of the first.
  private var expected = 0
  /// Where each column is; made once keys come in another order.
  private var positions: [FieldID: Int] = [:]
  private var isIndexed = false

  /// Another map begins.
  mutating func begin() { expected = 0 }

  mutating func set(_ map: Int32, _ key: FieldID, _ number: Int64) {
    let i = position(of: key)
    // A negative count says nothing.
    guard number >= 0 else { return }
    switch map {
    case 108: columns[i].byteCount = number
    case 109: columns[i].valueCount = number
    case 110: columns[i].nullCount = number
    default: columns[i].nanCount = number
    }
  }

  mutating func set(_ map: Int32, _ key: FieldID, _ bound: [UInt8]) {
    let i = position(of: key)
    if map == 125 { columns[i].lowerBound = bound } else { columns[i].upperBound = bound }
  }

  private mutating func position(of key: FieldID) -> Int {
    if expected < columns.count, columns[expected].fieldID == key {
      expected += 1
      return expected - 1
    }
    if expected == columns.count, !isIndexed, (columns.last.map { $0.fieldID < key } ?? true) {
      columns.append(ColumnMetrics(fieldID: key))
      expected += 1
      return expected - 1
    }
    return search(key)
  }

  private mutating func search(_ key: FieldID) -> Int {
    if !isIndexed {
      for (i, column) in columns.enumerated() { positions[column.fieldID] = i }
      isIndexed = true
    }
    let found = positions[key]
    let i = found ?? columns.count
    if found == nil {
      positions[key] = i
      columns.append(ColumnMetrics(fieldID: key))
    }
    expected = i + 1
    return i
  }

  mutating func finish() -> ColumnMetricsList {
    guard !columns.isEmpty else { return .unknown }
    if isIndexed { columns.sort { $0.fieldID < $1.fieldID } }
    return ColumnMetricsList(sorted: columns)
  }
}
