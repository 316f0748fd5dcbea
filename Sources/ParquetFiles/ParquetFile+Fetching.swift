// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar
public import Parquet
internal import Storage

/// What of a file is fetched, each in as few requests as that takes.
extension ParquetFile {
  /// Fetches the pages of the columns `projection` of a row group, which several tasks may decode.
  ///
  /// Cost: as ``rowGroup(_:projection:options:)``.
  public func fetch(
    _ index: Int, projection: ParquetProjection
  ) async throws(ParquetFileError) -> (ReadPlan, FileBytes) {
    let plan: ReadPlan
    do throws(ParquetError) {
      plan = try footer.readPlan(rowGroup: index, projection: projection)
    } catch {
      throw .parquet(error, file: path)
    }
    return (plan, try await fetch(plan.ranges, gapLimit: 1 << 20))
  }

  /// Fetches the pages of the columns `projection` that have rows of `selection`, of a row group.
  ///
  /// - Parameter pageIndexes: of leaves. A leaf without one is fetched whole.
  /// Cost: one request for each run of pages with less than 64 KiB between them; at most 8 at a
  /// time.
  public func fetch(
    _ index: Int, projection: ParquetProjection, selection: RowSelection,
    pageIndexes: [Int: PageIndex]
  ) async throws(ParquetFileError) -> (ReadPlan, FileBytes) {
    let plan: ReadPlan
    do throws(ParquetError) {
      plan = try footer.readPlan(
        rowGroup: index, projection: projection, selection: selection, pageIndexes: pageIndexes)
    } catch {
      throw .parquet(error, file: path)
    }
    return (plan, try await fetch(plan.ranges, gapLimit: 64 << 10))
  }

  /// The page indexes of some leaves of some row groups, by row group and leaf; those that are not
  /// there or can't be relied on are left out.
  ///
  /// Cost: a request or two, as writers put the indexes of all chunks beside each other.
  ///
  /// - Parameter statistics: of which leaves it is wanted what the pages hold, too, besides where
  ///   they are.
  public func pageIndexes(
    rowGroups: [Int], leaves: [Int], statistics: Set<Int>
  ) async throws(ParquetFileError) -> [Int: [Int: PageIndex]] {
    let ranges = rowGroups.flatMap { group in
      leaves.flatMap { leaf in
        footer.pageIndexRanges(rowGroup: group, leaf: leaf).prefix(
          statistics.contains(leaf) ? 2 : 1)
      }
    }
    guard !ranges.isEmpty else { return [:] }
    let bytes = try await fetch(ranges, gapLimit: 256 << 10)
    var found: [Int: [Int: PageIndex]] = [:]
    for group in rowGroups {
      var indexes: [Int: PageIndex] = [:]
      for leaf in leaves {
        indexes[leaf] = footer.pageIndex(rowGroup: group, leaf: leaf, bytes: bytes)
      }
      if !indexes.isEmpty { found[group] = indexes }
    }
    return found
  }

  /// The Bloom filters of some leaves of a row group, by leaf; those that are not there, that can't
  /// be relied on, or that are of more than `byteCountLimit` bytes are left out.
  ///
  /// Cost: a request for each run of filters with less than 64 KiB between them.
  public func bloomFilters(
    rowGroup: Int, leaves: [Int], byteCountLimit: Int64 = 1 << 20
  ) async throws(ParquetFileError) -> [Int: ColumnBloomFilter] {
    var ranges: [Int: Range<Int64>] = [:]
    for leaf in leaves {
      guard let range = footer.bloomFilterRange(rowGroup: rowGroup, leaf: leaf),
        range.upperBound - range.lowerBound <= byteCountLimit
      else { continue }
      ranges[leaf] = range
    }
    guard !ranges.isEmpty else { return [:] }
    let bytes = try await fetch(Array(ranges.values), gapLimit: 64 << 10)
    return ranges.keys.reduce(into: [:]) { found, leaf in
      found[leaf] = footer.bloomFilter(rowGroup: rowGroup, leaf: leaf, bytes: bytes)
    }
  }

  /// True if the end of the file that is in memory has all page indexes of these chunks.
  public func hasPageIndexes(rowGroup: Int, leaves: [Int]) -> Bool {
    leaves.allSatisfy { leaf in
      footer.pageIndexRanges(rowGroup: rowGroup, leaf: leaf).allSatisfy { tail.slice($0) != nil }
    }
  }

  /// The bytes of `ranges`, in any order, near ones in one request; none for what is in memory.
  package func fetch(
    _ ranges: [Range<Int64>], gapLimit: Int64
  ) async throws(ParquetFileError) -> FileBytes {
    var found = ranges.compactMap { range in tail.slice(range).map { (range.lowerBound, $0) } }
    let missing = found.count == ranges.count ? [] : ranges.filter { tail.slice($0) == nil }
    do throws(StorageError) {
      let parts = try await store.get(
        path, ranges: missing, gapLimit: gapLimit, byteCountLimit: 64 << 20, concurrency: 8)
      found += zip(missing, parts).map { ($0.lowerBound, $1) }
      return FileBytes(found)
    } catch {
      throw .storage(error)
    }
  }
}
