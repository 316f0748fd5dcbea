// SPDX-License-Identifier: Apache-2.0
internal import Avro
public import Bytes

/// The manifests of a snapshot, and the file that lists them.
///
/// Its blocks are kept as they lie in the file, so that the next snapshot's list copies what stays
/// (see ``ManifestListWriter``).
///
/// Source: Iceberg spec, "Manifest Lists".
public struct ManifestList: Sendable {
  /// The whole file.
  public let bytes: Buffer
  let schema: AvroSchema
  let blocks: [Block]

  /// Some of the manifests, as the file has them.
  struct Block: Sendable {
    let raw: AvroRawBlock
    let manifests: [ManifestFile]
  }

  /// All manifests, in the order of the file. Cost: O(n), made anew with each call.
  public var manifests: [ManifestFile] { blocks.flatMap(\.manifests) }
  /// How many there are. Cost: O(number of blocks).
  public var count: Int { blocks.reduce(0) { $0 + $1.manifests.count } }

  /// The list that `bytes` are, of any format version, fields found by their ids.
  ///
  /// - Throws: ``IcebergError/avro(_:in:)``,
  ///   ``IcebergError/checksumMismatch(_:recorded:computed:)`` or ``IcebergError/malformed(_:at:expected:found:)``.
  public init(_ bytes: Buffer, limits: DecodeLimits = .standard) throws(IcebergError) {
    try FileChecksum.verify(bytes, as: Self.document)
    var blocks: [Block] = []
    do throws(AvroError) {
      var file = try AvroFileReader(bytes, limits: limits)
      schema = file.header.schema
      let decoder = try ManifestFileDecoder(schema)
      while let raw = try file.nextRawBlock() {
        let block = try file.inflate(raw)
        var avro = AvroDecoder(block.bytes.bytes)
        var manifests: [ManifestFile] = []
        manifests.reserveCapacity(block.recordCount)
        for _ in 0..<block.recordCount { manifests.append(try decoder.decode(&avro)) }
        try avro.finish()
        blocks.append(Block(raw: raw, manifests: manifests))
      }
    } catch { throw .avro(error, in: Self.document) }
    for block in blocks {
      for manifest in block.manifests { try Self.check(manifest) }
    }
    self.bytes = bytes
    self.blocks = blocks
  }

  static let document = "manifest list"

  private static func check(_ manifest: ManifestFile) throws(IcebergError) {
    guard manifest.byteCount >= 0 else {
      throw .malformed(
        document, at: "manifest_length", expected: "a size", found: "\(manifest.byteCount)")
    }
    guard (manifest.firstRowID ?? 0) >= 0 else {
      throw .malformed(
        document, at: "first_row_id", expected: "a row id",
        found: "\(manifest.firstRowID ?? 0)")
    }
  }
}

extension ManifestFile {
  /// The entry that stands for a manifest a v1 snapshot names without a list.
  ///
  /// `bytes` are the manifest: its header tells the spec. Counts are not known (see
  /// ``Counts/init(of:)``).
  ///
  /// - Throws: ``IcebergError/avro(_:in:)`` if it is no manifest.
  public init(embedded path: String, _ bytes: Buffer, of snapshotID: SnapshotID)
    throws(IcebergError)
  {
    let header: AvroFileHeader
    do { header = try AvroFileHeader(bytes.bytes) } catch { throw .avro(error, in: "manifest") }
    self.init(
      path: path, byteCount: Int64(bytes.count),
      partitionSpecID: PartitionSpecID(
        header.text("partition-spec-id").flatMap { Int32($0) } ?? 0),
      content: .data, sequenceNumber: SequenceNumber(0), minSequenceNumber: SequenceNumber(0),
      addedSnapshotID: snapshotID, counts: .unknown, partitions: nil)
  }
}

/// How to decode the entries of one manifest list, made once of its schema.
struct ManifestFileDecoder {
  private let plan: AvroPlan
  private let summaryPlan: AvroPlan?

