// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import Bytes
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Storage

/// An Avro data file that is being read, and what is made of its rows.
///
/// It is held whole: there is no index of its columns that would spare any of it.
struct AvroDataFile: Sendable {
  let path: String
  let bytes: Buffer
  /// With ids given, where the file has none.
  let record: AvroRecord
  /// The columns that are found in the file.
  let found: [Field]
  /// All columns that are wanted, those only needed to choose rows last.
  let mapping: ColumnMapping
  let outputCount: Int
  let filter: RowFilter?
  let deletes: FileDeletes

  /// The largest file that is read.
  static let byteCountLimit: Int64 = 1 << 30
  /// About how many bytes of blocks a unit has.
  private static let unitByteCount = 1 << 20

  /// The units of the file, whose rows must be `rowCount`.
  func units(rowCount: Int64) throws(ScanError) -> [AvroUnit] {
    var units: [AvroUnit] = []
    var blocks: [AvroRawBlock] = []
    var size = 0
    var first: Int64 = 0
    var next: Int64 = 0
    do throws(AvroError) {
      var reader = try AvroFileReader(bytes)
      while let block = try reader.nextRawBlock() {
        blocks.append(block)
        size += block.bytes.count
        next += Int64(block.recordCount)
        if size < Self.unitByteCount { continue }
        units.append(AvroUnit(file: self, blocks: blocks, firstPosition: first))
        (blocks, size, first) = ([], 0, next)
      }
    } catch {
      throw .invalidDataFile(file: path, .avro(error, in: "avro file"))
    }
    if !blocks.isEmpty {
      units.append(AvroUnit(file: self, blocks: blocks, firstPosition: first))
    }
    guard next == rowCount else {
      throw .wrongSize(file: path, what: "rows", expected: rowCount, found: next)
    }
    return units
  }
}

/// Some blocks of an Avro data file: what one task decodes.
struct AvroUnit: Sendable {
  let file: AvroDataFile
  let blocks: [AvroRawBlock]
  /// The position of their first row in the file.
  let firstPosition: Int64

  /// The live rows that match, in order.
  func read() throws(ScanError) -> UnitRows {
    var result = UnitRows(batches: [], counts: ScanCounts())
    var position = firstPosition
    var reader = try opened()
    for raw in blocks {
      let batch = try decode(try inflate(raw, &reader), reader.header.schema)
      let places = RowPlaces(first: position, rows: .all(batch.rowCount))
      let rows = try finish(batch, at: places)
      position += Int64(batch.rowCount)
      result.counts.rowsDecoded += Int64(batch.rowCount)
      result.counts.rowsMatched += Int64(rows.rowCount)
      if rows.rowCount > 0 { result.batches.append(rows) }
    }
    return result
  }

  private func decode(
    _ block: AvroBlock, _ schema: AvroSchema
  ) throws(ScanError) -> RecordBatch {
    let builder = BatchBuilder(file.found.map(\.columnField), capacity: block.recordCount)
    let conversion = AvroConversion(file: file.path)
    let fields = file.found.map { field in
      (field, file.record.fields.firstIndex { $0.fieldID == field.id.rawValue } ?? 0)
    }
    var decoder = AvroDecoder(block.bytes.bytes)
    for _ in 0..<block.recordCount {
      let value: AvroValue
      do throws(AvroError) { value = try decoder.readValue(schema) } catch {
        throw .invalidDataFile(file: file.path, .avro(error, in: "avro file"))
      }
      guard case .record(let entries) = value else { continue }
      for (column, (field, index)) in zip(builder.columns, fields) {
        column.append(
          try conversion.value(
            entries[index].value, file.record.fields[index].schema, to: field))
      }
    }
    do throws(AvroError) { try decoder.finish() } catch {
      throw .invalidDataFile(file: file.path, .avro(error, in: "avro file"))
    }
    if builder.columns.isEmpty {
      return RecordBatch(fields: [], columns: [], rowCount: block.recordCount)
    }
    return builder.finish()
  }

  private func opened() throws(ScanError) -> AvroFileReader {
    do throws(AvroError) { return try AvroFileReader(file.bytes) } catch {
      throw .invalidDataFile(file: file.path, .avro(error, in: "avro file"))
    }
  }

  private func inflate(
    _ raw: AvroRawBlock, _ reader: inout AvroFileReader
  ) throws(ScanError) -> AvroBlock {
    do throws(AvroError) { return try reader.inflate(raw) } catch {
      throw .invalidDataFile(file: file.path, .avro(error, in: "avro file"))
    }
  }

  private func finish(
    _ batch: RecordBatch, at places: RowPlaces
  ) throws(ScanError) -> RecordBatch {
    var rows = try file.mapping.apply(batch, at: places)
    var kept = file.deletes.live(places)
    if let filter = file.filter {
      let matching = filter.matching(rows)
      kept = kept.map { $0.and(matching) } ?? matching
    }
    if !file.deletes.keys.isEmpty, let left = try file.deletes.unmatched(rows, of: file.path) {
      kept = kept.map { $0.and(left) } ?? left
    }
    if file.outputCount < rows.columns.count {
      rows = rows.selecting(Array(0..<file.outputCount))
    }
    return kept.map { rows.filter(by: $0) } ?? rows
  }
}
