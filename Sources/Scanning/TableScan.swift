// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Columnar
internal import Expressions
public import Iceberg
internal import Storage

/// A question to a table: which rows and columns, of which state.
///
///     for try await batch in table.scan().select("id", "price").filter("price > 10").batches() { … }
///
/// A value; each step gives a new one. Nothing is read before ``plan()`` or ``batches()``.
public struct TableScan: Sendable {
  private(set) var table: Table
  private(set) var selection = SnapshotSelection.current
  private var columns: [String]?
  private var predicate = Predicate.alwaysTrue
  private var mostRows: Int?
  private var parallelism: Int
  /// The only files that are read; nil: those that planning finds.
  var tasks: [ScanTask]?
  private var tuning = ReadTuning()
  /// Where files that are opened are kept; nil: nowhere.
  var openFiles: OpenFiles?

  init(_ table: Table) {
    self.table = table
    parallelism = max(1, table.environment.processorCount)
  }

  /// Reads the state `selection`.
  public func at(_ selection: SnapshotSelection) -> TableScan {
    var scan = self
    scan.selection = selection
    return scan
  }

  /// Reads only `columns`, in that order; `a.b` is field b of structure a, which then has that
  /// field alone. `*` stands for all columns.
  public func select(_ columns: [String]) -> TableScan {
    var scan = self
    scan.columns = columns
    return scan
  }

  /// As ``select(_:)-([String])``.
  public func select(_ columns: String...) -> TableScan { select(columns) }

  /// Reads only rows that match `predicate`, and all filters given before.
  public func filter(_ predicate: Predicate) -> TableScan {
    var scan = self
    scan.predicate = self.predicate == .alwaysTrue ? predicate : .and([self.predicate, predicate])
    return scan
  }

  /// Reads only rows that match the predicate that `text` is, such as `price > 10 AND city IS NULL`.
  ///
  /// - Throws: ``ScanError/invalidRequest(_:)`` if it is none.
  public func filter(_ text: String) throws(ScanError) -> TableScan {
    do throws(IcebergError) {
      return filter(try PredicateParser.parse(text))
    } catch {
      throw .invalidRequest(error)
    }
  }

  /// Reads at most `count` rows.
  public func limit(_ count: Int) -> TableScan {
    var scan = self
    scan.mostRows = max(0, count)
    return scan
  }

  /// Decodes with up to `count` tasks at a time (else one a processor).
  public func parallelism(_ count: Int) -> TableScan {
    var scan = self
    scan.parallelism = max(1, count)
    return scan
  }

  /// Reads in other steps than it would: for tests.
  package func tuned(_ tuning: ReadTuning) -> TableScan {
    var scan = self
    scan.tuning = tuning
    return scan
  }

  /// Finds out from metadata what has to be read.
  ///
  /// A scan whose rows are read is planned by the table's catalog instead, where that wants to plan.
  ///
  /// Cost: a request for the manifest list, and one for each manifest that may have matching files;
  /// none for what was read before and is kept (``ManifestCache``).
  /// - Throws: ``ScanError``.
  public func plan() async throws(ScanError) -> ScanPlan { try await plan(until: nil) }

  /// As ``plan()``, but if there is no filter, files beyond those that have `rowCount` rows for
  /// certain may be left out.
  func plan(until rowCount: Int?) async throws(ScanError) -> ScanPlan {
    let (snapshot, schema) = try table.metadata.state(selection)
    let filter = try bind(schema)
    if let tasks {
      return ScanPlan(snapshot: snapshot, schema: schema, tasks: tasks, counts: PlanCounts())
    }
    return try await ScanPlanner(
      table: table, snapshot: snapshot, schema: schema, filter: filter, rowLimit: rowCount
    ).plan()
  }

  /// The rows, as a sequence of batches that is read as it is asked for.
  public func batches() -> BatchStream { BatchStream(self) }

  /// Reads all rows, and hands them to `consume` in order, made into something else by `transform`
  /// in the tasks that decode; `consume` says whether to go on.
  ///
  /// Law: memory is bounded by some megabytes a task, whatever the sizes of files.
  /// - Returns: what was planned and what was read.
  @discardableResult
  public func read<Output: Sendable>(
    transform: @escaping @Sendable (RecordBatch) throws(ScanError) -> Output,
    consume: (Output) async throws(ScanError) -> Bool
  ) async throws(ScanError) -> ScanReport {
    let run = try await begin()
    let request = try reading(run.plan).request(run.plan.schema)
    let source = UnitSource(run.plan.tasks, request, parallelism: parallelism)
    let (counts, returned) = try await OrderedPipeline.run(
      source, parallelism: parallelism, limit: mostRows, transform: transform, consume: consume)
    return run.end(read: counts, rows: returned)
  }

