// SPDX-License-Identifier: Apache-2.0
import Catalogs
import JSON
import Lake
import Storage

extension ModelServer {
  // MARK: namespaces

  func namespaceRoute(
    _ seen: Received, _ parts: [String], _ body: JSONValue?
  ) throws -> HTTPResponse {
    if parts.count == 1 {
      if seen.method == "GET" { return try listNamespaces(seen) }
      let name = NamePath(body?["namespace"]?.elements?.compactMap(\.string) ?? [])
      if namespaces[name] != nil {
        throw Refusal(409, "AlreadyExistsException", "namespace \(name.parts)")
      }
      namespaces[name] = Self.strings(body?["properties"])
      return Self.json(#"{"namespace":\#(Self.array(name.parts)),"properties":{}}"#)
    }
    let name = NamePath(Self.namespace(parts[1]))
    guard let properties = namespaces[name] else {
      throw Refusal(404, "NoSuchNamespaceException", "no namespace \(name)")
    }
    if parts.count == 3 {
      var changed = properties
      for key in body?["removals"]?.elements?.compactMap(\.string) ?? [] { changed[key] = nil }
      changed.merge(Self.strings(body?["updates"])) { _, new in new }
      namespaces[name] = changed
      return Self.json(#"{"updated":[],"removed":[]}"#)
    }
    if seen.method == "DELETE" {
      let isUsed =
        tables.keys.contains { NamePath($0.namespace) == name }
        || namespaces.keys.contains { $0.isInside(name) }
      if isUsed { throw Refusal(409, "NamespaceNotEmptyException", "\(name) is not empty") }
      namespaces[name] = nil
      return Self.nothing
    }
    return Self.json(
      #"{"namespace":\#(Self.array(name.parts)),"properties":\#(Self.object(properties))}"#)
  }

  private func listNamespaces(_ seen: Received) throws -> HTTPResponse {
    let parent = NamePath(seen.query["parent"].map(Self.namespace) ?? [])
    if !parent.parts.isEmpty, namespaces[parent] == nil {
      throw Refusal(404, "NoSuchNamespaceException", "no namespace \(parent)")
    }
    let names = namespaces.keys
      .filter { $0.parts.count == parent.parts.count + 1 && $0.isInside(parent) }
      .map { Self.array($0.parts) }.sorted()
    return Self.page(names, "namespaces", seen)
  }

  func listing(_ parts: [String], _ seen: Received) throws -> HTTPResponse {
    let name = Self.namespace(parts[1])
    guard namespaces[NamePath(name)] != nil else {
      throw Refusal(404, "NoSuchNamespaceException", "no namespace \(name)")
    }
    let names = tables.keys.filter { NamePath($0.namespace) == NamePath(name) }.map(Self.identifier)
      .sorted()
    return Self.page(names, "identifiers", seen)
  }

  /// The part of `names` that the request asks for.
  static func page(_ names: [String], _ member: String, _ seen: Received) -> HTTPResponse {
    guard let token = seen.query["pageToken"],
      let size = seen.query["pageSize"].flatMap({ Int($0) })
    else { return json(#"{"\#(member)":[\#(names.joined(separator: ","))]}"#) }
    let start = Int(token) ?? 0
    let part = names.dropFirst(start).prefix(size)
    let next = start + size < names.count ? #","next-page-token":"\#(start + size)""# : ""
    return json(#"{"\#(member)":[\#(part.joined(separator: ","))]\#(next)}"#)
  }

  // MARK: tables

  func create(_ namespace: [String], _ body: JSONValue?) async throws -> HTTPResponse {
    guard let body, let name = body["name"]?.string, let schema = body["schema"] else {
      throw Refusal(400, "BadRequestException", "not a creation")
    }
    let identifier = try TableIdentifier(namespace: namespace, name: name)
    try checkFree(identifier)
    var properties = Self.strings(body["properties"])
    let version = FormatVersion(rawValue: Int(properties["format-version"] ?? "") ?? 2) ?? .v2
    properties["format-version"] = nil
    let spec = try body["partition-spec"].map { try PartitionSpec(json: $0) }
    let order = try body["write-order"].map { try SortOrder(json: $0) }
    let place =
      body["location"]?.string
      ?? "\(warehouse)/\(namespace.joined(separator: "/"))/\(name)-\(environment.uuid().prefix(8))"
    let metadata = try TableMetadata.create(
      schema: try Schema(json: schema), partitionSpec: spec ?? .unpartitioned,
      sortOrder: order ?? .unsorted, location: place, properties: TableProperties(properties),
      formatVersion: version, uuid: TableUUID(environment.uuid()),
      at: environment.now().milliseconds)
    if body["stage-create"]?.boolean == true {
      return told(Entry(metadata: metadata, location: "", version: -1))
    }
    return told(try await keep(identifier, metadata, after: nil))
  }

  private func checkFree(_ identifier: TableIdentifier) throws {
    guard namespaces[NamePath(identifier.namespace)] != nil else {
      throw Refusal(404, "NoSuchNamespaceException", "no namespace \(identifier.namespace)")
    }
    if tables[identifier] != nil {
      throw Refusal(409, "AlreadyExistsException", "\(identifier) is there")
    }
  }

  func register(_ namespace: [String], _ body: JSONValue?) async throws -> HTTPResponse {
    guard let name = body?["name"]?.string, let file = body?["metadata-location"]?.string else {
      throw Refusal(400, "BadRequestException", "not a registration")
    }
    let identifier = try TableIdentifier(namespace: namespace, name: name)
    try checkFree(identifier)
    let metadata = try await MetadataFiles.read(try ObjectPath(file), in: store)
    try checkFree(identifier)
    let entry = Entry(metadata: metadata, location: file, version: 0)
    tables[identifier] = entry
    return told(entry)
  }

  func tableRoute(
    _ seen: Received, _ identifier: TableIdentifier, _ body: JSONValue?
  ) async throws -> HTTPResponse {
    if seen.method == "POST" {
      return told(try await commit(identifier, body))
    }
    guard let entry = tables[identifier] else { throw Self.noTable(identifier) }
    if seen.method == "DELETE" {
      tables[identifier] = nil
      if seen.query["purgeRequested"] == "true" {
        let folder = try ObjectPath(entry.metadata.location)
        for object in try await store.listAll(folder) { try await store.delete(object.path) }
      }
      return Self.nothing
    }
    if sendsETags, seen.headers["if-none-match"] == Self.etag(entry) {
      return HTTPResponse(status: 304, headers: [], body: .empty)
    }
    return told(entry)
  }

  func rename(_ body: JSONValue?) throws -> HTTPResponse {
    let old = try Self.identifier(body?["source"])
    let new = try Self.identifier(body?["destination"])
    guard let entry = tables[old] else { throw Self.noTable(old) }
    try checkFree(new)
    tables[old] = nil
    tables[new] = entry
    return Self.nothing
  }

  func transaction(_ body: JSONValue?) async throws -> HTTPResponse {
    var changed: [TableIdentifier: Entry] = [:]
    for change in body?["table-changes"]?.elements ?? [] {
      let identifier = try Self.identifier(change["identifier"])
      let entry = try next(identifier, change)
      changed[identifier] = entry
    }
    for (identifier, entry) in changed { tables[identifier] = entry }
    for entry in changed.values { try await write(entry) }
    return Self.nothing
  }

  // MARK: commits

  private func commit(_ identifier: TableIdentifier, _ body: JSONValue?) async throws -> Entry {
    guard let body else { throw Refusal(400, "BadRequestException", "not a commit") }
    let entry = try next(identifier, body)
    tables[identifier] = entry
    try await write(entry)
    return entry
  }

  /// The state after a commit, whose requirements are checked on the present one.
  private func next(_ identifier: TableIdentifier, _ body: JSONValue) throws -> Entry {
    let requirements = try (body["requirements"]?.elements ?? []).map {
      try TableRequirement(json: $0)
    }
    let updates = try (body["updates"]?.elements ?? []).map { try TableUpdate(json: $0) }
    let entry = tables[identifier]
    if entry == nil, !requirements.contains(.notThere) { throw Self.noTable(identifier) }
    for requirement in requirements {
      if let violation = requirement.violation(on: entry?.metadata) {
        throw Refusal(409, "CommitFailedException", "\(violation)")
      }
    }
    let base = try entry ?? Self.beginning(updates, environment)
    var metadata = try base.metadata.applying(
      updates, at: environment.now().milliseconds,
      previousLocation: entry?.location)
    metadata.sumSnapshots()
    let version = base.version + 1
    let name = MetadataFileName(version: version, uuid: environment.uuid()).name
    return Entry(
      metadata: metadata, location: "\(metadata.location)/metadata/\(name)", version: version)
  }

  /// What a staged table's first commit is made on.
  private static func beginning(
    _ updates: [TableUpdate], _ environment: Environment
  ) throws -> Entry {
    var schema: Schema?
    var spec = PartitionSpec.unpartitioned
    var order = SortOrder.unsorted
    var place = ""
    var uuid = TableUUID(environment.uuid())
    var version = FormatVersion.v2
    for update in updates {
      switch update {
      case .addSchema(let new): schema = new
      case .addPartitionSpec(let new): spec = new
      case .addSortOrder(let new): order = new
      case .setLocation(let new): place = new
      case .assignUUID(let new): uuid = new
      case .upgradeFormatVersion(let new): version = new
      default: break
      }
    }
    guard let schema else { throw Refusal(400, "ValidationException", "no schema") }
    let metadata = try TableMetadata.create(
      schema: schema, partitionSpec: spec, sortOrder: order, location: place,
      formatVersion: version, uuid: uuid, at: environment.now().milliseconds)
    return Entry(metadata: metadata, location: "", version: -1)
  }

  private func keep(
    _ identifier: TableIdentifier, _ metadata: TableMetadata, after version: Int?
  ) async throws -> Entry {
    let number = (version ?? -1) + 1
    let name = MetadataFileName(version: number, uuid: environment.uuid()).name
    let entry = Entry(
      metadata: metadata, location: "\(metadata.location)/metadata/\(name)", version: number)
    tables[identifier] = entry
    try await write(entry)
    return entry
  }

  private func write(_ entry: Entry) async throws {
    _ = try await store.put(
      entry.metadata.encoded(), to: try ObjectPath(entry.location), if: .absent)
  }

  // MARK: texts

  private func told(_ entry: Entry) -> HTTPResponse {
    let metadata = String(decoding: entry.metadata.encoded().array(), as: UTF8.self)
    let place = Self.text(entry.location.isEmpty ? .null : .string(entry.location))
    return Self.json(
      #"{"metadata-location":\#(place),"metadata":\#(metadata),"config":\#(tableSettings)\#(tableExtras)}"#,
      headers: sendsETags ? [("etag", Self.etag(entry))] : [])
  }

  static func etag(_ entry: Entry) -> String {
    #"W/"\#(entry.metadata.uuid?.rawValue ?? "")-\#(entry.version)""#
  }

  static func noTable(_ identifier: TableIdentifier) -> Refusal {
    Refusal(404, "NoSuchTableException", "no table \(identifier)")
  }

  static func strings(_ json: JSONValue?) -> [String: String] {
    Dictionary((json?.members ?? []).map { ($0.key, $0.value.string ?? "") }) { _, last in last }
  }

  static func text(_ json: JSONValue) -> String {
    String(decoding: ((try? json.text()) ?? .empty).array(), as: UTF8.self)
  }

  static func array(_ strings: [String]) -> String {
    text(.array(strings.map { .string($0) }))
  }

  static func object(_ strings: [String: String]) -> String {
    text(
      .object(
        strings.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }))
  }

  static func identifier(_ identifier: TableIdentifier) -> String {
    text(
      .object([
        JSONMember("namespace", .array(identifier.namespace.map { .string($0) })),
        JSONMember("name", .string(identifier.name)),
      ]))
  }

  static func identifier(_ json: JSONValue?) throws -> TableIdentifier {
    try TableIdentifier(
      namespace: json?["namespace"]?.elements?.compactMap(\.string) ?? [],
      name: json?["name"]?.string ?? "")
  }
}

extension NamePath {
  /// True if the names lead to something in what `other` is.
  func isInside(_ other: NamePath) -> Bool {
    parts.count > other.parts.count
      && NamePath(Array(parts.prefix(other.parts.count))) == other
  }
}
