// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Catalogs
internal import Iceberg
internal import Scanning
internal import Storage

/// How an index is opened.
public struct KeyIndexOptions: Sendable {
  /// About how much memory segments may take that can be read from where they are kept with the
  /// table.
  public var memoryLimit: Int

  public init(memoryLimit: Int = .max) { self.memoryLimit = memoryLimit }
}

extension KeyIndex {
  /// The index that is kept with the table, with what has changed since; built from the table's
  /// files where there is none that can be used.
  ///
  /// An index that is damaged, or was made for other files, costs the time to read the keys of the
  /// files it does not cover.
  /// - Parameters:
  ///   - key: nil: the table's identifier fields.
  ///   - orderBy: nil: whatever column the index was made with.
  /// - Throws: ``KeyIndexError``, never for the state the index is in.
  public static func open(
    _ state: TableState, key: [String]? = nil, orderBy: String? = nil,
    options: KeyIndexOptions = KeyIndexOptions()
  ) async throws(KeyIndexError) -> KeyIndex {
    var index = try await known(state, key: key, orderBy: orderBy, options)
    try await index.cover(state)
    return index
  }

  /// As ``open(_:key:orderBy:options:)``, and what does not fit the limit of memory is kept with the
  /// table, so that the limit holds for an index that is made, too.
  ///
  /// - Parameter table: that of the state, or a later one of it.
  /// - Returns: the index, and the table after that.
  /// - Throws: ``KeyIndexError``, also where it can't be committed.
  public static func open(
    _ state: TableState, key: [String]? = nil, orderBy: String? = nil,
    options: KeyIndexOptions, keepingIn table: Table
  ) async throws(KeyIndexError) -> (index: KeyIndex, table: Table) {
    var index = try await known(state, key: key, orderBy: orderBy, options)
    let table = try await index.cover(state, keepingIn: table)
    return (index, table)
  }

  /// The index that is kept with the table as it is, whatever files it covers; an empty one where
  /// there is none that can be used.
  static func kept(_ state: TableState, key: [String]) async throws(KeyIndexError) -> KeyIndex {
    try await known(state, key: key, orderBy: nil, KeyIndexOptions())
  }

  /// The index that is kept with the table; an empty one where there is none that can be used.
  private static func known(
    _ state: TableState, key: [String]?, orderBy: String?, _ options: KeyIndexOptions
  ) async throws(KeyIndexError) -> KeyIndex {
    let columns = try KeyColumns(schema: state.schema, names: key, table: state.table.name)
    let order = try orderBy.map { (name) throws(KeyIndexError) in
      try OrderColumn(schema: state.schema, name: name)
    }
    return await load(columns, order, state, options)
      ?? KeyIndex(
        columns, order: order, seed: KeySeed(state.table.environment),
        memoryLimit: options.memoryLimit)
  }

  /// How many kept indexes are looked at.
  private static let candidateLimit = 3

  /// The newest index that is kept with the table and can be used.
  private static func load(
    _ columns: KeyColumns, _ order: OrderColumn?, _ state: TableState, _ options: KeyIndexOptions
  ) async -> KeyIndex? {
    for file in candidates(columns, state).prefix(candidateLimit) {
      guard let kept = await KeptIndex(file, of: columns.fieldIDs, in: state.table) else {
        continue
      }
      if let index = await load(kept, columns, order, state, options) { return index }
    }
    return nil
  }

  /// The statistics files that have such an index: those of the state's own history first, newest
  /// first.
  private static func candidates(_ columns: KeyColumns, _ state: TableState) -> [StatisticsFile] {
    let metadata = state.table.metadata
    var history: Set<SnapshotID> = []
    if let snapshot = state.snapshot {
      for ancestor in metadata.ancestry(of: snapshot.id) { history.insert(ancestor.id) }
    }
    let files = metadata.statistics.filter { $0.indexKeys.contains(columns.fieldIDs) }
    func rank(_ file: StatisticsFile) -> (Int, Int64) {
      (
        history.contains(file.snapshotID) ? 1 : 0,
        file.indexed?.sequenceNumber.rawValue ?? -1
      )
    }
    return files.sorted { rank($0) > rank($1) }
  }

