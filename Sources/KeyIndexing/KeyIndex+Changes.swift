// SPDX-License-Identifier: Apache-2.0
public import Columnar
public import Iceberg
public import Scanning

extension KeyIndex: KeyLookup {
  public var keyFieldIDs: [FieldID] { columns.fieldIDs }

  /// Cost: some cache misses a key and segment.
  public func positions(of keys: [Column], in paths: [String]) -> [[Int64]?] {
    let numbers = paths.map { files.number(of: PathKey($0)) }
    let hashes = KeyHasher.hashes(of: keys, rowCount: keys.first?.count ?? 0, seed: seed)
    // Rows without a key are in no index, and a delete of nulls takes them.
    if let validity = hashes.validity, validity.countOfOnes < hashes.count {
      return numbers.map { _ in nil }
    }
    var found: [Int: [Int64]] = [:]
    for number in numbers { if let number { found[number] = [] } }
    var entries: [FoundEntry] = []
    for segment in segments {
      // What is kept outside of memory would have to be fetched: the caller reads the columns then.
      guard let memory = segment.memory else { return numbers.map { _ in nil } }
      memory.find(hashes, into: &entries)
    }
    for entry in entries { found[entry.file]?.append(entry.position) }
    return numbers.map { $0.flatMap { found[$0] } }
  }
}
