// SPDX-License-Identifier: Apache-2.0
internal import Iceberg
internal import JSON

/// Reads data and delete files as servers tell of them.
///
/// Bounds of columns are passed over: some servers send them as values and others as the bytes of
/// values, and which it is can't be told of text. Files were chosen by them already.
///
/// Source: Iceberg, `rest-catalog-open-api.yaml`, `ContentFile`.
struct ContentFileDecoder {
  let metadata: TableMetadata
  private var layouts: [PartitionSpecID: PartitionLayout] = [:]

  init(_ metadata: TableMetadata) { self.metadata = metadata }

  /// - Throws: ``RESTFailure/unreadable(_:)`` if `json` is no such file of the table.
  mutating func file(_ json: JSONValue) throws(RESTFailure) -> DataFile {
    let message = try Message(json, "a file of the plan")
    let content = try content(message)
    let specID = PartitionSpecID(Int32(clamping: try message.count("spec-id")))
    var file = DataFile(
      content: content, path: try message.string("file-path"),
      format: FileFormat(try message.string("file-format")),
      partition: PartitionValues(
        specID: specID, values: try partition(json["partition"], try layout(specID))),
      recordCount: try message.count("record-count"),
      byteCount: try message.count("file-size-in-bytes"))
    file.metrics = try metrics(message)
    file.splitOffsets = try message.optionalCounts("split-offsets")
    file.sortOrderID = try message.optionalCount("sort-order-id").map {
      SortOrderID(Int32(clamping: $0))
    }
    try readContent(message, into: &file)
    return file
  }

  private func content(_ message: Message) throws(RESTFailure) -> DataFile.Content {
    switch try message.string("content").lowercased() {
    case "data": return .data
    // Iceberg Java wrote underscores up to 1.10.
    case "position-deletes", "position_deletes": return .positionDeletes
    case "equality-deletes", "equality_deletes": return .equalityDeletes
    case let text: throw .unreadable("a file of the plan has the content '\(text)'")
    }
  }

  /// What only files of a content have.
  private func readContent(_ message: Message, into file: inout DataFile) throws(RESTFailure) {
    if let text = message.json["key-metadata"], text != .null {
      guard case .bytes(let bytes)? = try value(text, .binary) else { return }
      file.keyMetadata = bytes
    }
    switch file.content {
    case .data: file.firstRowID = try message.optionalCount("first-row-id")
    case .equalityDeletes:
      guard let ids = try message.optionalCounts("equality-ids"), !ids.isEmpty else {
        throw .unreadable("equality deletes of the plan tell no columns")
      }
      file.equalityIDs = ids.map { FieldID(Int32(clamping: $0)) }
    case .positionDeletes:
      file.referencedDataFile = try message.optionalString("referenced-data-file")
      if let offset = try message.optionalCount("content-offset"),
        let byteCount = try message.optionalCount("content-size-in-bytes")
      {
        file.contentRange = DataFile.ContentRange(offset: offset, byteCount: byteCount)
      }
      guard !file.isDeletionVector || file.contentRange != nil else {
        throw .unreadable("a deletion vector of the plan has no place in its file")
      }
    }
  }

  // MARK: partitions

  private mutating func layout(_ id: PartitionSpecID) throws(RESTFailure) -> PartitionLayout {
    if let known = layouts[id] { return known }
    do throws(IcebergError) {
      let layout = try metadata.partitionLayout(id)
      layouts[id] = layout
      return layout
    } catch {
      throw .unreadable("a file of the plan: \(error)")
    }
  }

  /// The values in the order of the spec's fields or, as Iceberg Java wrote them up to 1.10, by
  /// field id, nulls left out.
  private func partition(
    _ json: JSONValue?, _ layout: PartitionLayout
  ) throws(RESTFailure) -> [Value?] {
    let fields = layout.spec.fields
    guard fields.count == layout.types.count else {
      throw .unreadable("a file of the plan is of a spec that is not understood")
    }
    var values: [Value?] = []
    switch json {
    case .array(let elements) where elements.count == fields.count:
      for (element, type) in zip(elements, layout.types) { values.append(try value(element, type)) }
    case .object(let members) where members.count <= fields.count:
      for (field, type) in zip(fields, layout.types) {
        let member = members.first { $0.key == "\(field.fieldID.rawValue)" }
        values.append(try value(member?.value ?? .null, type))
      }
    case nil where fields.isEmpty: break
    default:
      throw .unreadable(
        "a file of the plan has not the \(fields.count) partition values of its spec")
    }
    return values
  }

  private func value(_ json: JSONValue, _ type: PrimitiveType) throws(RESTFailure) -> Value? {
    do throws(IcebergError) {
      return try Value.decode(json, as: .primitive(type))
    } catch {
      throw .unreadable("a file of the plan: \(error)")
    }
  }

  // MARK: metrics

  private func metrics(_ message: Message) throws(RESTFailure) -> ColumnMetricsList {
    var columns: [FieldID: ColumnMetrics] = [:]
    for (id, count) in try counts("column-sizes", message) {
      columns[id, default: ColumnMetrics(fieldID: id)].byteCount = count
    }
    for (id, count) in try counts("value-counts", message) {
      columns[id, default: ColumnMetrics(fieldID: id)].valueCount = count
    }
    for (id, count) in try counts("null-value-counts", message) {
      columns[id, default: ColumnMetrics(fieldID: id)].nullCount = count
    }
    for (id, count) in try counts("nan-value-counts", message) {
      columns[id, default: ColumnMetrics(fieldID: id)].nanCount = count
    }
    return ColumnMetricsList(Array(columns.values))
  }

  /// A map of counts by column: two arrays of the same length.
  private func counts(
    _ name: String, _ message: Message
  ) throws(RESTFailure) -> [(FieldID, Int64)] {
    guard let map = message.json[name], map != .null else { return [] }
    let sides = try Message(map, "'\(name)' of a file of the plan")
    let keys = try sides.optionalCounts("keys") ?? []
    let values = try sides.optionalCounts("values") ?? []
    guard keys.count == values.count else {
      throw .unreadable("'\(name)' of a file of the plan has not as many keys as values")
    }
    return zip(keys, values).map { (FieldID(Int32(clamping: $0)), $1) }
  }
}

extension Message {
  /// A number that counts something.
  func count(_ key: String) throws(RESTFailure) -> Int64 {
    guard let count = try optionalCount(key) else { throw wrong(key, "a count") }
    return count
  }

  func optionalCount(_ key: String) throws(RESTFailure) -> Int64? {
    guard let value = json[key], value.kind != .null else { return nil }
    guard let count = value.integer, count >= 0 else { throw wrong(key, "a count") }
    return count
  }

  func optionalCounts(_ key: String) throws(RESTFailure) -> [Int64]? {
    guard let value = json[key], value.kind != .null else { return nil }
    guard let elements = value.elements else { throw wrong(key, "an array of counts") }
    var counts: [Int64] = []
    counts.reserveCapacity(elements.count)
    for element in elements {
      guard let count = element.integer, count >= 0 else { throw wrong(key, "an array of counts") }
      counts.append(count)
    }
    return counts
  }
}
