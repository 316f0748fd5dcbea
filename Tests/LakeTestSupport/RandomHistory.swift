// SPDX-License-Identifier: Apache-2.0
import Lake

/// A table that random changes are made to, and the model that says what they must leave.
public struct RandomHistory: Sendable {
  public private(set) var table: Table
  public private(set) var model: ModelTable
  /// What was done, for people.
  public private(set) var log: [String] = []
  public let invariants: TableInvariants
  private var nextNumber: Int64 = 0
  /// `_row_id` and the sequence number of the last change, by branch and number of the row.
  private var lineage: [String: [Int64: (id: Int64, sequence: Int64)]] = [:]
  private var expectedUpdates: (branch: String, numbers: Set<Int64>)?
  private var states: [SnapshotID: (branch: String, rows: [ModelTable.Row])] = [:]
  private var columnCount = 0

  /// - Parameter location: where the table lies; nil: in memory.
  public init(
    _ random: SeededRandom, _ version: FormatVersion, at location: ObjectPath? = nil,
    store: (any ObjectStore)? = nil
  ) async throws {
    let environment = Environment.deterministic(seed: random.next())
    let schema = try Schema("k long not null, a int, b string, c double, d date")
    let warehouse = try location ?? ObjectPath("memory://w/house")
    let store = store ?? MemoryStore(environment: environment)
    let catalog = FilesystemCatalog(warehouse: warehouse, store: store, environment: environment)
    let specs = ["", "a", "bucket(3, k)", "truncate(1, b)", "month(d), a"]
    let orders = ["", "", "b desc nulls last, k"]
    table = try await catalog.createTable(
      TableIdentifier("db.t"),
      TableDefinition(
        schema: schema, partitionSpec: try PartitionSpec(random.pick(specs), schema: schema),
        sortOrder: try SortOrder(random.pick(orders), schema: schema),
        properties: [
          "write.parquet.row-group-size-bytes": "\(random.pick([1, 2000, 1 << 20]))",
          "write.parquet.page-row-limit": "\(random.pick([3, 20_000]))",
          "commit.manifest.min-count-to-merge": "\(random.pick([2, 3, 5, 100]))",
          "commit.manifest.target-size-bytes": "\(random.pick([1, 6000, 8 << 20]))",
          "write.metadata.metrics.default": random.pick(["none", "truncate(2)", "full"]),
          "write.delete.granularity": random.pick(["file", "partition"]),
        ], formatVersion: version))
    model = ModelTable(table.metadata.currentSchema)
    invariants = TableInvariants(
      try warehouse.appending(relativePath: "db/t"), in: store)
  }

  private var branches: [String] { model.branches.keys.sorted() }
  /// The branches there may be.
  public var branchNames: [String] { branches }

  /// Makes one random change, to the table and to the model.
  public mutating func step(_ random: SeededRandom) async throws {
    let branch = random.pick(branches)
    expectedUpdates = nil
    switch random.int(in: 0..<20) {
    case 0..<5: try await append(random, branch)
    case 5..<8: try await delete(random, branch)
    case 8..<11: try await update(random, branch)
    case 11: try await overwrite(random, branch)
    case 12: try await replacePartitions(random, branch)
    case 13: try await rewriteManifests(branch)
    case 14: try await makeBranch(random)
    case 15: try await publish(random)
    case 16: try await rollback(random, branch)
    case 17: try await changeColumns(random)
    case 18: try await changePartitions(random)
    default: try await upgrade(random)
    }
    table = try await table.refreshed()
    if let id = table.metadata.reference(branch)?.snapshotID {
      states[id] = (branch, model.rows(branch))
    }
  }

  /// Looks at the table again after something that was to change no row.
  public mutating func refresh() async throws {
    expectedUpdates = nil
    table = try await table.refreshed()
  }

  // MARK: rows

  private mutating func rows(_ random: SeededRandom) -> [ModelTable.Row] {
    let count = random.int(in: 1..<40)
    return (0..<count).map { _ in
      nextNumber += 1
      return model.schema.fields.map { field in
        field.name == "k" ? .long(nextNumber) : Generators.optional(field, random)
      }
    }
  }

  private mutating func append(_ random: SeededRandom, _ branch: String) async throws {
    let rows = rows(random)
    log.append("append \(rows.count) to \(branch)")
    var batches = [Rows.batch(rows, model.schema)][...]
    _ = try await table.append(branch: branch) { () async throws(Never) in batches.popFirst() }
    model.append(rows, to: branch)
  }

