// SPDX-License-Identifier: Apache-2.0
public import Bytes
public import Columnar
internal import Synchronization

/// Turns record batches into the bytes of a Parquet file.
///
///     file := "PAR1", row group*, Bloom filters, column indexes, offset indexes, footer,
///             footer length (4 bytes), "PAR1"
///
/// Does no I/O: bytes that are ready are taken with ``takeBytes()`` after any call, and appended
/// by the caller to the file in that order. Of a row group only the compressed pages are kept, and
/// of each column the values of one page.
/// Laws: after an error the file can't be finished; the same calls with the same batches and options
/// give the same bytes, whatever the number of threads.
/// Source: parquet-format README.md, "File format".
public final class ParquetFileWriter {
  public let fields: [ColumnField]
  private let options: WriterOptions
  private let schema: ParquetSchema
  private let paths: [String]
  private let slots: [FieldSlot]
  private var workers: [WorkerSlot]
  private var file: FileBuilder
  private var rowsInGroup = 0
  private var isBroken = false

  /// - Throws: ``ParquetError/invalidSchema(path:_:)`` for fields Parquet has no schema for;
  ///   ``ParquetError/noSuchColumn(_:)`` and ``ParquetError/unwritable(path:what:)`` for options
  ///   that don't fit them.
  public init(
    fields: [ColumnField], options: WriterOptions = WriterOptions()
  ) throws(ParquetError) {
    try ColumnAnnotation.check(options.annotations, fields)
    let schema = try ParquetSchema(
      fields: fields, annotations: options.annotations.compactMapValues(\.logicalType))
    let paths = ColumnPaths.all(fields)
    for name in options.columns.keys.sorted() where !paths.contains(name) {
      throw .noSuchColumn(name)
    }
    var slots: [FieldSlot] = []
    var start = 0
    for field in fields {
      let range = start..<start + ColumnPaths.leafCount(field.type)
      let columns = paths[range].map { options.columns[$0] ?? ColumnOptions() }
      slots.append(
        FieldSlot(
          try FieldWriter(
            field: field, leaves: schema.leaves[range], options: options, columns: columns)))
      start = range.upperBound
    }
    self.fields = fields
    self.options = options
    self.schema = schema
    self.paths = paths
    self.slots = slots
    workers = [try WorkerSlot(options)]
    file = try FileBuilder(schema: schema, paths: paths, options: options)
  }

  /// How many bytes the file has so far, the compressed pages of the open row group included.
  public var byteCount: Int64 {
    file.byteCount + Int64(slots.reduce(0) { $0 + $1.encodedByteCount })
  }

  /// How many rows were written.
  public var rowCount: Int64 { file.rowCount + Int64(rowsInGroup) }

  /// The bytes that became ready since the last call, in their order.
  public func takeBytes() -> [Buffer] { file.takeBytes() }

  // MARK: Writing

  /// Adds the rows of `batch`, whose columns are those of ``fields``.
  ///
  /// - Throws: ``ParquetError/unwritable(path:what:)`` for columns of other types, nulls where none
  ///   may be, or decimals of more digits than their type has.
  public func write(_ batch: RecordBatch) throws(ParquetError) {
    try begin(batch)
    var start = 0
    while start < batch.rowCount {
      let part = batch.slice(start..<start + rowCountThatFits(batch, from: start))
      try workers[0].withContext { (context) throws(ParquetError) in
        for (slot, column) in zip(slots, part.columns) { try slot.append(column, &context) }
      }
      start += part.rowCount
      rowsInGroup += part.rowCount
      if isGroupFull { try finishRowGroup() }
    }
    isBroken = false
  }

  /// Adds the rows of `batch` as ``write(_:)`` does, its columns encoded by up to `threads` tasks.
  ///
  /// Worth it for batches of some ten thousand rows: a task costs microseconds.
  public func write(_ batch: RecordBatch, threads: Int) async throws(ParquetError) {
    if threads <= 1 || fields.count <= 1 { return try write(batch) }
    try begin(batch)
    var start = 0
    while start < batch.rowCount {
      let part = batch.slice(start..<start + rowCountThatFits(batch, from: start))
      let costs = part.columns.map(\.byteCount)
      _ = try await onEachSlot(threads, costs) { (slot, index, context) throws(ParquetError) in
        try slot.append(part.columns[index], &context)
      }
      start += part.rowCount
      rowsInGroup += part.rowCount
      if isGroupFull { try await finishRowGroup(threads: threads) }
    }
    isBroken = false
  }

  /// Writes the open row group and the footer. Nothing can be written after it.
  public func finish() throws(ParquetError) -> WrittenFile {
    try begin(nil)
    if rowsInGroup > 0 { try finishRowGroup() }
    return file.finish()
  }