  /// Nil if no part of it is of use.
  private static func load(
    _ kept: KeptIndex, _ columns: KeyColumns, _ order: OrderColumn?, _ state: TableState,
    _ options: KeyIndexOptions
  ) async -> KeyIndex? {
    let directory = kept.directory
    guard let known = directory.orderColumn(state.schema, wanted: order) else { return nil }
    var index = KeyIndex(
      columns, order: known, seed: directory.seed, memoryLimit: options.memoryLimit)
    index.files = FileNumbers(directory.files.map { $0.map { PathKey($0) } })
    let parallelism = max(1, state.table.environment.processorCount)
    var left = options.memoryLimit
    // The smallest first, so that the largest are those that stay where they are.
    for segment in kept.segments.sorted(by: { $0.stored.count < $1.stored.count }) {
      if segment.stored.byteCount > Int64(left) {
        index.segments.append(
          IndexSegment(numbers: segment.numbers, memory: nil, stored: segment.stored))
        continue
      }
      let memory = await segment.stored.load(
        from: state.table.store, fileCount: directory.files.count, parallelism: parallelism)
      guard let memory else {
        for number in segment.numbers { index.files.forgetIfKnown(Int(number)) }
        continue
      }
      left -= memory.byteCount
      index.segments.append(
        IndexSegment(numbers: segment.numbers, memory: memory, stored: segment.stored))
    }
    index.segments.sort { $0.count > $1.count }
    // What no segment has is not covered, whatever the directory says.
    let covered = Set(index.segments.flatMap(\.numbers))
    for number in directory.files.indices
    where !covered.contains(UInt32(truncatingIfNeeded: number)) {
      index.files.forgetIfKnown(number)
    }
    return index.fileCount > 0 ? index : nil
  }
}

/// An index that is kept with a table, its directory read.
struct KeptIndex: Sendable {
  let file: StatisticsFile
  let directory: IndexDirectory
  /// With their places; those that are nowhere are left out.
  let segments: [IndexDirectory.Segment]

  /// How much of a file's end is read at first.
  private static let tailByteCount: Int64 = 64 << 10

  /// Nil if there is none in `file`, or it can't be read.
  init?(_ file: StatisticsFile, of fieldIDs: [FieldID]?, in table: Table) async {
    guard let (footer, bytes, start) = await Self.footer(file, table),
      let blob = footer.blobs.last(where: {
        $0.type == IndexDirectory.blobType && (fieldIDs == nil || $0.fields == fieldIDs)
      })
    else { return nil }
    var stored: Buffer?
    if blob.offset >= start {
      let from = Int(blob.offset - start)
      stored = bytes.slice(from..<from + Int(blob.byteCount))
    } else if let path = try? ObjectPath(file.path) {
      stored = try? await table.store.get(path, range: blob.offset..<blob.offset + blob.byteCount)
    }
    guard let stored, let contents = try? blob.contents(of: stored.bytes),
      let directory = IndexDirectory(decoding: contents.bytes),
      fieldIDs == nil || directory.fieldIDs == fieldIDs
    else { return nil }
    self.file = file
    self.directory = directory
    segments = Self.placed(directory, file, footer)
  }

  private static func placed(
    _ directory: IndexDirectory, _ file: StatisticsFile, _ footer: PuffinFooter
  ) -> [IndexDirectory.Segment] {
    var own: [String: PuffinBlob] = [:]
    for blob in footer.blobs where blob.type == IndexDirectory.segmentType {
      if let id = blob.properties[IndexDirectory.segmentProperty] { own[id] = blob }
    }
    return directory.segments.compactMap { segment in
      let stored = segment.stored
      guard stored.path.isEmpty else { return segment }
      guard let blob = own["\(stored.id)"], blob.byteCount == stored.byteCount else { return nil }
      return IndexDirectory.Segment(
        numbers: segment.numbers, stored: stored.at(file.path, blob.offset))
    }
  }

  /// The footer of a statistics file, the end of the file that was read for it, and where that
  /// starts.
  static func footer(
    _ file: StatisticsFile, _ table: Table
  ) async -> (PuffinFooter, Buffer, Int64)? {
    guard let path = try? ObjectPath(file.path) else { return nil }
    let length = file.byteCount
    var start = max(0, length - tailByteCount)
    guard length > 0, var tail = try? await table.store.get(path, range: start..<length),
      Int64(tail.count) == length - start
    else { return nil }
    let most = min(tail.count, PuffinFooter.tailByteCount)
    guard let size = try? PuffinFooter.byteCount(tail: tail.bytes.extracting(last: most)),
      size <= length
    else { return nil }
    if size > Int64(tail.count) {
      start = length - size
      guard let more = try? await table.store.get(path, range: start..<length),
        Int64(more.count) == size
      else { return nil }
      tail = more
    }
    guard
      let footer = try? PuffinFooter(
        decoding: tail.bytes.extracting(last: Int(size)), fileByteCount: length)
    else { return nil }
    return (footer, tail, start)
  }
}

extension IndexDirectory {
  /// The order column, as `schema` has it; nil if the index is not of use where `wanted` is wanted.
  fileprivate func orderColumn(_ schema: Schema, wanted: OrderColumn?) -> OrderColumn?? {
    guard let order else { return wanted?.isIndexed ?? false ? nil : .some(nil) }
    guard let name = schema.name(of: order.id),
      let known = try? OrderColumn(schema: schema, name: name),
      known.field.type.description == order.type, known.isIndexed,
      wanted == nil || wanted?.field.id == order.id
    else { return nil }
    return .some(known)
  }
}
