// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import KeyIndexing

/// What is to become of a key.
struct KeyedEntry: Sendable {
  let hash: KeyHash
  var order: OrderValue
  /// False for a deletion without an order value, which counts for all that came before it.
  var isOrdered: Bool
  var state: State
  /// The row below this one that its nulls are filled from, among ``KeyedBuffer/versions``; -1 if
  /// there is none.
  var below: Int32 = -1
  /// The `_row_id` that was written with the row; -1 if none was.
  var rowID: Int64 = -1
  /// True if the table had a row of the key when it was last looked for.
  var replaces = false

  enum State: Hashable, Sendable {
    /// Row `row` of batch `batch`.
    case row(batch: Int32, row: Int32)
    /// A row of a data file of the commit.
    case written(file: Int32, position: Int32)
    case deletion
    /// Older than the table's row; counts no more.
    case late
  }
}

/// Rows and deletions that wait to be committed: of each key the one that counts.
///
/// Laws: of two of a key the one of the greater order counts, of equal ones the later; the others
/// are counted as superseded. What is returned of a key does not depend on how its rows were
/// batched.
/// Cost: rows stay in the batches they came in until they are taken out; a row costs a look into a
/// table.
struct KeyedBuffer: Sendable {
  var entries: [KeyedEntry] = []
  private var table = KeyTable()
  var batches: [RecordBatch] = []
  /// Rows that others lie over, where rows are given in part.
  var versions: [Version] = []
  let isPartial: Bool
  /// How many rows of ``batches`` count.
  var liveRowCount = 0
  var rowCount = 0
  var batchByteCount = 0
  /// Rows and deletions that others of the same commit came after.
  private(set) var superseded: Int64 = 0
  /// Deletions and rows that were older than the table's row.
  var late: Int64 = 0
  private(set) var received: Int64 = 0
  /// The bytes of all batches that were taken in.
  private(set) var takenByteCount = 0
  /// Rows of data files of the commit that no longer count, by the file's number.
  var supersededPositions: [Int32: [Int32]] = [:]

  /// A row, or what ends a row of rows.
  struct Version: Sendable {
    let state: KeyedEntry.State
    let below: Int32
  }

  init(isPartial: Bool) { self.isPartial = isPartial }

  var isEmpty: Bool { received == 0 }

  /// About how many bytes are held.
  var byteCount: Int {
    batchByteCount + entries.count * (MemoryLayout<KeyedEntry>.stride + 8)
      + versions.count * MemoryLayout<Version>.stride
  }

  /// True if most of the rows held count no more.
  var isWorthCompacting: Bool { rowCount > 4096 && liveRowCount * 2 < rowCount }

  /// The entry of `hash`; nil if there is none.
  func entry(of hash: KeyHash) -> Int? { table.find(hash, in: entries) }

  // MARK: taking in

  /// Takes in the rows of `batch`.
  ///
  /// - Parameter deletions: 1 for rows that are deletions; nil: none is.
  mutating func insert(
    _ batch: RecordBatch, hashes: KeyHashes, orders: OrderValues, deletions: Bitmap?
  ) {
    let number = Int32(truncatingIfNeeded: batches.count)
    batches.append(batch)
    let byteCount = batch.byteCount
    batchByteCount += byteCount
    takenByteCount += byteCount
    rowCount += batch.rowCount
    for row in 0..<hashes.count {
      let isDeletion = deletions.map { $0[row] } ?? false
      put(
        KeyedEntry(
          hash: hashes[row], order: orders[row], isOrdered: true,
          state: isDeletion
            ? .deletion : .row(batch: number, row: Int32(truncatingIfNeeded: row))))
    }
  }

  /// Takes in deletions of keys.
  ///
  /// - Parameter orders: nil: they count for all that came before them.
  mutating func delete(_ hashes: KeyHashes, orders: OrderValues?) {
    for row in 0..<hashes.count {
      put(
        KeyedEntry(
          hash: hashes[row], order: orders?[row] ?? .arrival, isOrdered: orders != nil,
          state: .deletion))
    }
  }

  private mutating func put(_ new: KeyedEntry) {
    received &+= 1
    if case .row = new.state { liveRowCount &+= 1 }
    guard let index = table.find(new.hash, in: entries) else {
      entries.append(new)
      table.insertLast(of: entries)
      return
    }
    let old = entries[index]
    if case .late = old.state {
      entries[index] = new
      return
    }
    superseded &+= 1
    if new.isOrdered, old.isOrdered, new.order < old.order {
      if case .row = new.state { liveRowCount &-= 1 }
      return
    }
    entries[index] = new
    switch old.state {
    case .row: liveRowCount &-= 1
    case .written(let file, let position): supersededPositions[file, default: []].append(position)
    case .deletion, .late: break
    }
    if isPartial, case .row = new.state {
      entries[index].below = Int32(truncatingIfNeeded: versions.count)
      versions.append(Version(state: old.state, below: old.below))
    }
  }
}