  private func predicate(_ random: SeededRandom) -> Predicate {
    // Numbers in a range often are whole files, and never all rows.
    if random.chance(40) {
      let low = random.int(in: 0..<Int(nextNumber) + 2)
      let high = low + random.int(in: 0..<30)
      return .and([
        .greaterOrEqual("k", .integer(Int64(low))), .less("k", .integer(Int64(high))),
      ])
    }
    return Generators.predicate(random, on: model.schema, depth: 2)
  }

  private func mode(_ random: SeededRandom) -> RowChangeMode {
    if table.metadata.formatVersion == .v1 { return .copyOnWrite }
    return random.pick(RowChangeMode.allCases)
  }

  private mutating func delete(_ random: SeededRandom, _ branch: String) async throws {
    let (predicate, mode) = (predicate(random), mode(random))
    log.append("delete from \(branch) where \(predicate), \(mode)")
    _ = try await table.deleteRows(where: predicate, mode: mode, branch: branch)
    try model.delete(where: predicate, from: branch)
  }

  private mutating func update(_ random: SeededRandom, _ branch: String) async throws {
    let (predicate, mode) = (predicate(random), mode(random))
    let others = model.schema.fields.filter { $0.name != "k" }
    guard !others.isEmpty else { return }
    let field = random.pick(others)
    let value = Generators.optional(field, random)
    log.append("update \(branch) set \(field.name) where \(predicate), \(mode)")
    let type = field.type.columnType
    _ = try await table.updateRows(where: predicate, mode: mode, branch: branch) {
      (batch) throws(CommitError) in
      guard let index = batch.fields.firstIndex(where: { $0.name == field.name }) else {
        return batch
      }
      var columns = batch.columns
      let builder = ColumnBuilder(type)
      for _ in 0..<batch.rowCount { builder.append(value) }
      columns[index] = builder.finish()
      return RecordBatch(fields: batch.fields, columns: columns, rowCount: batch.rowCount)
    }
    let changed = try model.update(where: predicate, field.name, to: value, in: branch)
    expectedUpdates = (branch, changed)
  }

  private mutating func overwrite(_ random: SeededRandom, _ branch: String) async throws {
    let (predicate, rows) = (predicate(random), rows(random))
    log.append("overwrite \(branch) where \(predicate)")
    var batches = [Rows.batch(rows, model.schema)][...]
    _ = try await table.overwriteRows(where: predicate, branch: branch) {
      () async throws(Never) in batches.popFirst()
    }
    try model.delete(where: predicate, from: branch)
    model.append(rows, to: branch)
  }

  private mutating func replacePartitions(
    _ random: SeededRandom, _ branch: String
  ) async throws {
    // Files of older specs are not of the partitions that are replaced: the model has no files.
    guard table.metadata.partitionSpecs.count == 1 else { return }
    let rows = rows(random)
    log.append("replace partitions of \(branch)")
    var batches = [Rows.batch(rows, model.schema)][...]
    _ = try await table.replacePartitions(branch: branch) {
      () async throws(Never) in batches.popFirst()
    }
    model.replacePartitions(rows, by: table.metadata.defaultPartitionSpec, in: branch)
  }

  // MARK: references

  private mutating func rewriteManifests(_ branch: String) async throws {
    log.append("rewrite manifests of \(branch)")
    _ = try await table.commit(ManifestRewrite(branch: branch))
  }

  private mutating func makeBranch(_ random: SeededRandom) async throws {
    guard let current = table.metadata.currentSnapshotID, branches.count < 3 else { return }
    let name = "b\(log.count)"
    log.append("branch \(name)")
    _ = try await table.commit(ReferenceChange.createBranch(name, at: current))
    model.set(name, to: model.rows("main"))
    lineage[name] = lineage["main"]
  }

  private mutating func publish(_ random: SeededRandom) async throws {
    guard let name = branches.filter({ $0 != "main" }).randomElement(random),
      let main = table.metadata.reference("main"), let other = table.metadata.reference(name),
      table.metadata.isAncestor(main.snapshotID, of: other.snapshotID)
    else { return }
    log.append("publish \(name)")
    _ = try await table.commit(PublishBranch(name))
    model.set("main", to: model.rows(name))
    lineage["main"] = lineage[name]
  }

  private mutating func rollback(_ random: SeededRandom, _ branch: String) async throws {
    guard let reference = table.metadata.reference(branch) else { return }
    let known = table.metadata.ancestry(of: reference.snapshotID).map(\.id)
      .filter { states[$0]?.branch == branch }
    // Rows are held as the schema has them now: states of another schema can't be gone back to.
    guard let target = known.randomElement(random), let state = states[target],
      state.rows.allSatisfy({ $0.count == model.schema.fields.count }),
      table.metadata.snapshot(target)?.schemaID == table.metadata.currentSchemaID
    else { return }
    log.append("roll \(branch) back")
    _ = try await table.commit(ReferenceChange.rollback(branch, to: target))
    model.set(branch, to: state.rows)
    lineage[branch] = nil
  }

