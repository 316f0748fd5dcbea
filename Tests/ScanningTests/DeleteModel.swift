// SPDX-License-Identifier: Apache-2.0
import Columnar
import Lake
import LakeTestSupport
import Parquet
import ParquetFiles
import Testing

/// A table with deletes and, beside it, a list of its rows and of what was deleted, from which each
/// row's fate is worked out alone.
struct DeleteModel {
  /// A row as it was written: by top-level field, and by all fields within.
  struct Row {
    let number: Int64
    let values: [FieldID: Value?]
  }

  /// A live data file: its rows in their order.
  struct File {
    let file: DataFile
    let sequenceNumber: Int64
    let rows: [Row]
  }

  enum Deletes {
    case positions([String: Set<Int64>])
    case vector(path: String, Set<Int64>)
    case keys([FieldID], [[Value?]], isGlobal: Bool)
  }

  struct Delete {
    let partition: PartitionValues
    let sequenceNumber: Int64
    let deletes: Deletes
    let identity: DataFile.Identity
  }

  struct State {
    let snapshot: SnapshotID
    let schema: Schema
    let live: [Live]
  }

  /// A row that is not deleted, and where it lies.
  struct Live {
    let row: Row
    let path: String
    let position: Int64
  }

  var table: Table
  private(set) var files: [File] = []
  private(set) var deletes: [Delete] = []
  private(set) var states: [State] = []
  private(set) var log: [String] = []
  private let random: SeededRandom
  private var nextNumber: Int64 = 0

  static let number = FieldID(1)

  var schema: Schema { table.metadata.currentSchema }