  /// As ``finish()``, with the columns of the open row group encoded by up to `threads` tasks.
  public func finish(threads: Int) async throws(ParquetError) -> WrittenFile {
    try begin(nil)
    if rowsInGroup > 0 { try await finishRowGroup(threads: threads) }
    return file.finish()
  }

  // MARK: Parts

  /// Checks the batch, and counts the writer as broken until the call that begins has ended.
  private func begin(_ batch: RecordBatch?) throws(ParquetError) {
    precondition(!file.isFinished, "a Parquet file that is finished already")
    guard !isBroken else { throw .unwritable(path: "", what: "writing failed before") }
    if let batch, batch.fields.count != fields.count {
      throw .unwritable(
        path: "", what: "found \(batch.fields.count) columns, expected \(fields.count)")
    }
    for (field, column) in zip(batch?.fields ?? [], batch?.columns ?? []) {
      try DecimalRange.check(column, path: field.name)
    }
    isBroken = true
  }

  private var isGroupFull: Bool {
    rowsInGroup >= options.rowGroupRowCount
      || slots.reduce(0) { $0 + $1.encodedByteCount } >= options.rowGroupByteCount
  }

  /// How many rows of `batch` from `start` on go into the row group before its size is looked at.
  private func rowCountThatFits(_ batch: RecordBatch, from start: Int) -> Int {
    let bytesPerRow = max(1, batch.byteCount / batch.rowCount)
    return min(
      batch.rowCount - start, max(1, options.rowGroupRowCount - rowsInGroup),
      max(1024, options.rowGroupByteCount / bytesPerRow))
  }

  private func finishRowGroup() throws(ParquetError) {
    let chunks = try workers[0].withContext { (context) throws(ParquetError) in
      var chunks: [[EncodedColumnChunk]] = []
      for slot in slots { chunks.append(try slot.finishRowGroup(&context)) }
      return chunks
    }
    file.append(chunks.flatMap { $0 }, rowCount: rowsInGroup)
    rowsInGroup = 0
  }

  private func finishRowGroup(threads: Int) async throws(ParquetError) {
    let costs = slots.map(\.encodedByteCount)
    let chunks = try await onEachSlot(threads, costs) { (slot, _, context) throws(ParquetError) in
      try slot.finishRowGroup(&context)
    }
    file.append(chunks.flatMap { $0 }, rowCount: rowsInGroup)
    rowsInGroup = 0
  }

  // MARK: Tasks

  /// Does `work` for each slot, the most costly first, by up to `threads` tasks that take the next
  /// slot when they are done with one. Results come in the order of the slots.
  private func onEachSlot<R: Sendable>(
    _ threads: Int, _ costs: [Int],
    _ work: @escaping @Sendable (FieldSlot, Int, inout PageContext) throws(ParquetError) -> R
  ) async throws(ParquetError) -> [R] {
    let threads = min(max(1, threads), slots.count)
    while workers.count < threads { workers.append(try WorkerSlot(options)) }
    let queue = SlotQueue(costs.indices.sorted { costs[$0] > costs[$1] })
    let slots = self.slots
    let results = await withTaskGroup(of: Result<[(Int, R)], ParquetError>.self) { group in
      for worker in workers.prefix(threads) {
        group.addTask { Self.drain(queue, slots, worker, work) }
      }
      var results: [Result<[(Int, R)], ParquetError>] = []
      for await result in group { results.append(result) }
      return results
    }
    var ordered: [(Int, R)] = []
    for result in results { ordered += try result.get() }
    return ordered.sorted { $0.0 < $1.0 }.map(\.1)
  }

  private static func drain<R: Sendable>(
    _ queue: SlotQueue, _ slots: [FieldSlot], _ worker: WorkerSlot,
    _ work: @Sendable (FieldSlot, Int, inout PageContext) throws(ParquetError) -> R
  ) -> Result<[(Int, R)], ParquetError> {
    do throws(ParquetError) {
      var done: [(Int, R)] = []
      while let index = queue.next() {
        let result = try worker.withContext { (context) throws(ParquetError) in
          try work(slots[index], index, &context)
        }
        done.append((index, result))
      }
      return .success(done)
    } catch {
      return .failure(error)
    }
  }
}

/// Slots that wait for a worker.
private final class SlotQueue: Sendable {
  private let order: [Int]
  private let taken = Atomic<Int>(0)

  init(_ order: [Int]) { self.order = order }

  func next() -> Int? {
    let place = taken.add(1, ordering: .relaxed).oldValue
    return order.indices.contains(place) ? order[place] : nil
  }
}
