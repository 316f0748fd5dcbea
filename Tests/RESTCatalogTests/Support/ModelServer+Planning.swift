// SPDX-License-Identifier: Apache-2.0
import Catalogs
import Iceberg
import JSON
import Lake
import LakeTestSupport
import Storage

/// How the model server plans scans: with our own planner, and told as the protocol says.
struct ModelPlanning: Sendable {
  enum Ending: Sendable {
    case completed, failed, cancelled
    /// It stays under way.
    case never
  }

  /// The routes, as the configuration lists them.
  static let routes = [
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan",
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan/{plan-id}",
    "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan/{plan-id}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/tasks",
  ]

  var random = SeededRandom(seed: 1)
  /// How often a plan is under way still when it is asked for.
  var polls = 0
  var ending = Ending.completed
  /// How many plans are forgotten when they are asked for: with whatever was kept for them.
  var forgets = 0
  /// How many files are told of in one answer.
  var pageSize = Int.max
  /// Each part names the next one, in place of the first answer naming all.
  var isChained = false
  /// As Iceberg Java wrote files up to 1.10.
  var isOld = false
  /// Files are named that can't match.
  var ignoresFilters = false
  /// What is put into the answer to a plan besides.
  var extras = ""
  /// Changes each answer that tells of files.
  var lie: @Sendable (String) -> String = { $0 }
  /// What is kept for plans that were not let go of: what is to be told, by part.
  var open: [String: [String]] = [:]
  var cancelled: [String] = []
  var count = 0
}

/// What a table is planned from alone.
private struct NoHome: TableHome {
  let metadata: TableMetadata
  func load() async throws(CatalogError) -> Table { throw .tableNotFound("") }
  func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome {
    .conflict("no commits")
  }
}

extension ModelServer {
  func planningRoute(
    _ seen: Received, _ parts: [String], _ identifier: TableIdentifier, _ body: JSONValue?
  ) async throws -> HTTPResponse {
    guard let entry = tables[identifier] else { throw Self.noTable(identifier) }
    guard planning != nil else { throw Refusal(406, "UnsupportedOperationException", "no plans") }
    switch (seen.method, parts[4], parts.count) {
    case ("POST", "plan", 5): return try await plan(entry, body)
    case ("GET", "plan", 6): return try result(parts[5])
    case ("DELETE", "plan", 6):
      planning?.cancelled.append(parts[5])
      guard planning?.open.removeValue(forKey: parts[5]) != nil else {
        throw Refusal(404, "NoSuchPlanIdException", parts[5])
      }
      return Self.nothing
    case ("POST", "tasks", 5): return try part(body?["plan-task"]?.string ?? "")
    default: throw Refusal.noRoute(seen)
    }
  }

