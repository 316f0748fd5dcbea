// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
public import Parquet
internal import Storage

/// Something in a Parquet file that is not as it says of itself.
public struct ParquetProblem: Hashable, Sendable {
  public let check: Check
  /// Where: a column, a page.
  public let part: ParquetPart
  public let expected: String
  public let found: String

  package init(check: Check, part: ParquetPart, expected: String, found: String) {
    self.check = check
    self.part = part
    self.expected = expected
    self.found = found
  }

  /// What was looked at.
  public enum Check: String, Hashable, Sendable, CaseIterable {
    /// The footer can be read, and is the one that was written.
    case footer
    /// Each page is where and as large as told, and its bytes are those that were written.
    case pages
    /// Pages come to the bytes and values that their column chunk has.
    case chunk
    /// Values can be decoded, a value or null for each row.
    case values
    /// The offset index tells where pages are and which rows they have.
    case offsetIndex = "offset-index"
    /// The column index tells bounds and nulls that the pages keep to.
    case columnIndex = "column-index"
    /// The Bloom filter and the indexes are those that were written.
    case indexChecksum = "index-checksum"
    /// The chunk's statistics tell bounds and nulls that its values keep to.
    case statistics
    /// The Bloom filter admits each value.
    case bloomFilter = "bloom-filter"
  }
}

/// What an audit went through.
public struct ParquetAuditCounts: Hashable, Sendable {
  public var rows: Int64 = 0
  public var pages = 0
  /// Pages with a checksum.
  public var checksums = 0
  public var bytes: Int64 = 0
  public var problems = 0
}

extension ParquetFile {
  /// Reads all of the file and holds it against what it says of itself; `report` gets what does not
  /// hold.
  ///
  /// Cost: every page is read and decoded, a column of a row group at a time.
  /// - Throws: ``ParquetFileError/storage(_:)``.
  public func audit(
    _ report: (ParquetProblem) -> Void
  ) async throws(ParquetFileError) -> ParquetAuditCounts {
    var counts = ParquetAuditCounts()
    counts.rows = footer.rowCount
    for group in 0..<footer.rowGroupCount {
      for leaf in 0..<footer.schema.leafCount {
        for problem in try await damagedIndexes(group, leaf) {
          counts.problems += 1
          report(problem)
        }
        let evidence = try await evidence(group, leaf)
        var audit = ChunkAudit(footer, rowGroup: group, leaf: leaf, evidence)
        for problem in audit.problems() {
          counts.problems += 1
          report(problem)
        }
        counts.pages += audit.pageCount
        counts.checksums += audit.checksumCount
        counts.bytes += evidence.byteCount
      }
    }
    return counts
  }

  /// The pages of leaf `leaf` in row group `group`, as their headers tell them. Cost: all of the
  /// column chunk is read, and its checksums computed.
  package func pages(
    rowGroup group: Int, leaf: Int
  ) async throws(ParquetFileError) -> [PageDescription] {
    let projection = ParquetProjection(leaf: leaf, of: footer.schema)
    let (_, bytes) = try await fetch(group, projection: projection)
    do throws(ParquetError) {
      return try footer.pages(rowGroup: group, leaf: leaf, bytes: bytes)
    } catch {
      throw .parquet(error, file: path)
    }
  }

  /// The Bloom filter and indexes of a column chunk that are not those Lake wrote.
  private func damagedIndexes(
    _ group: Int, _ leaf: Int
  ) async throws(ParquetFileError) -> [ParquetProblem] {
    let ranges = footer.checkedRanges(rowGroup: group, leaf: leaf)
    let bytes = try await fetch(ranges, gapLimit: 0)
    return footer.indexDamage(rowGroup: group, leaf: leaf, bytes: bytes).compactMap {
      error -> ParquetProblem? in
      guard case .checksumMismatch(let part, let expected, let found) = error else { return nil }
      return ParquetProblem(
        check: .indexChecksum, part: part, expected: "CRC-32C \(expected)", found: "\(found)")
    }
  }

  /// All bytes there are of a column chunk.
  private func evidence(
    _ group: Int, _ leaf: Int
  ) async throws(ParquetFileError) -> ChunkEvidence {
    var evidence = ChunkEvidence()
    let projection = ParquetProjection(leaf: leaf, of: footer.schema)
    do throws(ParquetFileError) {
      let (plan, bytes) = try await fetch(group, projection: projection)
      (evidence.pages, evidence.byteCount) = (bytes, plan.byteCount)
    } catch .parquet(let error, _) {
      evidence.failure = error
    }
    let indexes = footer.pageIndexRanges(rowGroup: group, leaf: leaf)
    evidence.hasOffsetIndex = !indexes.isEmpty
    evidence.hasColumnIndex = indexes.count > 1
    evidence.index = footer.pageIndex(
      rowGroup: group, leaf: leaf, bytes: try await fetch(indexes, gapLimit: 0))
    if let range = footer.bloomFilterRange(rowGroup: group, leaf: leaf) {
      evidence.hasBloomFilter = true
      evidence.bloomFilter = footer.bloomFilter(
        rowGroup: group, leaf: leaf, bytes: try await fetch([range], gapLimit: 0))
    }
    return evidence
  }
}

/// What was fetched of one column chunk, to be held against each other.
struct ChunkEvidence {
  /// Of the top-level column that the leaf is of.
  var pages = FileBytes([])
  var byteCount: Int64 = 0
  var failure: ParquetError?
  var hasOffsetIndex = false
  var hasColumnIndex = false
  var index: PageIndex?
  var hasBloomFilter = false
  var bloomFilter: ColumnBloomFilter?
}
