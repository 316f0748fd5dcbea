// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import KeyIndexing
internal import Scanning
internal import Writing

/// Where a row is: in a data file, live or not, of the table or of a commit to come.
struct RowPlace: Hashable, Sendable {
  /// The index of the file among those that are read.
  let file: Int
  let position: Int64
}

/// Reads single rows of data files.
struct RowReading {
  let table: Table
  let selection: SnapshotSelection

  /// The rows at `places` of `tasks`, with `columns`, in the order of `places`.
  ///
  /// Cost: the pages that have them.
  func rows(
    at places: [RowPlace], of tasks: [ScanTask], columns: [String]
  ) async throws(IngestError) -> RecordBatch {
    var wanted: [Int: [Int64: [Int32]]] = [:]
    for (row, place) in places.enumerated() {
      wanted[place.file, default: [:]][place.position, default: []].append(Int32(row))
    }
    let files = wanted.keys.sorted()
    let plain = files.map { file in
      ScanTask(file: tasks[file].file, sequenceNumber: tasks[file].sequenceNumber)
    }
    let names = columns + [MetadataColumn.file.rawValue, MetadataColumn.position.rawValue]
    let byPath = Dictionary(files.map { (tasks[$0].file.path, $0) }) { first, _ in first }
    var parts: [RecordBatch] = []
    var order = [Int32](repeating: -1, count: places.count)
    var count = 0
    do throws(ScanError) {
      let scan = table.observed(by: nil).scan().at(selection).of(plain).select(names)
      try await scan.read { batch throws(ScanError) in
        batch
      } consume: { batch throws(ScanError) in
        guard batch.rowCount > 0, let file = byPath[batch.columns[columns.count].string(0)],
          let positions = wanted[file]
        else { return true }
        var rows: [Int32] = []
        let column = batch.columns[columns.count + 1]
        for row in 0..<batch.rowCount {
          guard let targets = positions[column.integer(row)] else { continue }
          for target in targets { order[Int(target)] = Int32(count + rows.count) }
          rows.append(Int32(row))
        }
        if rows.isEmpty { return true }
        do throws(ColumnarError) {
          parts.append(try batch.selecting(Array(0..<columns.count)).gather(rows))
        } catch { return false }
        count += rows.count
        return true
      }
    } catch {
      throw .reading(error)
    }
    if let missing = order.firstIndex(of: -1) {
      let file = tasks[places[missing].file].file
      throw .reading(
        .wrongSize(
          file: file.path, what: "rows", expected: places[missing].position + 1,
          found: file.recordCount))
    }
    do throws(ColumnarError) { return try RecordBatch.concat(parts).gather(order) } catch {
      throw .rows(.unsupported("rows of more than 2 GiB of text"))
    }
  }
}
