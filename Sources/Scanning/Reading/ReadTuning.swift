// SPDX-License-Identifier: Apache-2.0
internal import Columnar

/// Sizes that reading goes by. None of them changes what is read, only how.
package struct ReadTuning: Sendable {
  /// The most rows of a batch.
  package var batchRowCount = 65_536
  /// About how many bytes of encoded pages a unit has; up to four times as many where there are
  /// several columns, and others to be busy with other units.
  package var unitByteCount: Int64 = 8 << 20
  /// A row group of which more bytes than this would be fetched is fetched in parts, where its page
  /// index tells where they are.
  package var partByteCount: Int64 = 32 << 20
  /// The same where rows are wanted by their positions, of a store that no way is long to: the next
  /// part is fetched while one is decoded.
  package var nearPartByteCount: Int64 = 2 << 20
  /// Page indexes are asked for where so many bytes might be spared, or where
  /// they need no request.
  package var indexedByteCount: Int64 = 1 << 20
  /// The same where rows are wanted by their positions.
  package var positionedByteCount: Int64 = 128 << 10
  /// A Bloom filter is asked for if it has no more bytes than this, or no more than a quarter of
  /// what it may spare.
  package var bloomFilterByteCount: Int64 = 4 << 10
  /// Columns are fetched after the filter was asked, and only the pages that are needed, where they
  /// have so many bytes.
  package var deferredByteCount: Int64 = 256 << 10
  /// Rows between two that are wanted are decoded along where there are fewer than this.
  package var gapRowCount = 16

  package init() {}

  /// The rows that are decoded where `selection` is wanted; their pages must be there.
  func widened(_ selection: RowSelection) -> RowSelection {
    selection.joiningGaps(shorterThan: gapRowCount)
  }
}