  // MARK: schema and layout

  private mutating func changeColumns(_ random: SeededRandom) async throws {
    if random.chance(50) || model.schema.fields.count < 4 {
      columnCount += 1
      let name = "n\(columnCount)"
      let type = random.pick([FieldType.int, .string, .decimal(5, 2)])
      let field = Field(id: FieldID(0), name: name, type: type, isRequired: false)
      let value = table.metadata.formatVersion == .v3 ? Generators.optional(field, random) : nil
      log.append("add \(name) \(type)")
      let change = SchemaChange { evolution throws(IcebergError) in
        try evolution.add(name, type: type, default: value)
      }
      table = try await table.commit(change).table
      model.add(table.metadata.currentSchema, filling: value)
      return
    }
    let used = Set(
      table.metadata.partitionSpecs.flatMap(\.fields).flatMap(\.sourceIDs)
        + table.metadata.defaultSortOrder.fields.flatMap(\.sourceIDs))
    let free = model.schema.fields.filter { $0.name != "k" && !used.contains($0.id) }
    guard let field = free.randomElement(random),
      let index = model.schema.fields.firstIndex(of: field)
    else { return }
    log.append("drop \(field.name)")
    let change = SchemaChange { evolution throws(IcebergError) in try evolution.drop(field.name) }
    table = try await table.commit(change).table
    model.drop(index, table.metadata.currentSchema)
  }

  private mutating func changePartitions(_ random: SeededRandom) async throws {
    let candidates = ["k", "bucket(2, k)", "truncate(7, k)"]
    let text = random.pick(candidates)
    log.append("partition by \(text)")
    let change = LayoutChange.partitions { terms, schema throws(IcebergError) in
      terms = try PartitionTerm.parse(text, schema: schema)
    }
    _ = try await table.commit(change)
  }

  private mutating func upgrade(_ random: SeededRandom) async throws {
    guard random.chance(20) else { return }
    let version: FormatVersion = table.metadata.formatVersion == .v1 ? .v2 : .v3
    log.append("upgrade to \(version.rawValue)")
    _ = try await table.commit(FormatUpgrade(to: version))
  }

  // MARK: looking

  /// How the table's rows differ from the model's; nil if they do not.
  public mutating func difference() async throws -> String? {
    for branch in branches {
      guard branch != "main" || table.metadata.currentSnapshotID != nil else { continue }
      let scan = table.scan().at(.reference(branch))
      let found = try await scan.canonicalRows()
      let expected = try model.lines(branch)
      if found != expected {
        return "\(branch): \(CanonicalRows.difference(found, expected))"
      }
      let count = try await scan.count()
      if count != Int64(expected.count) { return "\(branch): counted \(count)" }
      if let difference = try await lineageDifference(branch) { return "\(branch): \(difference)" }
    }
    return nil
  }

  /// Row ids are unique, and stay with their rows; what was updated, and nothing else, has the
  /// sequence number of the commit.
  private mutating func lineageDifference(_ branch: String) async throws -> String? {
    guard table.metadata.formatVersion == .v3 else { return nil }
    let scan = table.scan().at(.reference(branch))
      .select(["k", "_row_id", "_last_updated_sequence_number"])
    let head = table.metadata.reference(branch).flatMap {
      table.metadata.snapshot($0.snapshotID)
    }
    var found: [Int64: (id: Int64, sequence: Int64)] = [:]
    for try await batch in scan.batches() {
      for row in 0..<batch.rowCount where !batch.columns[1].isNull(row) {
        found[batch.columns[0].integer(row)] = (
          batch.columns[1].integer(row), batch.columns[2].integer(row)
        )
      }
    }
    if Set(found.values.map(\.id)).count != found.count { return "a row id is there twice" }
    let known = lineage[branch] ?? [:]
    for (number, now) in found {
      guard let before = known[number] else { continue }
      if now.id != before.id { return "row \(number) had id \(before.id), has \(now.id)" }
      let isUpdated =
        expectedUpdates.map { $0.branch == branch && $0.numbers.contains(number) } ?? false
      let expected = isUpdated ? head?.sequenceNumber.rawValue ?? -1 : before.sequence
      if now.sequence != expected {
        return "row \(number) was updated at \(now.sequence), expected \(expected)"
      }
    }
    lineage[branch] = found
    return nil
  }
}

extension Array {
  fileprivate func randomElement(_ random: SeededRandom) -> Element? {
    isEmpty ? nil : self[random.int(in: 0..<count)]
  }
}
