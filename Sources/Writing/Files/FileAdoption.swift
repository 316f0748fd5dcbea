// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Scanning
internal import Storage

/// Makes data files of a table out of Parquet files that are there already, not copied.
///
/// The partition of a file is that of its path, where this is `…/column=value/…` as Hive has it, or
/// else the one that all its rows fall in by the bounds of its footer.
struct FileAdoption {
  private let table: Table
  private let mapping: NameMapping
  private let metrics: MetricsModes

  init(_ table: Table, mapping: NameMapping) throws(CommitError) {
    self.table = table
    self.mapping = mapping
    do throws(IcebergError) {
      metrics = try MetricsModes(
        schema: table.metadata.currentSchema, sortOrder: table.metadata.defaultSortOrder,
        properties: table.metadata.properties.values)
    } catch {
      throw .rejected(error)
    }
  }

  /// The data file that the file at `path` is.
  func adopt(_ path: ObjectPath) async throws(CommitError) -> DataFile {
    let spec = table.metadata.defaultPartitionSpec
    let schema = table.metadata.currentSchema
    let named = try HivePath(path.text).values(of: spec, schema)
    let file: AdoptableFile
    do throws(ScanError) {
      file = try await AdoptableFile(
        path, of: table, mapping: mapping, constants: Set(named.keys))
    } catch {
      throw .reading(error)
    }
    var values: [Value?] = []
    for field in spec.fields {
      if let id = field.sourceIDs.first, let value = named[id], field.transform == .identity {
        values.append(value)
      } else {
        values.append(try value(of: field, file, schema))
      }
    }
    return DataFile(
      path: path.text, format: .parquet,
      partition: PartitionValues(specID: spec.id, values: values), recordCount: file.rowCount,
      byteCount: file.byteCount, metrics: metrics(of: file, schema),
      splitOffsets: file.splitOffsets.isEmpty ? nil : file.splitOffsets)
  }

  /// The value of `field` that all rows of the file have.
  private func value(
    of field: PartitionField, _ file: AdoptableFile, _ schema: Schema
  ) throws(CommitError) -> Value? {
    if field.transform == .void { return nil }
    let what = "adding '\(file.path.text)'"
    guard let id = field.sourceIDs.first, let source = schema.field(id)?.type.primitive,
      let facts = file.facts(of: id)
    else {
      throw .rejected(
        .invalid(what, reason: "neither path nor footer tells its partition '\(field.name)'"))
    }
    if facts.nullCount == facts.valueCount { return nil }
    guard facts.nullCount == 0, let lower = facts.lower, let upper = facts.upper else {
      throw .rejected(
        .invalid(what, reason: "its footer does not tell its partition '\(field.name)'"))
    }
    let low = field.transform.apply(to: lower, of: source)
    let isOne =
      field.transform.preservesOrder
      ? low == field.transform.apply(to: upper, of: source) : lower == upper
    guard isOne else {
      throw .rejected(
        .invalid(what, reason: "its rows are in several partitions by '\(field.name)'"))
    }
    return low
  }

  private func metrics(of file: AdoptableFile, _ schema: Schema) -> ColumnMetricsList {
    ColumnMetricsList(
      file.columns.compactMap { facts in
        let mode = metrics.mode(for: facts.id)
        guard mode != .none, let type = schema.field(facts.id)?.type.primitive else { return nil }
        var column = ColumnMetrics(
          fieldID: facts.id, byteCount: facts.byteCount, valueCount: facts.valueCount,
          nullCount: facts.nullCount, nanCount: facts.nanCount)
        guard mode != .counts else { return column }
        column.lowerBound = facts.lower.flatMap {
          BoundTruncation.lower($0, of: type, mode: mode)?.encoded(as: type)
        }
        column.upperBound = facts.upper.flatMap {
          BoundTruncation.upper($0, of: type, mode: mode)?.encoded(as: type)
        }
        return column
      })
  }
}

/// The `column=value` parts of a path.
private struct HivePath {
  private let parts: [(name: String, value: String)]

  init(_ path: String) {
    parts = path.split(separator: "/").dropLast().compactMap { part in
      guard let cut = part.firstIndex(of: "=") else { return nil }
      return (
        Self.decoded(part[..<cut]), Self.decoded(part[part.index(after: cut)...])
      )
    }
  }

  /// The values of columns that identity fields of `spec` are of.
  func values(
    of spec: PartitionSpec, _ schema: Schema
  ) throws(CommitError) -> [FieldID: Value?] {
    var values: [FieldID: Value?] = [:]
    for field in spec.fields where field.transform == .identity {
      guard let id = field.sourceIDs.first, let source = schema.field(id),
        let type = source.type.primitive,
        let part = parts.last(where: { $0.name == field.name || $0.name == source.name })
      else { continue }
      if part.value == "null" || part.value == "__HIVE_DEFAULT_PARTITION__" {
        values[id] = .some(nil)
        continue
      }
      do throws(IcebergError) {
        values[id] = .some(try Value(parsing: part.value, as: type))
      } catch {
        throw .rejected(error)
      }
    }
    return values
  }

  /// Text whose `%` and two digits stand for bytes.
  private static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let code = UInt8(String(rest.prefix(2)) ?? "", radix: 16) {
        bytes.append(code)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
