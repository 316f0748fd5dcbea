// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Catalogs
internal import Columnar
internal import Iceberg
internal import Scanning
internal import Storage

extension KeyIndex {
  /// One of all live files of a table's state, with a fresh seed.
  ///
  /// - Parameter key: nil: the table's identifier fields.
  /// - Throws: ``KeyIndexError``, as ``KeyColumns`` and ``OrderColumn`` do.
  public static func build(
    _ state: TableState, key: [String]? = nil, orderBy: String? = nil
  ) async throws(KeyIndexError) -> KeyIndex {
    let columns = try KeyColumns(schema: state.schema, names: key, table: state.table.name)
    let order = try orderBy.map { (name) throws(KeyIndexError) in
      try OrderColumn(schema: state.schema, name: name)
    }
    var index = KeyIndex(columns, order: order, seed: KeySeed(state.table.environment))
    try await index.cover(state)
    return index
  }

  /// Reads the keys of the files of `state` that are not covered.
  ///
  /// Cost: the key columns of those files, the order column, and row ids where they have them.
  /// - Returns: how many rows were read.
  /// - Throws: ``KeyIndexError/reading(_:)``; ``KeyIndexError/unknownColumn(_:)`` if the state's
  ///   schema has not all of the columns.
  @discardableResult
  public mutating func cover(_ state: TableState) async throws(KeyIndexError) -> Int64 {
    try adopt(state.schema)
    let count = try await cover(uncovered(in: state), of: state)
    note(state)
    return count
  }

  /// As ``cover(_:)``, and what takes more memory than ``memoryLimit`` is kept with the table, as it
  /// comes to that, and read from there.
  ///
  /// Law: memory is bounded by the limit, or what the keys of one data file take if that is more; and
  /// a run that is broken off leaves what it kept to the next one.
  /// - Returns: the table after that; `table` itself if nothing was kept.
  /// - Throws: as ``cover(_:)`` and ``persist(to:)``.
  @discardableResult
  public mutating func cover(
    _ state: TableState, keepingIn table: Table
  ) async throws(KeyIndexError) -> Table {
    try adopt(state.schema)
    var table = table
    var missing = uncovered(in: state)[...]
    // A row takes some hundred bytes while it is sorted.
    let most = max(1, Int64(memoryLimit / 128))
    while !missing.isEmpty {
      var part: [Int] = []
      var rowCount: Int64 = 0
      while let next = missing.first,
        part.isEmpty || rowCount + state.files[next].file.recordCount <= most
      {
        part.append(next)
        rowCount += max(0, state.files[next].file.recordCount)
        missing.removeFirst()
      }
      try await cover(part, of: state)
      noteSome(of: state)
      if byteCount > memoryLimit { table = try await persist(to: table) }
    }
    note(state)
    await tidy(in: state)
    return table
  }

  /// Reads the keys of `files`, which are indices of files of `state` that are not covered.
  @discardableResult
  private mutating func cover(
    _ files: [Int], of state: TableState
  ) async throws(KeyIndexError) -> Int64 {
    let missing = files.map { state.files[$0] }
    guard !missing.isEmpty else { return 0 }
    for file in missing where file.file.recordCount > Int64(UInt32.max) {
      throw .tooManyRows(file: file.file.path, count: file.file.recordCount)
    }
    var covering = self
    let numbers = missing.map { covering.number(PathKey($0.file.path)) }
    let runs = try await KeyReader(self, state).runs(of: missing, numbers)
    let entries = try await SegmentColumns.sorted(runs, state.table.environment)
    covering.add(IndexSegment(entries, of: numbers.map { UInt32(truncatingIfNeeded: $0) }))
    self = covering
    return missing.reduce(0) { $0 + $1.file.recordCount }
  }

  /// Takes notice of what the schema has become: where values of the order column have another unit
  /// than before, nothing that is known can be compared.
  private mutating func adopt(_ schema: Schema) throws(KeyIndexError) {
    guard let order, let field = schema.field(order.field.id), field.type != order.field.type
    else { return }
    let now = try OrderColumn(schema: schema, name: field.name)
    let isComparable =
      switch (order.field.type, field.type) {
      case (.int, .long), (.float, .double): true
      case (.primitive(.decimal), .primitive(.decimal)): now.isIndexed
      default: false
      }
    if isComparable { return }
    restart(order: now.isIndexed ? now : nil)
  }
}

/// Reads the keys of data files, dead rows too.
private struct KeyReader {
  let index: KeyIndex
  let state: TableState
  private let names: [String]
  private let rowIDIndex: Int?
  private let orderIndex: Int?

  init(_ index: KeyIndex, _ state: TableState) throws(KeyIndexError) {
    self.index = index
    self.state = state
    var names: [String] = []
    for field in index.columns.fields {
      guard let name = state.schema.name(of: field.id) else { throw .unknownColumn(field.name) }
      names.append(name)
    }
    var orderIndex: Int?
    if let order = index.order, let name = state.schema.name(of: order.field.id) {
      orderIndex = names.count
      names.append(name)
    }
    let rowID = MetadataColumn.rowID.rawValue
    var rowIDIndex: Int?
    if state.table.metadata.formatVersion >= .v3, state.schema.field(named: rowID) == nil {
      rowIDIndex = names.count
      names.append(rowID)
    }
    self.names = names
    self.orderIndex = orderIndex
    self.rowIDIndex = rowIDIndex
  }

