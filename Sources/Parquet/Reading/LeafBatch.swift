// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// What was decoded of one leaf for one batch.
final class LeafBatch {
  let leaf: ParquetLeaf
  /// Taken when the batch is put together, once.
  var values: DenseValues
  /// Of flat leaves: a bit a row.
  var validity: BitmapBuilder
  /// Of nested leaves: a level a value that is there or could have been, in a byte each.
  var definition = MutableBuffer()
  /// Empty for leaves that are in no list.
  var repetition = MutableBuffer()

  /// - Parameter byteCount: about how many bytes the strings come to.
  init(_ leaf: ParquetLeaf, isFlat: Bool, rowCount: Int, byteCount: Int, limit: Int) {
    self.leaf = leaf
    values = DenseValues(
      type: leaf.columnType, capacity: rowCount, byteCount: byteCount, limit: limit)
    validity = BitmapBuilder(capacity: isFlat ? rowCount : 0)
  }

  /// The levels, once all are there.
  private(set) var levels = (definition: Buffer.empty, repetition: Buffer.empty)

  /// Ends adding levels.
  func freezeLevels() {
    levels = (
      exchange(&definition, with: MutableBuffer()).freeze(),
      exchange(&repetition, with: MutableBuffer()).freeze()
    )
  }

  /// The column of a flat leaf.
  func finishFlat(rowCount: Int) throws(ByteError) -> Column {
    let bits = exchange(&validity, with: BitmapBuilder())
    let zeros = bits.countOfZeros
    let validity = zeros == 0 ? nil : bits.finish()
    return try finish(validity, rowCount: rowCount)
  }

  /// The column whose rows are those with a 1 in `validity`.
  func finish(_ validity: Bitmap?, rowCount: Int) throws(ByteError) -> Column {
    if leaf.conversion == .discard { return .nulls(.null, count: rowCount) }
    let empty = DenseValues(type: leaf.columnType, capacity: 0, limit: 0)
    let values = exchange(&self.values, with: empty)
    return try values.finish(validity, rowCount: rowCount)
  }
}
