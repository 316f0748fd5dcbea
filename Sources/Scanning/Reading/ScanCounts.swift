// SPDX-License-Identifier: Apache-2.0

/// What a scan touched, for those who want to know what was pruned.
///
/// Bytes and pages are those of the columns that are wanted.
public struct ScanCounts: Hashable, Sendable {
  /// Files opened.
  public var files = 0
  public var rowGroups = 0
  /// Row groups of which rows were decoded.
  public var rowGroupsRead = 0
  /// Row groups ruled out, by what did.
  public var ruledOut = RuledOut()
  /// Data pages that page indexes tell of, in row groups that statistics did not rule out.
  public var pages = 0
  /// Those of them that were fetched.
  public var pagesRead = 0
  /// Rows of which columns were decoded: at first those of the filter.
  public var rowsDecoded: Int64 = 0
  /// Rows that matched.
  public var rowsMatched: Int64 = 0
  /// How many bytes the column chunks have.
  public var bytes: Int64 = 0
  /// How many of them were fetched.
  public var bytesRead: Int64 = 0

  /// Bytes that were not fetched before the filter was asked, and those that then were.
  var deferredBytes: Int64 = 0
  var deferredBytesRead: Int64 = 0

  public init() {}

  public var pagesSkipped: Int { max(0, pages - pagesRead) }
  public var bytesSkipped: Int64 { max(0, bytes - bytesRead) }

  /// Row groups of which no row was looked at, by what told that none matches.
  public struct RuledOut: Hashable, Sendable {
    public var byStatistics = 0
    /// All their rows are deleted.
    public var byDeletes = 0
    public var byPageIndex = 0
    public var byBloomFilter = 0
    public var byDictionary = 0

    public init() {}
  }

  static func += (total: inout ScanCounts, part: ScanCounts) {
    total.files += part.files
    total.rowGroups += part.rowGroups
    total.rowGroupsRead += part.rowGroupsRead
    total.ruledOut.byStatistics += part.ruledOut.byStatistics
    total.ruledOut.byDeletes += part.ruledOut.byDeletes
    total.ruledOut.byPageIndex += part.ruledOut.byPageIndex
    total.ruledOut.byBloomFilter += part.ruledOut.byBloomFilter
    total.ruledOut.byDictionary += part.ruledOut.byDictionary
    total.pages += part.pages
    total.pagesRead += part.pagesRead
    total.rowsDecoded += part.rowsDecoded
    total.rowsMatched += part.rowsMatched
    total.bytes += part.bytes
    total.bytesRead += part.bytesRead
    total.deferredBytes += part.deferredBytes
    total.deferredBytesRead += part.deferredBytesRead
  }

  static func + (first: ScanCounts, second: ScanCounts) -> ScanCounts {
    var total = first
    total += second
    return total
  }
}
