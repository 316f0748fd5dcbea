// SPDX-License-Identifier: Apache-2.0

/// A data or delete file of a table, as manifests tell of it: where it is and what is in it.
///
/// Source: Iceberg spec, "Manifests", `data_file`.
public struct DataFile: Hashable, Sendable {
  public enum Content: Int, Hashable, Sendable {
    case data = 0
    /// A position delete file or, in a Puffin file, a deletion vector.
    case positionDeletes = 1
    case equalityDeletes = 2
  }

  public var content: Content
  /// The full URI; two files are the same one if these are equal, byte for byte.
  public var path: String
  public var format: FileFormat
  public var partition: PartitionValues
  /// How many rows; of a deletion vector, how many positions it deletes.
  public var recordCount: Int64
  /// Of the whole file, also if only a blob of it is meant.
  public var byteCount: Int64
  /// By ascending field id. A field that is missing, or a number that is nil, is unknown.
  public var metrics: ColumnMetricsList
  /// Ascending offsets at which the file can be split; nil if unknown.
  public var splitOffsets: [Int64]?
  /// The fields by whose values rows are deleted; of equality deletes only.
  public var equalityIDs: [FieldID]?
  /// How the rows are sorted; nil if unknown, and of position deletes.
  public var sortOrderID: SortOrderID?
  /// v3: `_row_id` of the first row; of data files only.
  public var firstRowID: Int64?
  /// The one data file all deletes refer to; always there of a deletion vector.
  public var referencedDataFile: String?
  /// v3: where in the file the deletion vector lies.
  public var contentRange: ContentRange?
  /// What an encryption scheme needs to decrypt the file.
  public var keyMetadata: [UInt8]?

  /// When this process wrote the file; nothing of a file that was there before.
  package var writeTime = WriteTime()

  /// A time that is no part of what a file is: it is not kept, and two files are equal without it.
  package struct WriteTime: Hashable, Sendable {
    /// Since 1970, by the wall clock.
    package let milliseconds: Int64?

    package init(milliseconds: Int64? = nil) { self.milliseconds = milliseconds }

    package static func == (a: WriteTime, b: WriteTime) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
  }

  /// A part of a file, in bytes.
  public struct ContentRange: Hashable, Sendable {
    public let offset: Int64
    public let byteCount: Int64

    public init(offset: Int64, byteCount: Int64) {
      self.offset = offset
      self.byteCount = byteCount
    }
  }

  public init(
    content: Content = .data, path: String, format: FileFormat, partition: PartitionValues,
    recordCount: Int64, byteCount: Int64, metrics: ColumnMetricsList = .unknown,
    splitOffsets: [Int64]? = nil, equalityIDs: [FieldID]? = nil, sortOrderID: SortOrderID? = nil,
    firstRowID: Int64? = nil, referencedDataFile: String? = nil,
    contentRange: ContentRange? = nil, keyMetadata: [UInt8]? = nil
  ) {
    self.content = content
    self.path = path
    self.format = format
    self.partition = partition
    self.recordCount = recordCount
    self.byteCount = byteCount
    self.metrics = metrics
    self.splitOffsets = splitOffsets
    self.equalityIDs = equalityIDs
    self.sortOrderID = sortOrderID
    self.firstRowID = firstRowID
    self.referencedDataFile = referencedDataFile
    self.contentRange = contentRange
    self.keyMetadata = keyMetadata
  }

  /// True if this is a blob of a Puffin file that deletes rows of one data file.
  public var isDeletionVector: Bool { content == .positionDeletes && format == .puffin }

  /// The offsets a scan may split the file at: none if the list can't be true.
  ///
  /// They must ascend and lie within the file. Java ignores a list whose last offset does not.
  public var usableSplitOffsets: [Int64]? {
    guard let splitOffsets, let first = splitOffsets.first, let last = splitOffsets.last,
      first >= 0, last < byteCount
    else { return nil }
    for i in 1..<max(1, splitOffsets.count) where splitOffsets[i] <= splitOffsets[i - 1] {
      return nil
    }
    return splitOffsets
  }
}

/// The format of a data or delete file.
public enum FileFormat: Hashable, Sendable {
  case parquet, avro, orc, puffin
  /// One this engine does not know, kept as it is spelled.
  case unknown(String)

  /// Of a name in any case.
  public init(_ name: String) {
    // What nearly all writers write: lower-casing takes longer than all else of an entry's path.
    if name == "PARQUET" {
      self = .parquet
      return
    }
    self =
      switch name.lowercased() {
      case "parquet": .parquet
      case "avro": .avro
      case "orc": .orc
      case "puffin": .puffin
      default: .unknown(name)
      }
  }

  /// As manifests have it; the reference implementation writes upper case and reads any.
  public var name: String {
    switch self {
    case .parquet: "PARQUET"
    case .avro: "AVRO"
    case .orc: "ORC"
    case .puffin: "PUFFIN"
    case .unknown(let name): name
    }
  }
}

/// The partition a file belongs to: a value, or null, for each field of a spec, in its order.
///
/// Values of different specs are compared by field id (see ``subscript(_:in:)``); those of one spec
/// are equal where the spec says partitions are: NaN equals NaN, and -0.0 does not equal 0.0.
public struct PartitionValues: Hashable, Sendable {
  public let specID: PartitionSpecID
  public let values: [Value?]

  public init(specID: PartitionSpecID, values: [Value?]) {
    self.specID = specID
    self.values = values
  }

  /// The one partition of an unpartitioned spec.
  public static func unpartitioned(
    _ specID: PartitionSpecID = PartitionSpecID(0)
  ) -> PartitionValues {
    PartitionValues(specID: specID, values: [])
  }

  /// The value of the partition field `id` of `spec`, which must be the spec of these values.
  ///
  /// Two levels of nil: the field is not of this spec, and its value is null.
  public subscript(_ id: FieldID, in spec: PartitionSpec) -> Value?? {
    guard spec.id == specID, let index = spec.fields.firstIndex(where: { $0.fieldID == id }),
      index < values.count
    else { return nil }
    return .some(values[index])
  }
}