  /// All rows, in memory.
  func collect() async throws(ScanError) -> [RecordBatch] {
    var batches: [RecordBatch] = []
    try await read { batch throws(ScanError) in
      batch
    } consume: { batch throws(ScanError) in
      batches.append(batch)
      return true
    }
    return batches
  }

  // MARK: what is asked for, in terms of a schema

  func bind(_ schema: Schema) throws(ScanError) -> BoundPredicate {
    if predicate == .alwaysTrue { return .alwaysTrue }
    let schema = try readable(schema)
    do throws(IcebergError) {
      return try predicate.bound(to: schema)
    } catch {
      throw .invalidRequest(error)
    }
  }

  /// The fields of the rows, as they are selected.
  public func outputFields() throws(ScanError) -> [Field] {
    let (_, schema) = try table.metadata.state(selection)
    return try outputFields(schema)
  }

  /// What can be named: the columns of `schema`, and the metadata columns.
  private func readable(_ schema: Schema) throws(ScanError) -> Schema {
    // Where the partitions' types can't be told, there is no such column.
    let partition = (try? CommonPartition(table.metadata))?.fields ?? []
    do throws(IcebergError) {
      return try schema.withMetadataColumns(partition: partition)
    } catch {
      throw .invalidRequest(error)
    }
  }

  func outputFields(_ schema: Schema) throws(ScanError) -> [Field] {
    guard let columns else { return schema.fields }
    let schema = try readable(schema)
    do throws(IcebergError) {
      return try FieldSelection(schema).fields(columns)
    } catch {
      throw .invalidRequest(error)
    }
  }

  func request(_ schema: Schema) throws(ScanError) -> ReadRequest {
    let filter = try bind(schema)
    let output = try outputFields(schema)
    let known = Set(output.flatMap(\.allIDs))
    let needed = filter.columns.filter { !known.contains($0.id) }.map(\.name)
    let extra = try fields(needed, of: schema)
    return try request(output: output, extra: extra, filter: filter)
  }

  /// What it takes to count the rows of some files that match.
  func countRequest(
    _ schema: Schema, _ filter: BoundPredicate
  ) throws(ScanError) -> ReadRequest {
    let columns = try fields(filter.columns.map(\.name), of: schema)
    return try request(output: [], extra: columns, filter: filter)
  }

  private func fields(_ names: [String], of schema: Schema) throws(ScanError) -> [Field] {
    if names.isEmpty { return [] }
    let schema = try readable(schema)
    do throws(IcebergError) { return try FieldSelection(schema).fields(names) } catch {
      throw .invalidRequest(error)
    }
  }

  private func request(
    output: [Field], extra: [Field], filter: BoundPredicate
  ) throws(ScanError) -> ReadRequest {
    let showsPartition = (output + extra).contains { $0.id == MetadataColumn.partition.fieldID }
    return ReadRequest(
      table: table, output: output, extra: extra, filter: filter,
      partition: showsPartition ? try CommonPartition(table.metadata) : nil, tuning: tuning,
      openFiles: openFiles)
  }

  /// True if metadata tells that every row of the task's file matches.
  func decided(_ task: ScanTask, _ filter: BoundPredicate) throws(ScanError) -> Bool {
    if filter == .alwaysTrue { return true }
    let partition = task.file.partition
    guard let spec = table.metadata.partitionSpec(partition.specID) else { return false }
    return spec.strictProjection(of: filter).mustMatch(PartitionFacts(partition.values, of: spec))
      || filter.mustMatch(DataFileFacts(file: task.file))
  }

  /// Plans, and takes notice of what the report of a scan tells.
  func begin() async throws(ScanError) -> ScanRun {
    let start = table.environment.uptime()
    let plan = try await readingPlan(until: mostRows)
    return ScanRun(
      table: table, filter: predicate, fields: try outputFields(plan.schema), plan: plan,
      start: start, planned: table.environment.uptime())
  }

  /// The scan with the files of `plan` read where they are to be read.
  func reading(_ plan: ScanPlan) -> TableScan {
    guard let store = plan.store else { return self }
    var scan = self
    scan.table = table.reading(in: store)
    return scan
  }

  var hasSelection: Bool { columns != nil }
  var rowLimit: Int? { mostRows }
  var taskLimit: Int { parallelism }
}

extension Table {
  /// A question to this state of the table.
  public func scan() -> TableScan { TableScan(self) }
}