  private func plan(_ entry: Entry, _ body: JSONValue?) async throws -> HTTPResponse {
    guard let body, var planning, let number = body["snapshot-id"]?.integer else {
      throw Refusal(400, "BadRequestException", "no plan")
    }
    let id = SnapshotID(number)
    let table = Table(
      name: "t", metadata: entry.metadata, metadataLocation: try ObjectPath(entry.location),
      store: store, environment: environment, home: NoHome(metadata: entry.metadata),
      manifestCache: ManifestCache())
    var state = SnapshotSelection.id(id)
    if body["use-snapshot-schema"]?.boolean != true {
      let branch = entry.metadata.references.first {
        $0.value.snapshotID == id && $0.value.kind == .branch
      }
      guard let branch else { throw Refusal(400, "BadRequestException", "no branch is there") }
      state = .reference(branch.key)
    }
    let filter = try body["filter"].map { try Self.predicate($0) } ?? .alwaysTrue
    let scan = table.scan().at(state).filter(filter)
    // What can't be bound is a bad request.
    let found = try await scan.plan().tasks
    let tasks = planning.ignoresFilters ? try await table.scan().at(state).plan().tasks : found
    planning.count += 1
    let planID = "plan-\(planning.count)/ü %"
    planning.open[planID] = PlanText(entry.metadata, planning).pages(tasks, planID)
    self.planning = planning
    if planning.polls > 0 || planning.ending == .never {
      return Self.json(#"{"status":"submitted","plan-id":\#(Self.text(.string(planID)))}"#)
    }
    return try result(planID, withID: true)
  }

  /// True if what was kept for plans is gone.
  private func forgets() -> Bool {
    guard let forgets = planning?.forgets, forgets > 0 else { return false }
    planning?.forgets -= 1
    planning?.open = [:]
    return true
  }

  private func result(_ planID: String, withID: Bool = false) throws -> HTTPResponse {
    if !withID, forgets() { throw Refusal(404, "NoSuchPlanIdException", "no plan \(planID)") }
    guard var planning, let pages = planning.open[planID] else {
      throw Refusal(404, "NoSuchPlanIdException", "no plan \(planID)")
    }
    if planning.polls > 0 || planning.ending == .never {
      planning.polls -= 1
      self.planning = planning
      return Self.json(#"{"status":"submitted"}"#)
    }
    let id = withID ? #","plan-id":\#(Self.text(.string(planID)))"# : ""
    switch planning.ending {
    case .failed:
      return Self.json(
        #"{"status":"failed","error":{"message":"out of luck","type":"PlanError","code":500}}"#)
    case .cancelled: return Self.json(#"{"status":"cancelled"}"#)
    case .completed, .never: break
    }
    let parts =
      planning.isChained
      ? Self.array(pages.count > 1 ? ["\(planID)|1"] : [])
      : Self.array((1..<max(1, pages.count)).map { "\(planID)|\($0)" })
    return Self.json(
      planning.lie(
        #"{"status":"completed"\#(id)\#(planning.extras),"plan-tasks":\#(parts),\#(pages[0])}"#))
  }

  private func part(_ name: String) throws -> HTTPResponse {
    if forgets() { throw Refusal(404, "NoSuchPlanTaskException", "no part \(name)") }
    let sides = name.split(separator: "|")
    guard let planning, sides.count == 2, let number = Int(sides[1]),
      let pages = planning.open[String(sides[0])], pages.indices.contains(number)
    else { throw Refusal(404, "NoSuchPlanTaskException", "no part \(name)") }
    let hasNext = planning.isChained && number + 1 < pages.count
    let parts = hasNext ? Self.array(["\(sides[0])|\(number + 1)"]) : "[]"
    return Self.json(planning.lie(#"{"plan-tasks":\#(parts),\#(pages[number])}"#))
  }

  /// A filter of the protocol.
  static func predicate(_ json: JSONValue) throws -> Predicate {
    func literal(_ json: JSONValue?) throws -> Literal {
      switch json {
      case .integer(let value): return .integer(value)
      case .double(let value): return .double(value)
      case .decimal(let text), .string(let text): return .string(text)
      case .boolean(let value): return .boolean(value)
      default: throw Refusal(400, "BadRequestException", "no value")
      }
    }
    func part(_ key: String) throws -> Predicate { try predicate(json[key] ?? .null) }
    let term = json["term"]?.string ?? ""
    func compare(_ comparison: Comparison) throws -> Predicate {
      .test(term, .compare(comparison, try literal(json["value"])))
    }
    let values = try (json["values"]?.elements ?? []).map { try literal($0) }
    let comparisons: [String: Comparison] = [
      "eq": .equal, "not-eq": .notEqual, "lt": .less, "lt-eq": .lessOrEqual, "gt": .greater,
      "gt-eq": .greaterOrEqual,
    ]
    let type = json["type"]?.string ?? ""
    if let comparison = comparisons[type] { return try compare(comparison) }
    switch type {
    case "true": return .alwaysTrue
    case "false": return .alwaysFalse
    case "and": return .and([try part("left"), try part("right")])
    case "or": return .or([try part("left"), try part("right")])
    case "not": return .not(try part("child"))
    case "is-null": return .isNull(term)
    case "not-null": return .isNotNull(term)
    case "is-nan": return .isNaN(term)
    case "not-nan": return .isNotNaN(term)
    case "in": return .isIn(term, values)
    case "not-in": return .isNotIn(term, values)
    case "starts-with": return .startsWith(term, json["value"]?.string ?? "")
    case "not-starts-with": return .doesNotStartWith(term, json["value"]?.string ?? "")
    default: throw Refusal(400, "BadRequestException", "no filter: \(text(json))")
    }
  }
}

/// Writes plans as the protocol has them.
private struct PlanText {
  let metadata: TableMetadata
  let planning: ModelPlanning

  init(_ metadata: TableMetadata, _ planning: ModelPlanning) {
    self.metadata = metadata
    self.planning = planning
  }

  /// The members `delete-files` and `file-scan-tasks` of each part.
  func pages(_ tasks: [ScanTask], _ planID: String) -> [String] {
    var pages: [String] = []
    var rest = tasks[...]
    repeat {
      let page = rest.prefix(planning.pageSize)
      rest = rest.dropFirst(page.count)
      pages.append(self.page(Array(page)))
    } while !rest.isEmpty
    return pages
  }

  private func page(_ tasks: [ScanTask]) -> String {
    var deletes: [DeleteFile] = []
    var references: [[Int]] = []
    for task in tasks {
      references.append(
        task.deletes.map { delete in
          if let known = deletes.firstIndex(where: { $0 === delete }) { return known }
          deletes.append(delete)
          return deletes.count - 1
        })
    }
    let files = deletes.map { file($0.file, nil) }.joined(separator: ",")
    let texts = zip(tasks, references).map { task, references in
      let told =
        references.isEmpty && planning.random.chance(50)
        ? "" : #","delete-file-references":\#(references)"#
      // What is left of the filter is our own matter, whatever a server says.
      let residual = planning.random.chance(30) ? #","residual-filter":{"type":"false"}"# : ""
      return #"{"data-file":\#(file(task.file, task.sequenceNumber))\#(told)\#(residual)}"#
    }
    let tasks = #""file-scan-tasks":[\#(texts.joined(separator: ","))]"#
    return planning.random.chance(50)
      ? #""delete-files":[\#(files)],\#(tasks)"# : #"\#(tasks),"delete-files":[\#(files)]"#
  }

  private func file(_ file: DataFile, _ number: SequenceNumber?) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    let content = ["data", "position-deletes", "equality-deletes"][file.content.rawValue]
    writer.writeKey("content")
    writer.write(
      planning.isOld ? content.uppercased().replacing("-", with: "_") : content)
    writer.writeKey("file-path")
    writer.write(file.path)
    writer.writeKey("file-format")
    writer.write(planning.isOld ? file.format.name : file.format.name.lowercased())
    writer.member("spec-id", Int64(file.partition.specID.rawValue))
    writer.writeKey("partition")
    writePartition(file.partition, to: &writer)
    writer.member("record-count", file.recordCount)
    writer.member("file-size-in-bytes", file.byteCount)
    writeMetrics(file, to: &writer)
    if file.content == .data {
      writer.member("first-row-id", file.firstRowID)
      if planning.random.chance(30) { writer.member("data-sequence-number", number?.rawValue) }
    }
    if let ids = file.equalityIDs {
      writer.writeKey("equality-ids")
      writer.beginArray()
      for id in ids { writer.write(id.rawValue) }
      writer.endArray()
    }
    writer.member("content-offset", file.contentRange?.offset)
    writer.member("content-size-in-bytes", file.contentRange?.byteCount)
    if let path = file.referencedDataFile, planning.random.chance(50) {
      writer.writeKey("referenced-data-file")
      writer.write(path)
    }
    writer.endObject()
    return String(decoding: writer.finish().array(), as: UTF8.self)
  }

  private func writePartition(_ partition: PartitionValues, to writer: inout JSONWriter) {
    guard let layout = try? metadata.partitionLayout(partition.specID) else { return }
    if planning.isOld { writer.beginObject() } else { writer.beginArray() }
    for (index, value) in partition.values.enumerated() {
      if planning.isOld {
        guard value != nil else { continue }
        writer.writeKey("\(layout.spec.fields[index].fieldID.rawValue)")
      }
      writer.write(value, as: .primitive(layout.types[index]))
    }
    if planning.isOld { writer.endObject() } else { writer.endArray() }
  }

  private func writeMetrics(_ file: DataFile, to writer: inout JSONWriter) {
    let columns = file.metrics.columns
    writer.columns(
      "null-value-counts", columns.compactMap { c in c.nullCount.map { (c.fieldID, .integer($0)) } }
    )
    writer.columns(
      "value-counts", columns.compactMap { c in c.valueCount.map { (c.fieldID, .integer($0)) } })
    writer.columns(
      "lower-bounds",
      columns.compactMap { column in
        column.lowerBound.map { (column.fieldID, .string($0.hexadecimal)) }
      })
  }
}

extension JSONWriter {
  fileprivate mutating func member(_ key: String, _ value: Int64?) {
    guard let value else { return }
    writeKey(key)
    write(value)
  }

  /// A value for each of some columns, as two arrays.
  fileprivate mutating func columns(_ key: String, _ values: [(FieldID, JSONValue)]) {
    guard !values.isEmpty else { return }
    writeKey(key)
    beginObject()
    writeKey("keys")
    beginArray()
    for (id, _) in values { write(id.rawValue) }
    endArray()
    writeKey("values")
    beginArray()
    for (_, value) in values { write(rawUTF8: ModelServer.text(value)) }
    endArray()
    endObject()
  }
}
