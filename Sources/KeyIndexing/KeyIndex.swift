// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar
internal import Iceberg
internal import Scanning

/// Where the rows of keys are: every place that a key was seen in, of the data files it covers.
///
/// Whether a place is live is no business of the index: a ``TableState`` tells. So one index serves
/// every state whose data files it covers, and it becomes true for a later one by reading the files
/// that are new.
///
/// Laws: a cache of the truth: it is what the data files hold, and can be made from them again.
/// Rows of which a column of the key is null are in no index.
/// A value: whoever changes one has it alone; copying costs nothing.
public struct KeyIndex: Sendable {
  public let columns: KeyColumns
  /// Of whose values the index keeps numbers, so that rows are compared without being read.
  public private(set) var order: OrderColumn?
  public let seed: KeySeed
  /// About how much memory segments may take.
  public let memoryLimit: Int
  /// Each at least twice as large as the next, but for those that are not in memory.
  var segments: [IndexSegment] = []
  var files = FileNumbers()
  /// Parts of segments that are not in memory.
  let chunks: ChunkCache
  /// How many numbers of files there were when it was last looked which of them are of use.
  var tidiedCount = 0
  /// The one that was covered last.
  private(set) var state: TableState?
  /// A list of files all of which are covered; nil where that is not known.
  private var coveredList: TableState.ListID?

  /// One that covers no files.
  ///
  /// - Parameter memoryLimit: about how much memory segments may take that can be read from where
  ///   they are kept with the table.
  public init(
    _ columns: KeyColumns, order: OrderColumn? = nil, seed: KeySeed, memoryLimit: Int = .max
  ) {
    self.columns = columns
    self.memoryLimit = memoryLimit
    chunks = ChunkCache(byteLimit: min(memoryLimit / 4, 256 << 20))
    self.order = order.flatMap { $0.isIndexed ? $0 : nil }
    self.seed = seed
  }

  /// How many places are known, dead ones among them.
  public var placeCount: Int { segments.reduce(0) { $0 + $1.count } }
  /// How many runs a key is looked for in.
  public var segmentCount: Int { segments.count }
  /// How many data files are covered.
  public var fileCount: Int { files.count }
  /// About how much memory the index takes.
  public var byteCount: Int {
    segments.reduce(files.byteCount + chunks.byteCount) { $0 + $1.byteCount }
  }

  /// About how much of that is of segments that were not written yet.
  package var unkeptByteCount: Int {
    segments.reduce(0) { $0 + ($1.stored == nil ? $1.byteCount : 0) }
  }

  /// True if the places of all rows of the data file at `path` are known.
  public func covers(_ path: String) -> Bool { files.number(of: PathKey(path)) != nil }

  /// The indices of the files of `state` that are not covered.
  public func uncovered(in state: TableState) -> [Int] {
    state.indicesUnknown(to: coveredList).filter { !covers(state.files[$0].file.path) }
  }

  // MARK: changes

  /// Covers a data file whose keys are known, as its writer knows them.
  ///
  /// Cost: some 100 ns a row, and now and then what it takes to merge segments.
  /// - Throws: ``KeyIndexError/tooManyRows(file:count:)``.
  public mutating func insert(
    _ path: String, _ rows: [IndexedRows]
  ) throws(KeyIndexError) {
    let key = PathKey(path)
    guard files.number(of: key) == nil else { return }
    let number = files.add(key)
    var parts: [SegmentColumns] = []
    var first: Int64 = 0
    for some in rows {
      guard let part = some.columns(file: number, first: first, keepsOrder: order != nil) else {
        files.forget(number)
        throw .tooManyRows(file: path, count: first + Int64(some.hashes.count))
      }
      parts.append(part)
      first += Int64(some.hashes.count)
    }
    let entries = SegmentColumns.concat(parts).sorted()
    add(IndexSegment(entries, of: [UInt32(truncatingIfNeeded: number)]))
  }

  /// Adds a segment of files that have numbers, and merges what has grown alike.
  mutating func add(_ new: IndexSegment) {
    segments.append(new)
    segments.sort { $0.count > $1.count }
    while segments.count > 1 {
      let pair = segments.suffix(2)
      let (larger, smaller) = (pair.first?.count ?? 0, pair.last?.count ?? 0)
      guard larger < 2 * smaller || smaller == 0, let merged = merged(Array(pair))
      else { return }
      segments.removeLast(2)
      segments.insert(
        merged, at: segments.firstIndex { $0.count <= merged.count } ?? segments.count)
    }
  }

  /// One segment of some; nil if one is not in memory.
  private func merged(_ some: [IndexSegment]) -> IndexSegment? {
    var parts: [SegmentColumns] = []
    for segment in some {
      guard let memory = segment.memory else { return nil }
      parts.append(memory.columns)
    }
    let numbers = some.flatMap(\.numbers).filter { !files.isGone[Int($0)] }.sorted()
    return IndexSegment(SegmentColumns.merged(parts, isGone: files.isGone), of: numbers)
  }

  /// The number of a data file that is about to be covered.
  mutating func number(_ path: PathKey) -> Int { files.add(path) }

  /// Takes notice of a state all of whose files are covered.
  mutating func note(_ state: TableState) {
    self.state = state
    coveredList = state.id
  }

  /// Takes notice of a state some of whose files are covered.
  mutating func noteSome(of state: TableState) {
    self.state = state
    coveredList = nil
  }

  /// Gives up what is known of a file.
  mutating func forget(_ number: Int) {
    files.forget(number)
    coveredList = nil
  }

