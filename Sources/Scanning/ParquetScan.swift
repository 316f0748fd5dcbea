// SPDX-License-Identifier: Apache-2.0
public import Columnar
internal import Expressions
public import Iceberg
internal import Parquet
public import ParquetFiles
internal import Storage

/// A question to one Parquet file, whether or not it is a table's: which rows and columns.
///
///     for batch in try await ParquetScan(file).select("id").filter("price > 10").readAll() { … }
///
/// Rows that can't match are left out by what the file tells of its row groups and pages, and
/// columns are read only of rows that match. Names and types are those of ``schema``.
public struct ParquetScan: Sendable {
  private let file: ParquetFile
  /// The file's columns, its own field ids left aside.
  public let schema: Schema
  private var columns: [String]?
  private var predicate = Predicate.alwaysTrue
  private var mostRows: Int?
  private var parallelism = 1
  private var tuning = ReadTuning()

  /// - Throws: ``ScanError/invalidRequest(_:)`` if a name is there twice, or a type has no place in
  ///   a schema.
  public init(_ file: ParquetFile) throws(ScanError) {
    self.file = file
    do throws(IcebergError) {
      schema = try Schema(inferredFrom: file.footer.schema.fields)
    } catch {
      throw .invalidRequest(error)
    }
  }

  /// Reads only `columns`, in that order, as ``TableScan/select(_:)-([String])`` does.
  public func select(_ columns: [String]) -> ParquetScan {
    var scan = self
    scan.columns = columns
    return scan
  }

  /// As ``select(_:)-([String])``.
  public func select(_ columns: String...) -> ParquetScan { select(columns) }

  /// Reads only rows that match `predicate`, and all filters given before.
  public func filter(_ predicate: Predicate) -> ParquetScan {
    var scan = self
    scan.predicate = self.predicate == .alwaysTrue ? predicate : .and([self.predicate, predicate])
    return scan
  }

  /// Reads only rows that match the predicate that `text` is, such as `price > 10 AND city IS NULL`.
  ///
  /// - Throws: ``ScanError/invalidRequest(_:)`` if it is none.
  public func filter(_ text: String) throws(ScanError) -> ParquetScan {
    do throws(IcebergError) {
      return filter(try PredicateParser.parse(text))
    } catch {
      throw .invalidRequest(error)
    }
  }

  /// Reads at most `count` rows.
  public func limit(_ count: Int) -> ParquetScan {
    var scan = self
    scan.mostRows = max(0, count)
    return scan
  }

  /// Decodes with up to `count` tasks at a time (else one).
  public func parallelism(_ count: Int) -> ParquetScan {
    var scan = self
    scan.parallelism = max(1, count)
    return scan
  }

  /// Reads in other steps than it would: for tests.
  package func tuned(_ tuning: ReadTuning) -> ParquetScan {
    var scan = self
    scan.tuning = tuning
    return scan
  }

  /// The columns of the batches.
  public func outputFields() throws(ScanError) -> [ColumnField] {
    try fields(columns ?? ["*"]).map(\.columnField)
  }

  /// Reads all rows, and hands them to `consume` in order, made into something else by `transform`
  /// in the tasks that decode; `consume` says whether to go on.
  ///
  /// Law: memory is bounded by some megabytes a task, whatever the sizes of row groups whose pages
  /// an index tells of.
  /// - Returns: what was read.
  @discardableResult
  public func read<Output: Sendable>(
    transform: @escaping @Sendable (RecordBatch) throws(ScanError) -> Output,
    consume: (Output) async throws(ScanError) -> Bool
  ) async throws(ScanError) -> ScanCounts {
    let filter = try bound()
    let source = UnitSource(try open(try fields(columns ?? ["*"]), filter), tuning)
    return try await OrderedPipeline.run(
      source, parallelism: parallelism, limit: mostRows, transform: transform, consume: consume
    ).0
  }

  /// All rows, in memory.
  public func readAll() async throws(ScanError) -> [RecordBatch] {
    var batches: [RecordBatch] = []
    try await read { batch throws(ScanError) in
      batch
    } consume: { batch throws(ScanError) in
      batches.append(batch)
      return true
    }
    return batches
  }

  /// How many rows match, a limit put aside.
  ///
  /// Cost: without a filter nothing is read.
  public func count() async throws(ScanError) -> Int64 {
    let filter = try bound()
    guard filter != .alwaysTrue else { return file.footer.rowCount }
    var total: Int64 = 0
    let source = UnitSource(try open([], filter), tuning)
    _ = try await OrderedPipeline.run(source, parallelism: parallelism) {
      batches throws(ScanError) -> Int64 in
      batches.reduce(0) { $0 + Int64($1.rowCount) }
    } consume: { count throws(ScanError) in
      total += count
      return true
    }
    return total
  }

  // MARK: In terms of the schema

  private func bound() throws(ScanError) -> BoundPredicate {
    do throws(IcebergError) { return try predicate.bound(to: schema) } catch {
      throw .invalidRequest(error)
    }
  }

  private func fields(_ names: [String]) throws(ScanError) -> [Field] {
    do throws(IcebergError) { return try FieldSelection(schema).fields(names) } catch {
      throw .invalidRequest(error)
    }
  }

  private func open(
    _ output: [Field], _ filter: BoundPredicate
  ) throws(ScanError) -> OpenDataFile {
    let known = Set(output.flatMap(\.allIDs))
    let columns = ColumnField.with(idsOf: schema.columnFields, file.footer.schema.fields)
    let needed = filter.columns.filter { !known.contains($0.id) }.map(\.name)
    return OpenDataFile(
      file, FileColumns(file.footer.schema, given: columns), name: file.path.text,
      output: output, extra: try fields(needed), partitionValues: [:], residual: filter)
  }
}

extension ColumnField {
  /// `columns` with the ids that `fields` have, which were made from them: a column of nulls alone
  /// is one of text there.
  fileprivate static func with(
    idsOf fields: [ColumnField], _ columns: [ColumnField]
  ) -> [ColumnField] {
    zip(fields, columns).map { field, column in
      var column = column
      column.fieldID = field.fieldID
      let children = with(idsOf: field.type.children, column.type.children)
      switch column.type {
      case .structure: column.type = .structure(children)
      case .list: column.type = .list(children[0])
      case .map: column.type = .map(key: children[0], value: children[1])
      default: break
      }
      return column
    }
  }
}
