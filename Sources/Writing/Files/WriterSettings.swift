// SPDX-License-Identifier: Apache-2.0
internal import Codecs
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Parquet

/// What a table's properties say of how its data files are written.
struct WriterSettings: Sendable {
  var options: WriterOptions
  let metrics: MetricsModes
  let targetFileByteCount: Int64

  /// - Parameter isKeyed: rows are found by a key, also if the schema does not say so.
  init(
    _ metadata: TableMetadata, schema: Schema, isKeyed: Bool = false
  ) throws(CommitError) {
    do throws(IcebergError) {
      let properties = metadata.properties
      metrics = try MetricsModes(
        schema: schema, sortOrder: metadata.defaultSortOrder, properties: properties.values)
      targetFileByteCount = Int64(try properties.value(of: .targetFileByteCount))
      options = try WriterSettings.options(properties, schema)
      if isKeyed || !schema.identifierFieldIDs.isEmpty {
        // A row that is looked up costs a page of each column, and the dictionary before it.
        options.pageRowCount = Int(
          try properties.setValue(of: .parquetPageRowLimit) ?? Self.keyedPageRowCount)
        options.dictionaryByteCount = Int(
          try properties.setValue(of: .parquetDictionaryByteCount) ?? Self.keyedDictionaryByteCount)
      }
    } catch {
      throw .rejected(error)
    }
  }

  /// What tables have where rows are found by a key, if they are not told otherwise.
  private static let keyedPageRowCount: Int64 = 4_096
  private static let keyedDictionaryByteCount: Int64 = 128 << 10

  private static func options(
    _ properties: TableProperties, _ schema: Schema
  ) throws(IcebergError) -> WriterOptions {
    var options = WriterOptions()
    // Encodings that all engines' vectorised readers have had for years: delta encodings came to
    // Iceberg's for Spark with 1.10 only.
    options.encodings = .widest
    options.rowGroupByteCount = Int(try properties.value(of: .parquetRowGroupByteCount))
    options.pageByteCount = Int(try properties.value(of: .parquetPageByteCount))
    options.pageRowCount = Int(try properties.value(of: .parquetPageRowLimit))
    options.dictionaryByteCount = Int(try properties.value(of: .parquetDictionaryByteCount))
    options.codec = try codec(try properties.value(of: .parquetCompression))
    if let level = try properties.value(of: .parquetCompressionLevel) {
      options.compressionLevel = CompressionLevel(Int(level))
    }
    for (name, value) in properties.values(
      withPrefix: TableProperties.columnBloomFilterPrefix)
    where value == "true" {
      guard schema.field(named: name) != nil else { continue }
      var column = ColumnOptions()
      column.bloomFilter = BloomFilterOptions()
      options.columns[name] = column
    }
    for field in schema.allFields {
      guard let name = schema.name(of: field.id) else { continue }
      options.annotations[name] = annotation(field.type)
    }
    return options
  }

  /// What Parquet is to say of values of `type` beyond how they are stored.
  ///
  /// Source: Iceberg spec, Appendix A, "Parquet".
  private static func annotation(_ type: FieldType) -> ColumnAnnotation? {
    switch type {
    case .primitive(.variant): .variant
    case .primitive(.geometry(let crs)): .geometry(crs: crs)
    case .primitive(.geography(let crs, let algorithm)): .geography(crs: crs, algorithm: algorithm)
    default: nil
    }
  }

  private static func codec(_ name: String) throws(IcebergError) -> Codec {
    switch name {
    case "zstd": return .zstd
    case "snappy": return .snappy
    case "gzip": return .gzip
    case "lz4", "lz4_raw": return .lz4Raw
    case "uncompressed", "none": return .uncompressed
    default: throw .unsupported("compression codec '\(name)'")
    }
  }
}
