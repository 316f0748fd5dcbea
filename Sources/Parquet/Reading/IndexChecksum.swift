// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension ParquetFooter {
  /// Where the Bloom filter and the indexes of a column chunk lie that Lake kept checksums of; none
  /// in files of others.
  package func checkedRanges(rowGroup: Int, leaf: Int) -> [Range<Int64>] {
    expectations(rowGroup, leaf).map(\.range)
  }

  /// Holds the Bloom filter and the indexes of a column chunk against the checksums Lake kept, and
  /// answers a ``ParquetError/checksumMismatch(_:expected:found:)`` for each that is damaged.
  ///
  /// Readers leave aside what is damaged, as rows can be read without; this tells of it.
  ///
  /// - Parameter bytes: what ``checkedRanges(rowGroup:leaf:)`` asks for; nothing is said of what is
  ///   not there.
  package func indexDamage(rowGroup: Int, leaf: Int, bytes: FileBytes) -> [ParquetError] {
    expectations(rowGroup, leaf).compactMap { part, range, expected in
      guard let found = bytes.slice(range) else { return nil }
      do throws(ParquetError) {
        try Self.check(part, found, expected)
        return nil
      } catch {
        return error
      }
    }
  }

  private func expectations(
    _ rowGroup: Int, _ leaf: Int
  ) -> [(part: ParquetPart, range: Range<Int64>, expected: UInt32)] {
    guard let checksums = checksums(rowGroup: rowGroup, leaf: leaf) else { return [] }
    let chunk = metadata.rowGroups[rowGroup].columns[leaf]
    let path = schema.leaves[leaf].name
    let all: [(ParquetPart, Range<Int64>?, UInt32)] = [
      (
        .bloomFilter(path: path, rowGroup: rowGroup),
        bloomFilterRange(rowGroup: rowGroup, leaf: leaf), checksums.bloomFilter
      ),
      (
        .columnIndex(path: path, rowGroup: rowGroup), columnIndexRange(chunk),
        checksums.columnIndex
      ),
      (
        .offsetIndex(path: path, rowGroup: rowGroup), offsetIndexRange(rowGroup, leaf),
        checksums.offsetIndex
      ),
    ]
    return all.compactMap { part, range, expected in range.map { (part, $0, expected) } }
  }

  /// Holds `bytes`, which are `part`, against their checksum, where there is one.
  ///
  /// - Throws: ``ParquetError/checksumMismatch(_:expected:found:)``.
  static func check(
    _ part: ParquetPart, _ bytes: Buffer, _ expected: UInt32?
  ) throws(ParquetError) {
    guard let expected else { return }
    let found = CRC32C.checksum(bytes.bytes)
    if found != expected { throw .checksumMismatch(part, expected: expected, found: found) }
  }

  /// False if `bytes`, which are `part`, are known to be damaged.
  static func isIntact(_ part: ParquetPart, _ bytes: Buffer, _ expected: UInt32?) -> Bool {
    (try? check(part, bytes, expected)) != nil
  }
}
