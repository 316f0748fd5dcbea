// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Columnar
internal import Expressions
public import Iceberg
internal import Storage

/// A question to the history of a table: which rows were inserted, deleted and updated, after one
/// state and up to another, whatever the commits were made of.
///
///     for try await batch in table.changes(from: .id(yesterday)).batches() { … }
///
/// Rows have the columns of ``ChangelogColumn`` first, then the table's own as the later state has
/// them. They come by commit, and of one commit deletes first, then updates, then inserts. Commits
/// that only replaced files are passed over; rows that were written again unchanged are not shown.
///
/// A delete and an insert of one commit are an update if they have the same `_row_id`, or else the
/// same identifier fields; where several rows of either have it, they stay what they are.
///
/// Law: taking out what was deleted or updated and putting in what came for it makes of the rows of
/// the earlier state those of the later one; with a filter or some columns, of the rows and columns
/// that these leave of both. A change that they do not show is none.
/// Cost: grows with the changes, not with the table; equality deletes cost the columns they name of
/// the files they may be about. Memory: where a commit deletes and inserts, its changes up to
/// ``memoryLimit(_:)``; beyond that two bits a row, and what it deletes and inserts is read several
/// times.
///
/// A value; each step gives a new one. Nothing is read before ``batches()``.
public struct ChangelogScan: Sendable {
  let table: Table
  let from: SnapshotSelection?
  let to: SnapshotSelection
  private var columns: [String]?
  private var base: TableScan
  private(set) var isNet = false
  private(set) var preImages = PreImages.omitted
  /// True if it is not known how many of the rows that are read are asked for.
  private(set) var isFiltered = false
  private(set) var byteLimit = 256 << 20
  private var lookup: (any KeyLookup)?

  /// Whether rows are handed out as they were before an update.
  public enum PreImages: Hashable, Sendable { case omitted, included }

  init(_ table: Table, from: SnapshotSelection?, to: SnapshotSelection) {
    self.table = table.observed(by: nil)
    self.from = from
    self.to = to
    base = self.table.scan().at(to)
  }

  /// Reads only `columns`, as ``TableScan/select(_:)-([String])`` does.
  public func select(_ columns: [String]) -> ChangelogScan {
    var scan = self
    scan.columns = columns
    return scan
  }

  /// As ``select(_:)-([String])``.
  public func select(_ columns: String...) -> ChangelogScan { select(columns) }

  /// Reads only changes of rows that match `predicate`, and all filters given before.
  ///
  /// A row that comes to match is inserted, one that ceases to is deleted.
  public func filter(_ predicate: Predicate) -> ChangelogScan {
    var scan = self
    scan.base = base.filter(predicate)
    scan.isFiltered = true
    return scan
  }

  /// As ``filter(_:)-(Predicate)``, of a predicate as text.
  ///
  /// - Throws: ``ScanError/invalidRequest(_:)`` if it is none.
  public func filter(_ text: String) throws(ScanError) -> ChangelogScan {
    var scan = self
    scan.base = try base.filter(text)
    scan.isFiltered = true
    return scan
  }

  /// Tells the whole range as one change, as of its last commit: what comes and goes within it does
  /// not show.
  public func net() -> ChangelogScan {
    var scan = self
    scan.isNet = true
    return scan
  }

  /// Hands out rows as they were before updates too, each right before what it became.
  public func preImages(_ preImages: PreImages) -> ChangelogScan {
    var scan = self
    scan.preImages = preImages
    return scan
  }

  /// Finds the rows of equality deletes by `lookup`, where they are by its key.
  public func finding(by lookup: some KeyLookup) -> ChangelogScan {
    var scan = self
    scan.lookup = lookup
    return scan
  }

  /// Takes about so many bytes for the rows of a commit that deletes and inserts (else 256 MB).
  ///
  /// Law: the changes are the same, and of one commit deletes come first, then updates, then inserts;
  /// which update comes before which may differ. Cost: rows that take more are read again for each
  /// part of them that does not.
  public func memoryLimit(_ byteCount: Int) -> ChangelogScan {
    var scan = self
    scan.byteLimit = max(1, byteCount)
    return scan
  }

  /// Decodes with up to `count` tasks at a time (else one a processor).
  public func parallelism(_ count: Int) -> ChangelogScan {
    var scan = self
    scan.base = base.parallelism(count)
    return scan
  }

  /// The columns of the rows.
  public func outputFields() throws(ScanError) -> [ColumnField] {
    ChangelogColumn.allCases.map(\.field) + (try selected.outputFields().map(\.columnField))
  }

  /// Where the range ends: from there on the next one continues; nil if there is no snapshot yet.
  public func end() throws(ScanError) -> SnapshotID? { try table.metadata.state(to).snapshot?.id }

  /// The changes, as a sequence of batches that is read as it is asked for; none is of two commits.
  public func batches() -> ChangelogStream { ChangelogStream(self) }

  // MARK: what is read

  /// The scan of what is handed out.
  var selected: TableScan { columns.map { base.select($0) } ?? base }

  /// The commits of the range.
  func range() throws(ScanError) -> ChangelogRange {
    let range = try ChangelogRange(of: table.metadata, from: from, to: to)
    return isNet ? try range.folded(of: table.metadata, from: from) ?? range : range
  }

  func reader(_ schema: Schema) throws(ScanError) -> ChangeReader {
    let planner = ChangePlanner(table: table, schema: schema, filter: try base.bind(schema))
    return ChangeReader(table, to, planner, lookup)
  }

  /// The scan of what is handed out and of what it takes to know rows again, and which is which.
  func pairing(_ schema: Schema) throws(ScanError) -> (scan: TableScan, shape: ChangelogShape) {
    let output = try selected.outputFields()
    var names = columns ?? ["*"]
    let keys = schema.identifierFieldIDs.sorted()
    let tops = keys.compactMap { key in schema.fields.first { $0.id == key } }
    let keyNames = schema.fields.filter { !Set(keys).isDisjoint(with: $0.allIDs) }.map(\.name)
    let isWhole = columns == nil || names.contains("*")
    if !isWhole, tops.count == keys.count { names += tops.map(\.name) }
    if output.allSatisfy({ MetadataColumn($0.id) != nil }) { names.append("*") }
    let rowID = MetadataColumn.rowID
    if table.metadata.formatVersion >= .v3, schema.field(named: rowID.rawValue) == nil {
      names.append(rowID.rawValue)
    }
    let scan = base.select(names)
    let fields = try scan.outputFields()
    let shape = ChangelogShape(
      outputCount: output.count,
      compared: fields.indices.filter { MetadataColumn(fields[$0].id) == nil },
      rowID: fields.firstIndex { $0.id == rowID.fieldID },
      keys: isWhole || tops.count == keys.count ? keys : [], keyNames: keyNames)
    return (scan, shape)
  }
}

extension Table {
  /// The changes of rows after the state `from` (nil: from the empty table on), up to the state `to`.
  public func changes(
    from: SnapshotSelection?, to: SnapshotSelection = .current
  ) -> ChangelogScan { ChangelogScan(self, from: from, to: to) }
}