  /// Lets go of the data files that are in none of `states`: their places go when segments are
  /// merged, and are ignored until then.
  public mutating func forgetFiles(notIn states: [TableState]) {
    coveredList = nil
    for number in 0..<files.all.count where !files.isGone[number] {
      let path = files.all[number]
      if !states.contains(where: { $0.index(of: path) != nil }) { files.forget(number) }
    }
  }

  /// Lets go of the data files at `paths`, which are of no more use: as ``forgetFiles(notIn:)``.
  package mutating func forgetFiles(_ paths: [String]) {
    for path in paths {
      guard let number = files.number(of: PathKey(path)) else { continue }
      if state?.index(of: path) != nil { coveredList = nil }
      files.forget(number)
    }
  }

  /// Forgets all there is, as where the order column's values changed their meaning.
  mutating func restart(order: OrderColumn?) {
    self.order = order
    coveredList = nil
    segments = []
    files = FileNumbers()
    tidiedCount = 0
  }
}

/// The data files an index covers, by the numbers its entries have for them.
struct FileNumbers: Sendable {
  private(set) var all: [PathKey] = []
  /// Of those that were given up: entries of theirs mean nothing.
  private(set) var isGone: [Bool] = []
  private var numbers: [PathKey: Int] = [:]

  init() {}

  /// - Parameter paths: by number; nil for those that were given up.
  init(_ paths: [PathKey?]) {
    all = paths.map { $0 ?? PathKey("") }
    isGone = paths.map { $0 == nil }
    for (number, path) in paths.enumerated() {
      guard let path else { continue }
      // A path that is there twice is known by its last number alone.
      if let other = numbers.updateValue(number, forKey: path) { isGone[other] = true }
    }
  }

  var count: Int { numbers.count }
  var byteCount: Int { all.reduce(0) { $0 + $1.path.utf8.count + 64 } }

  func number(of path: PathKey) -> Int? { numbers[path] }

  /// The number of a file that has none yet.
  mutating func add(_ path: PathKey) -> Int {
    let number = all.count
    all.append(path)
    isGone.append(false)
    numbers[path] = number
    return number
  }

  mutating func forget(_ number: Int) {
    isGone[number] = true
    numbers[all[number]] = nil
    // Entries may have the number still; the path is of no more use.
    all[number] = PathKey("")
  }

  mutating func forgetIfKnown(_ number: Int) {
    if number < all.count, !isGone[number] { forget(number) }
  }
}

/// Some rows of a data file, in the order they have there: what an index keeps of them.
public struct IndexedRows: Sendable {
  public var hashes: KeyHashes
  /// Where the rows are; nil: behind the rows before, from 0 on.
  public var positions: [Int64]?
  /// `_row_id` as the file itself has it (int64, nulls where it has none); nil: it has no such
  /// column.
  public var rowIDs: Column?
  /// The values of the order column; nil: not known, to be read by position.
  public var orders: Column?

  public init(
    hashes: KeyHashes, positions: [Int64]? = nil, rowIDs: Column? = nil, orders: Column? = nil
  ) {
    precondition(positions.map { $0.count == hashes.count } ?? true, "a position a row")
    precondition(rowIDs.map { $0.count == hashes.count } ?? true, "a row id a row")
    precondition(orders.map { $0.count == hashes.count } ?? true, "an order value a row")
    self.hashes = hashes
    self.positions = positions
    self.rowIDs = rowIDs
    self.orders = orders
  }

  /// Nil if a position is beyond those an index can hold.
  func columns(file: Int, first: Int64, keepsOrder: Bool) -> SegmentColumns? {
    guard let places = places(from: first) else { return nil }
    let columns = SegmentColumns(
      count: hashes.count, highs: hashes.highs, lows: hashes.lows,
      files: .repeating(UInt32(truncatingIfNeeded: file), count: hashes.count),
      positions: places, rowIDs: rowIDs.flatMap { Self.ids($0) },
      orders: keepsOrder ? orders.map { OrderColumn.stored($0) } : nil)
    return hashes.validity.map { columns.filtered(by: $0) } ?? columns
  }

  /// The positions; nil if one is beyond those an index can hold.
  private func places(from first: Int64) -> Buffer? {
    var target = MutableBuffer(byteCount: hashes.count * 4)
    var places = target.mutableValues(as: UInt32.self)
    if let positions {
      for i in places.indices {
        guard let place = UInt32(exactly: positions[i]) else { return nil }
        places[i] = place
      }
    } else {
      guard first >= 0, first <= Int64(UInt32.max) - Int64(hashes.count) else { return nil }
      let start = UInt32(truncatingIfNeeded: first)
      for i in places.indices { places[i] = start &+ UInt32(truncatingIfNeeded: i) }
    }
    return target.freeze()
  }

  /// Nil if there are none.
  private static func ids(_ column: Column) -> Buffer? {
    guard column.nullCount < column.count else { return nil }
    var target = MutableBuffer(byteCount: column.count * 8)
    var ids = target.mutableValues(as: Int64.self)
    for i in ids.indices {
      ids[i] = column.isNull(i) ? SegmentColumns.noRowID : column.integer(i)
    }
    return target.freeze()
  }
}

extension Buffer {
  static func repeating(_ word: UInt32, count: Int) -> Buffer {
    var target = MutableBuffer(byteCount: count * 4)
    var words = target.mutableValues(as: UInt32.self)
    for i in words.indices { words[i] = word }
    return target.freeze()
  }
}
