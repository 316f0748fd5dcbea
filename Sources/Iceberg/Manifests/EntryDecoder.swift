// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import Bytes

/// An entry as it stands in a manifest, nothing filled in.
struct RawEntry {
  var status: Int32?
  var snapshotID: Int64?
  var sequenceNumber: Int64?
  var fileSequenceNumber: Int64?
  var content: Int32 = 0
  var path: String?
  var format: FileFormat?
  /// Where the partition lies, from the start of the record.
  var partitionRange: Range<Int>?
  var recordCount: Int64?
  var byteCount: Int64?
  var metrics = ColumnMetricsList.unknown
  var keyMetadata: [UInt8]?
  var splitOffsets: [Int64]?
  var equalityIDs: [FieldID]?
  var sortOrderID: Int32?
  var firstRowID: Int64?
  var referencedDataFile: String?
  var contentOffset: Int64?
  var contentByteCount: Int64?
}

/// How to decode the entries of one file, made once of its schema.
struct EntryDecoder: Sendable {
  private let plan: AvroPlan
  private let metrics: MetricsDecoder
  private let partition: PartitionDecoder

  init(
    _ schema: AvroSchema, _ layout: PartitionLayout, _ projection: ManifestProjection.Metrics
  ) throws(AvroError) {
    let metrics = MetricsDecoder.wanted(for: projection)
    plan = try AvroPlan(schema, wanted: Self.wanted + metrics)
    self.metrics = try MetricsDecoder(plan, projection)
    partition = try PartitionDecoder(plan.schema(ofField: 102), layout)
  }

  private static let wanted: [AvroWanted] = [
    .int(0), .long(1), .long(3), .long(4), .int(134), .string(100), .string(101), .record(102),
    .long(103), .long(104), .bytes(131), .array(132), .array(135), .int(140), .long(142),
    .string(143), .long(144), .long(145),
  ]

  func decode(_ avro: inout AvroDecoder, into entry: inout RawEntry) throws(AvroError) {
    var at = AvroPlan.Position()
    var collector = MetricsCollector()
    while let field = try avro.nextField(of: plan, at: &at) {
      switch field.id {
      case 0: entry.status = try avro.readInt()
      case 1: entry.snapshotID = try avro.readLong()
      case 3: entry.sequenceNumber = try avro.readLong()
      case 4: entry.fileSequenceNumber = try avro.readLong()
      case 134: entry.content = try avro.readInt()
      case 100: entry.path = try avro.readString()
      case 101: entry.format = FileFormat(try avro.readString())
      case 102:
        let start = avro.offset
        try partition.skip(&avro)
        entry.partitionRange = start..<avro.offset
      case 103: entry.recordCount = try avro.readLong()
      case 104: entry.byteCount = try avro.readLong()
      case 131: entry.keyMetadata = try avro.readBytes().array()
      case 132: entry.splitOffsets = try avro.readLongs()
      case 135: entry.equalityIDs = try avro.readFieldIDs()
      case 140: entry.sortOrderID = try avro.readInt()
      case 142: entry.firstRowID = try avro.readLong()
      case 143: entry.referencedDataFile = try avro.readString()
      case 144: entry.contentOffset = try avro.readLong()
      case 145: entry.contentByteCount = try avro.readLong()
      default: try metrics.decode(field.id, &avro, into: &collector)
      }
    }
    entry.metrics = collector.finish()
  }

  func decodePartition(_ avro: inout AvroDecoder) throws(AvroError) -> PartitionValues {
    try partition.decode(&avro)
  }
}

extension AvroDecoder {
  mutating func readLongs() throws(AvroError) -> [Int64] {
    var values: [Int64] = []
    while case let count = try readBlockCount(elementByteCount: 1), count > 0 {
      for _ in 0..<count { values.append(try readLong()) }
    }
    return values
  }

  /// Field ids; a writer that took longs for them is forgiven, their encoding being the same.
  mutating func readFieldIDs() throws(AvroError) -> [FieldID] {
    var values: [FieldID] = []
    while case let count = try readBlockCount(elementByteCount: 1), count > 0 {
      for _ in 0..<count { values.append(FieldID(try readInt())) }
    }
    return values
  }
}

// MARK: - Partitions

/// How to decode partition tuples of one file: fields by id, values of the spec's types.
struct PartitionDecoder: Sendable {
  private let fields: [AvroRecordLayout.Field]
  /// For each field of the file: which field of the spec it is; nil if it is none.
  private let targets: [Int?]
  private let layout: PartitionLayout

  init(_ schema: AvroSchema?, _ layout: PartitionLayout) throws(AvroError) {
    guard let record = schema?.record else {
      throw .unresolvable(path: "data_file.partition", expected: "record", found: "nothing")
    }
    fields = AvroRecordLayout(record).fields
    self.layout = layout
    let ids = layout.spec.fields.map(\.fieldID.rawValue)
    targets = fields.enumerated().map { i, field in
      // Some early v1 writers gave no ids: there, place tells.
      guard let id = field.id else { return i < ids.count ? i : nil }
      return ids.firstIndex(of: id)
    }
  }

  func skip(_ avro: inout AvroDecoder) throws(AvroError) {
    for field in fields { try avro.skip(field.skipper) }
  }

  func decode(_ avro: inout AvroDecoder) throws(AvroError) -> PartitionValues {
    var values: [Value?] = Array(repeating: nil, count: layout.types.count)
    for (field, target) in zip(fields, targets) {
      guard let target else {
        try avro.skip(field.skipper)
        continue
      }
      guard try avro.readIsPresent(field) else { continue }
      values[target] = try avro.readPartitionValue(field.schema, as: layout.types[target])
    }
    return PartitionValues(specID: layout.spec.id, values: values)
  }
}

extension AvroDecoder {
  /// A partition value of `type`, which may be wider than it was when the file was written.
  fileprivate mutating func readPartitionValue(
    _ schema: AvroSchema, as type: PrimitiveType
  ) throws(AvroError) -> Value? {
    switch schema.kind {
    case .null: return nil
    case .boolean: return .boolean(try readBoolean())
    case .int:
      let value = try readInt()
      return type == .long ? .long(Int64(value)) : .int(value)
    case .long:
      let value = try readLong()
      // `int` and `date` fit; a writer that took longs for them is forgiven.
      guard type == .int || type == .date, let narrow = Int32(exactly: value) else {
        return .long(value)
      }
      return .int(narrow)
    case .float:
      let value = try readFloat()
      return type == .double ? .double(Double(value)) : .float(value)
    case .double: return .double(try readDouble())
    case .string: return .string(try readString())
    case .bytes: return try value(of: try readBytes(), type)
    case .fixed(let fixed): return try value(of: try readFixed(fixed.byteCount), type)
    case .enumeration, .array, .map, .union, .record:
      throw .unresolvable(
        path: "data_file.partition", expected: "\(type)", found: schema.typeName.rawValue)
    }
  }

  private func value(of bytes: RawSpan, _ type: PrimitiveType) throws(AvroError) -> Value {
    guard case .decimal = type else { return .bytes(bytes.array()) }
    guard let number = TwosComplement.value(bytes) else {
      throw .malformed(
        offset: offset, expected: "a \(type)", found: "\(bytes.byteCount) bytes")
    }
    return .decimal(number)
  }
}
