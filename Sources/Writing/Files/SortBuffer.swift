// SPDX-License-Identifier: Apache-2.0
package import Columnar
internal import Expressions
package import Iceberg

/// Rows of one partition that wait to be sorted and written as one file.
struct SortBuffer {
  private(set) var batches: [RecordBatch] = []
  private(set) var byteCount = 0

  mutating func append(_ batch: RecordBatch) {
    batches.append(batch)
    byteCount += batch.byteCount
  }

  /// The rows in `order`, as batches of bounded size.
  consuming func sorted(
    by order: SortOrder, of schema: Schema
  ) throws(CommitError) -> [RecordBatch] {
    try sorted(by: RowOrder(order, of: schema))
  }

  /// As ``sorted(by:of:)``.
  ///
  /// - Parameter batchRowCount: how many rows a batch has at most.
  consuming func sorted(
    by order: RowOrder, batchRowCount: Int = 65_536
  ) throws(CommitError) -> [RecordBatch] {
    do throws(ColumnarError) {
      let rows = try RecordBatch.concat(batches)
      let sorted = try rows.sorted(by: order.keys(of: rows))
      return stride(from: 0, to: sorted.rowCount, by: batchRowCount).map { start in
        sorted.slice(start..<min(start + batchRowCount, sorted.rowCount))
      }
    } catch {
      throw .unsupported("sorting rows of more than 2 GiB of text")
    }
  }
}

extension RecordBatch {
  /// The columns that `order` sorts by, its transforms applied.
  package func sortKeys(_ order: SortOrder, _ schema: Schema) -> [SortKey] {
    order.fields.compactMap { field in
      guard let id = field.sourceIDs.first, let type = schema.field(id)?.type.primitive,
        let column = nestedColumn(id)
      else { return nil }
      let key = field.transform == .identity ? column : field.transform.apply(to: column, of: type)
      return SortKey(
        key, field.direction == .ascending ? .ascending : .descending,
        nulls: field.nullOrder == .nullsFirst ? .first : .last)
    }
  }
}