  init(_ random: SeededRandom) async throws {
    self.random = random
    let version: FormatVersion = random.chance(60) ? .v2 : .v3
    let number = Field(id: FieldID(0), name: "n", type: .long, isRequired: true)
    let others = try Generators.schema(random, formatVersion: version).fields
      .enumerated().map { index, field in
        Field(
          id: FieldID(Int32(1000 + index)), name: field.name, type: field.type, isRequired: false)
      }
    let schema = try Schema(assigningIDsTo: [number] + others)
    let spec = random.chance(60) ? Self.partition(random, schema) : ""
    let environment = Environment.deterministic(seed: random.next())
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: MemoryStore(environment: environment),
      environment: environment)
    let properties = [
      "write.parquet.row-group-size-bytes": "\(random.pick([1, 2000, 1 << 20]))",
      "write.parquet.page-row-limit": "\(random.pick([1, 7, 20_000]))",
      "write.metadata.metrics.default": random.pick(["none", "counts", "truncate(2)", "full"]),
    ]
    table = try await catalog.createTable(
      TableIdentifier("db.t"),
      TableDefinition(
        schema: schema, partitionSpec: try PartitionSpec(spec, schema: schema),
        properties: properties, formatVersion: version))
    log.append("\(version): \(schema.fields.map { "\($0.name) \($0.type)" }) by (\(spec))")
  }

  private static func partition(_ random: SeededRandom, _ schema: Schema) -> String {
    // Mostly few partitions, so that deletes meet in one file.
    random.chance(70) ? "bucket(2, n)" : Generators.partitionText(random, schema)
  }

  // MARK: what is true

  /// Null is a value, and so is the default of a field that was added later.
  private func value(_ id: FieldID, of row: Row, _ schema: Schema) -> Value? {
    let value = row.values[id] ?? schema.field(id)?.initialDefault
    return schema.field(id)?.type == .long ? Self.widened(value) : value
  }

  /// What an int is where its column has become one of longs.
  private static func widened(_ value: Value?) -> Value? {
    if case .int(let number)? = value { return .long(Int64(number)) }
    return value
  }

  private func isDeleted(_ row: Row, at position: Int64, of file: File) -> Bool {
    let vectors = deletes.filter {
      guard case .vector(file.file.path, _) = $0.deletes else { return false }
      return file.sequenceNumber <= $0.sequenceNumber
    }
    for delete in deletes {
      let isSamePartition = delete.partition == file.file.partition
      switch delete.deletes {
      case .vector(let path, let positions):
        if path == file.file.path, file.sequenceNumber <= delete.sequenceNumber,
          positions.contains(position)
        {
          return true
        }
      case .positions(let paths):
        if vectors.isEmpty, isSamePartition, file.sequenceNumber <= delete.sequenceNumber,
          paths[file.file.path]?.contains(position) == true
        {
          return true
        }
      case .keys(let ids, let keys, let isGlobal):
        guard isGlobal || isSamePartition, file.sequenceNumber < delete.sequenceNumber else {
          continue
        }
        let own = ids.map { Self.widened(value($0, of: row, newest($0))) }
        if keys.contains(where: { $0.map(Self.widened) == own }) { return true }
      }
    }
    return false
  }

  /// The newest schema that has the field `id`.
  private func newest(_ id: FieldID) -> Schema {
    ([schema] + table.metadata.schemas.reversed()).first { $0.field(id) != nil } ?? schema
  }

  /// The rows that are not deleted.
  var live: [Live] {
    files.flatMap { file in
      file.rows.enumerated().compactMap { index, row in
        isDeleted(row, at: Int64(index), of: file)
          ? nil : Live(row: row, path: file.file.path, position: Int64(index))
      }
    }
  }

  /// All paths and positions that live delete files name.
  var deletedPositions: Set<String> {
    var all: Set<String> = []
    for delete in deletes {
      switch delete.deletes {
      case .positions(let paths):
        for (path, positions) in paths { all.formUnion(positions.map { "\(path) \($0)" }) }
      case .vector(let path, let positions): all.formUnion(positions.map { "\(path) \($0)" })
      case .keys: break
      }
    }
    return all
  }

  /// The values of `row` by the columns of `schema`.
  func values(of row: Row, _ schema: Schema) -> [Value?] {
    schema.fields.map { value($0.id, of: row, schema) }
  }

  // MARK: what is done

  /// Does something to the table.
  mutating func change() async throws {
    switch random.int(in: 0..<100) {
    case _ where files.isEmpty: try await append()
    case 0..<22: try await append()
    case 22..<55: try await deleteByPosition()
    case 55..<82: try await deleteByKeys()
    case 82..<87: try await evolve()
    case 87..<94 where table.metadata.formatVersion == .v2: try await upgrade()
    case 87..<95: try await respecify()
    default: try await removeFile()
    }
  }

  private mutating func commit(_ edit: TableEdit, _ what: String) async throws {
    let receipt = try await table.commit(edit)
    table = receipt.table
    log.append("\(table.metadata.lastSequenceNumber.rawValue): \(what)")
  }

  mutating func noteState() throws {
    guard let id = table.metadata.currentSnapshotID, states.last?.snapshot != id else { return }
    states.append(State(snapshot: id, schema: schema, live: live))
  }

  /// A number that content can have; nil for the commit's own.
  private func someSequenceNumber() -> SequenceNumber? {
    random.chance(35)
      ? SequenceNumber(
        Int64(random.int(in: 0..<Int(table.metadata.lastSequenceNumber.rawValue) + 1))) : nil
  }

  private mutating func append() async throws {
    let writer = try PartitionedWriter(
      table.metadata, store: table.store, environment: table.environment)
    var added: [Int64: Row] = [:]
    let generated = Generators.rows(random, schema, count: random.int(in: 1..<70))
    let rows = generated.map { row in
      let number = nextNumber
      nextNumber += 1
      var row = row
      row[0] = .long(number)
      added[number] = Row(number: number, values: ReferenceTable.values(of: row, schema.fields))
      return row
    }
    try await writer.write(Rows.batch(rows, schema))
    let written = try await writer.finish()
    let number = someSequenceNumber()
    var edit = TableEdit()
    for file in written { edit.added.append((file, number)) }
    try await commit(edit, "\(written.count) data files as of \(number?.rawValue ?? -1)")
    for file in written {
      let rows = try await numbers(in: file).map { try #require(added[$0]) }
      files.append(
        File(
          file: file,
          sequenceNumber: number?.rawValue ?? table.metadata.lastSequenceNumber.rawValue,
          rows: rows))
    }
  }

  /// The numbers of a file's rows in their order, read without any of the table's machinery.
  private func numbers(in file: DataFile) async throws -> [Int64] {
    let parquet = try await ParquetFile.open(ObjectPath(file.path), in: table.store)
    var numbers: [Int64] = []
    let projection = parquet.footer.schema.projection(fieldIDs: [Self.number.rawValue])
    for group in 0..<parquet.footer.rowGroupCount {
      let decoder = try await parquet.rowGroup(group, projection: projection)
      while let batch = try decoder.next() {
        numbers += (0..<batch.rowCount).map { batch.columns[0].integer($0) }
      }
    }
    return numbers
  }

  /// A live data file: often the first, so that there is one that many deletes are of.
  private func someFile() -> File { random.chance(50) ? files[0] : random.pick(files) }

  private func somePositions(_ file: File) -> Set<Int64> {
    let share = random.pick([3, 15, 15, 50])
    return Set((0..<file.rows.count).filter { _ in random.chance(share) }.map { Int64($0) })
  }

  private mutating func deleteByPosition() async throws {
    if table.metadata.formatVersion >= .v3, random.chance(55) { return try await vectors() }
    let target = someFile()
    var some = [target]
    if random.chance(50) {
      // Of files in other partitions, too: those rows stay.
      some += files.filter { $0.file.path != target.file.path && random.chance(40) }
    }
    var rows: [(path: String, position: Int64)] = []
    var paths: [String: Set<Int64>] = [:]
    for file in some {
      let positions = somePositions(file)
      paths[file.file.path] = positions
      for position in positions { rows.append((file.file.path, position)) }
    }
    if random.chance(20), let first = rows.first { rows.append(first) }
    guard !rows.isEmpty else { return }
    let file = try await DeleteFiles(table, random).positions(
      rows, in: target.file.partition, bounds: random.chance(70) ? .full : .none,
      saysWhich: random.chance(30))
    let number = someSequenceNumber()
    var edit = TableEdit()
    edit.added = [(file, number)]
    try await commit(edit, "\(rows.count) positions of \(paths.count) files")
    note(file, number, .positions(paths))
  }

  private mutating func vectors() async throws {
    var edit = TableEdit()
    var wanted: [(file: DataFile, positions: [Int64])] = []
    let target = someFile()
    for file in files where file.file.path == target.file.path || random.chance(20) {
      var positions = somePositions(file)
      deletes.removeAll { delete in
        guard case .vector(file.file.path, let old) = delete.deletes else { return false }
        positions.formUnion(old)
        edit.removed.insert(delete.identity)
        return true
      }
      wanted.append((file.file, positions.sorted()))
    }
    let written = try await DeleteFiles(table, random).vectors(wanted)
    edit.added = written.map { ($0, nil) }
    try await commit(edit, "\(written.count) vectors, \(edit.removed.count) replaced")
    for (file, vector) in zip(wanted, written) {
      note(vector, nil, .vector(path: file.file.path, Set(file.positions)))
    }
  }

  private mutating func deleteByKeys() async throws {
    let target = someFile()
    let spec = random.pick(table.metadata.partitionSpecs)
    let isGlobal = spec.isUnpartitioned && random.chance(60)
    let partition =
      isGlobal
      ? PartitionValues(specID: spec.id, values: spec.fields.map { _ in nil })
      : target.file.partition
    let own = try #require(table.metadata.partitionSpec(partition.specID))
    let leaves = Generators.leaves(schema).filter { ![.float, .double].contains($0.field.type) }
    var ids: [FieldID] = []
    for _ in 0..<random.pick([1, 1, 2]) {
      let id = random.pick(leaves).field.id
      if !ids.contains(id) { ids.append(id) }
    }
    let schema = schema
    // The columns the ids are in, and maybe others: these mean nothing.
    let columns = schema.fields.filter { field in
      random.chance(20) || ids.contains { id in field.id == id || field.type.holds(id) }
    }
    let donors = files.flatMap(\.rows)
    let rows = (0..<random.int(in: 1..<6)).map { _ in random.pick(donors) }
    let keys = rows.map { row in ids.map { value($0, of: row, schema) } }
    let file = try await DeleteFiles(table, random).equality(
      ids, rows.map { row in columns.map { value($0.id, of: row, schema) } }, columns,
      in: partition)
    let number = someSequenceNumber()
    var edit = TableEdit()
    edit.added = [(file, number)]
    try await commit(edit, "\(rows.count) keys by \(ids.map(\.rawValue))")
    note(file, number, .keys(ids, keys, isGlobal: own.isUnpartitioned))
  }

  private mutating func note(_ file: DataFile, _ number: SequenceNumber?, _ what: Deletes) {
    deletes.append(
      Delete(
        partition: file.partition,
        sequenceNumber: number?.rawValue ?? table.metadata.lastSequenceNumber.rawValue,
        deletes: what, identity: file.identity))
  }

  private mutating func removeFile() async throws {
    let target = random.pick(files)
    var edit = TableEdit()
    edit.removed = [target.file.identity]
    deletes.removeAll { delete in
      guard case .vector(target.file.path, _) = delete.deletes else { return false }
      edit.removed.insert(delete.identity)
      return true
    }
    files.removeAll { $0.file.path == target.file.path }
    try await commit(edit, "a data file removed")
  }

  private mutating func evolve() async throws {
    let metadata = table.metadata
    var evolution = SchemaEvolution(
      of: schema, lastFieldID: metadata.lastColumnID, version: metadata.formatVersion,
      specs: metadata.partitionSpecs, defaultSpec: metadata.defaultPartitionSpec,
      sortOrder: metadata.defaultSortOrder)
    let sources = Set(metadata.partitionSpecs.flatMap(\.fields).flatMap(\.sourceIDs))
    let free = schema.fields.dropFirst().filter { field in
      !sources.contains(field.id) && !sources.contains { field.type.holds($0) }
    }
    if random.chance(40), let field = free.randomElement(using: &generator) {
      try evolution.drop(field.name)
      log.append("dropped \(field.name)")
    } else if let field = schema.fields.first(where: { $0.type == .int }) {
      try evolution.changeType(of: field.name, to: .long)
      log.append("\(field.name) is long")
    } else {
      let name = "added\(evolution.lastFieldID.rawValue)"
      let hasDefault = metadata.formatVersion >= .v3 && random.chance(60)
      try evolution.add(name, type: .int, default: hasDefault ? .int(3) : nil)
      log.append("added \(name), default \(hasDefault)")
    }
    table = try await table.commit(
      MetadataEdit(.addSchema(evolution.schema), .setCurrentSchema(SchemaID(-1)))
    ).table
  }

  private var generator: SeededRandom {
    get { random }
    set {}
  }

  private mutating func upgrade() async throws {
    table = try await table.commit(MetadataEdit(.upgradeFormatVersion(.v3))).table
    log.append("upgraded")
  }

  private mutating func respecify() async throws {
    let text = random.chance(40) ? "" : Self.partition(random, schema)
    guard let spec = try? PartitionSpec(text, schema: schema) else { return }
    let terms = zip(spec.fields, spec.fields.indices).map { field, index in
      PartitionTerm(
        sourceIDs: field.sourceIDs, transform: field.transform,
        name: "p\(table.metadata.partitionSpecs.count)_\(index)")
    }
    let wanted = try table.metadata.partitionSpec(of: terms)
    table = try await table.commit(
      MetadataEdit(.addPartitionSpec(wanted), .setDefaultPartitionSpec(PartitionSpecID(-1)))
    ).table
    log.append("by (\(text))")
  }
}

extension FieldType {
  /// True if the field `id` lies in a structure of this type.
  func holds(_ id: FieldID) -> Bool {
    guard case .structure(let type) = self else { return false }
    return type.fields.contains { $0.id == id || $0.type.holds(id) }
  }
}