  private static let wanted: [AvroWanted] = [
    .string(500), .long(501), .int(502), .int(517), .long(515), .long(516), .long(503),
    .long(504), .long(505), .long(506), .long(512), .long(513), .long(514), .array(507),
    .bytes(519), .long(520),
  ]

  init(_ schema: AvroSchema) throws(AvroError) {
    plan = try AvroPlan(schema, wanted: Self.wanted)
    for id in [500, 501, 502, 503] as [Int32] where plan.missing.contains(id) {
      throw .unresolvable(path: "manifest_file", expected: "field \(id)", found: "nothing")
    }
    if let summary = plan.schema(ofField: 507)?.itemSchema {
      summaryPlan = try AvroPlan(
        summary, wanted: [.boolean(509), .boolean(518), .bytes(510), .bytes(511)])
    } else {
      summaryPlan = nil
    }
  }

  func decode(_ avro: inout AvroDecoder) throws(AvroError) -> ManifestFile {
    var file = ManifestFile(
      path: "", byteCount: -1, partitionSpecID: PartitionSpecID(0), content: .data,
      sequenceNumber: SequenceNumber(0), minSequenceNumber: SequenceNumber(0),
      addedSnapshotID: SnapshotID(-1), counts: .unknown, partitions: nil)
    var at = AvroPlan.Position()
    while let field = try avro.nextField(of: plan, at: &at) {
      switch field.id {
      case 500: file.path = try avro.readString()
      case 501: file.byteCount = try avro.readLong()
      case 502: file.partitionSpecID = PartitionSpecID(try avro.readInt())
      case 517: file.content = try content(&avro)
      case 515: file.sequenceNumber = SequenceNumber(try avro.readLong())
      case 516: file.minSequenceNumber = SequenceNumber(try avro.readLong())
      case 503: file.addedSnapshotID = SnapshotID(try avro.readLong())
      case 507: file.partitions = try summaries(&avro)
      case 519: file.keyMetadata = try avro.readBytes().array()
      case 520: file.firstRowID = try avro.readLong()
      default: file.counts.set(field.id, try avro.readLong())
      }
    }
    return file
  }

  private func content(_ avro: inout AvroDecoder) throws(AvroError) -> ManifestFile.Content {
    let offset = avro.offset
    let number = try avro.readInt()
    guard let content = ManifestFile.Content(rawValue: Int(number)) else {
      throw .malformed(offset: offset, expected: "content 0 or 1", found: "\(number)")
    }
    return content
  }

  private func summaries(_ avro: inout AvroDecoder) throws(AvroError) -> [FieldSummary]? {
    guard let plan = summaryPlan else { return nil }
    var summaries: [FieldSummary] = []
    while case let count = try avro.readBlockCount(elementByteCount: plan.minimumByteCount),
      count > 0
    {
      for _ in 0..<count { summaries.append(try summary(plan, &avro)) }
    }
    return summaries
  }

  private func summary(
    _ plan: AvroPlan, _ avro: inout AvroDecoder
  ) throws(AvroError) -> FieldSummary {
    // Whether there are nulls must be told; if it is not, there may be.
    var summary = FieldSummary(
      containsNull: true, containsNaN: nil, lowerBound: nil, upperBound: nil)
    var at = AvroPlan.Position()
    while let field = try avro.nextField(of: plan, at: &at) {
      switch field.id {
      case 509: summary.containsNull = try avro.readBoolean()
      case 518: summary.containsNaN = try avro.readBoolean()
      case 510: summary.lowerBound = try avro.readBytes().array()
      default: summary.upperBound = try avro.readBytes().array()
      }
    }
    return summary
  }
}

extension ManifestFile.Counts {
  /// Sets the count that field `id` of a manifest list is; a negative one says nothing.
  fileprivate mutating func set(_ id: Int32, _ count: Int64) {
    let count = count >= 0 ? count : nil
    switch id {
    case 504: addedFiles = count
    case 505: existingFiles = count
    case 506: deletedFiles = count
    case 512: addedRows = count
    case 513: existingRows = count
    default: deletedRows = count
    }
  }
}