  /// How many rows are sorted at once.
  private static let runRowCount = 1 << 20
  /// What a row id begins at that a file does not have itself.
  private static let inherited = Int64.min / 2

  /// The entries of `files`, which have `numbers`, unsorted, in parts.
  func runs(
    of files: [LiveFile], _ numbers: [Int]
  ) async throws(KeyIndexError) -> [[SegmentColumns]] {
    let (keyCount, seed) = (index.columns.fields.count, index.seed)
    let (rowIDIndex, orderIndex) = (rowIDIndex, orderIndex)
    var places = Places(files, numbers)
    var runs: [[SegmentColumns]] = []
    var run: [SegmentColumns] = []
    var rowCount = 0
    do throws(ScanError) {
      let scan = state.table.scan().at(state.selection).of(files.map { Self.task($0) })
        .select(names)
      try await scan.read { batch throws(ScanError) -> IndexedRows in
        IndexedRows(
          hashes: KeyHasher.hashes(
            of: Array(batch.columns[..<keyCount]), rowCount: batch.rowCount, seed: seed),
          rowIDs: rowIDIndex.flatMap { Self.storedIDs(batch.columns[$0]) },
          orders: orderIndex.map { batch.columns[$0] })
      } consume: { rows throws(ScanError) in
        let (number, first) = try places.take(rows.hashes.count)
        guard let columns = rows.columns(file: number, first: first, keepsOrder: true) else {
          return false
        }
        run.append(columns)
        rowCount += columns.count
        if rowCount >= Self.runRowCount {
          runs.append(run)
          (run, rowCount) = ([], 0)
        }
        return true
      }
      try places.checkEnd()
    } catch {
      throw .reading(error)
    }
    return run.isEmpty ? runs : runs + [run]
  }

  /// All rows of a file, and the ids it has itself.
  private static func task(_ file: LiveFile) -> ScanTask {
    var data = file.file
    data.firstRowID = inherited
    return ScanTask(file: data, sequenceNumber: file.sequenceNumber)
  }

  /// `_row_id` with nulls where it is inherited; nil if it always is.
  private static func storedIDs(_ column: Column) -> Column? {
    guard column.nullCount == 0, case .fixed(let buffer) = column.values else {
      return slowStoredIDs(column)
    }
    let ids = buffer.values(as: Int64.self)
    for row in ids.indices where ids[row] >= 0 { return slowStoredIDs(column) }
    return nil
  }

  private static func slowStoredIDs(_ column: Column) -> Column? {
    let builder = ColumnBuilder(.int64)
    var isAny = false
    for row in 0..<column.count {
      let id = column.isNull(row) ? -1 : column.integer(row)
      if id >= 0 {
        builder.append(id)
        isAny = true
      } else {
        builder.appendNull()
      }
    }
    return isAny ? builder.finish() : nil
  }

  /// Goes through the rows of some files in order.
  private struct Places {
    private let files: [LiveFile]
    private let numbers: [Int]
    private var next = 0
    private var position: Int64 = 0

    init(_ files: [LiveFile], _ numbers: [Int]) {
      self.files = files
      self.numbers = numbers
    }

    /// The file of the next `count` rows, which a batch has, and the position of the first of them.
    mutating func take(_ count: Int) throws(ScanError) -> (number: Int, first: Int64) {
      while next < files.count, position == files[next].file.recordCount {
        next += 1
        position = 0
      }
      guard next < files.count, files[next].file.recordCount - position >= Int64(count) else {
        throw wrongSize(position + Int64(count))
      }
      defer { position += Int64(count) }
      return (numbers[next], position)
    }

    func checkEnd() throws(ScanError) {
      var (next, position) = (next, position)
      while next < files.count, position == files[next].file.recordCount {
        next += 1
        position = 0
      }
      if next < files.count { throw wrongSize(position) }
    }

    private func wrongSize(_ found: Int64) -> ScanError {
      let file = files[min(next, files.count - 1)].file
      return .wrongSize(file: file.path, what: "rows", expected: file.recordCount, found: found)
    }
  }
}

extension SegmentColumns {
  /// Sorts runs of entries, several at a time, and merges them to one.
  fileprivate static func sorted(
    _ runs: [[SegmentColumns]], _ environment: Environment
  ) async throws(KeyIndexError) -> SegmentColumns {
    let parallelism = max(1, environment.processorCount)
    let sorted = try await mapConcurrently(runs, limit: parallelism) {
      (run) throws(KeyIndexError) -> SegmentColumns in
      if Task.isCancelled { throw .cancelled }
      return concat(run).sorted()
    }
    guard sorted.count > 1 else { return sorted.first ?? .empty }
    let parts = UInt64(parallelism * 4)
    let bounds = (1..<parts).map { UInt64.max / parts * $0 }
    let merged = try await mapConcurrently(Array(0..<bounds.count + 1), limit: parallelism) {
      (part) throws(KeyIndexError) -> SegmentColumns in
      if Task.isCancelled { throw .cancelled }
      let slices = sorted.map { run in
        let start = part == 0 ? 0 : run.firstIndex(notBelow: bounds[part - 1])
        let end = part == bounds.count ? run.count : run.firstIndex(notBelow: bounds[part])
        return run.slice(start..<end)
      }
      return SegmentColumns.merged(slices, isGone: [])
    }
    return concat(merged)
  }

  private func firstIndex(notBelow high: UInt64) -> Int {
    MemorySegment.firstIndex(notBelow: high, in: highs.values(as: UInt64.self), 0..<count)
  }
}
