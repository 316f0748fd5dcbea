// SPDX-License-Identifier: Apache-2.0

/// Changes of a schema, one after the other, each refused with its reason if the format forbids it.
///
/// None of them asks for a file to be rewritten: what rows hold that were written before follows
/// from field ids and defaults. A change that throws leaves all as it was.
///
///     var evolution = SchemaEvolution(of: schema, lastFieldID: metadata.lastColumnID, …)
///     try evolution.add("zip", type: .string, to: "address")
///     try evolution.rename("ts", to: "time")
///     let schema = evolution.schema
///
/// Columns are named in full, nested ones by dots; a name that no column has as it is spelled is
/// looked for in any case.
///
/// Source: Iceberg spec, "Schema Evolution".
public struct SchemaEvolution: Sendable {
  /// The schema with all changes so far; its id is that of the schema it came from.
  public private(set) var schema: Schema
  /// The highest field id the table ever had, with those given here.
  public private(set) var lastFieldID: FieldID
  let version: FormatVersion
  private let specs: [PartitionSpec]
  private let defaultSpec: PartitionSpec
  private let sortOrder: SortOrder

  /// - Parameters:
  ///   - lastFieldID: the highest field id the table ever had, not just the schema.
  ///   - specs: all partition specs of the table; files of any of them may be live.
  ///   - defaultSpec: the one that new files get.
  ///   - sortOrder: the table's default order.
  public init(
    of schema: Schema, lastFieldID: FieldID, version: FormatVersion,
    specs: [PartitionSpec], defaultSpec: PartitionSpec, sortOrder: SortOrder
  ) {
    self.schema = schema
    self.lastFieldID = max(lastFieldID, schema.highestFieldID)
    self.version = version
    self.specs = specs
    self.defaultSpec = defaultSpec
    self.sortOrder = sortOrder
  }

  // MARK: Adding

  /// Adds a field behind those of the table, or of the structure `parent` (of a list or map: that
  /// of its elements or values). Its type gets new ids throughout.
  ///
  /// - Parameter value: what old rows hold, and new ones where no value is given; needs v3. A
  ///   required field can't do without.
  public mutating func add(
    _ name: String, type: FieldType, to parent: String? = nil, isRequired: Bool = false,
    doc: String? = nil, default value: Value? = nil
  ) throws(IcebergError) {
    let what = "adding '\(name)'"
    guard !name.isEmpty else { throw .invalid(what, reason: "a column needs a name") }
    let owner = try owner(parent, what)
    try checkFree(name, in: owner, what)
    if isRequired, value == nil {
      throw .invalid(
        what, reason: "a required column needs a default, since old rows have no value of it")
    }
    var assignment = IDAssignment(after: lastFieldID)
    let id = try assignment.next()
    let field = Field(
      id: id, name: name, type: try assignment.type(type), isRequired: isRequired, doc: doc,
      initialDefault: value, writeDefault: value)
    try checkNew(field, what)
    try edit(owner) { $0.append(field) }
    lastFieldID = assignment.last
  }

  /// Refuses types and defaults that the table can't have, in `field` or below it.
  private func checkNew(_ field: Field, _ what: String) throws(IcebergError) {
    let part = try Schema(fields: [field])
    for field in part.allFields {
      try field.checkDefaults(version)
      guard let type = field.type.primitive else { continue }
      guard type.minimumVersion <= version else {
        throw .invalid(
          what,
          reason: "\(type) needs format version \(type.minimumVersion.rawValue)")
      }
      if type == .unknown, field.isRequired {
        throw .invalid(what, reason: "a column of type unknown is always null")
      }
    }
  }

  // MARK: Taking away

  /// Drops a field with all that is in it.
  public mutating func drop(_ name: String) throws(IcebergError) {
    let what = "dropping '\(name)'"
    let field = try field(name)
    try checkIsMember(field, what)
    let gone = Set(try Schema(fields: [field]).allFields.map(\.id))
    if schema.identifierFieldIDs.contains(where: gone.contains) {
      throw .invalid(what, reason: "it is part of the table's key")
    }
    for partition in defaultSpec.fields
    where partition.transform != .void && partition.sourceIDs.contains(where: gone.contains) {
      throw .invalid(what, reason: "the table is partitioned by it, as '\(partition.name)'")
    }
    if sortOrder.fields.flatMap(\.sourceIDs).contains(where: gone.contains) {
      throw .invalid(what, reason: "the table is sorted by it")
    }
    let parent = schema.parent(of: field.id)
    let siblings = try members(of: parent)
    guard siblings.count > 1 else {
      throw .invalid(
        what, reason: parent == nil ? "a table needs a column" : "a struct needs a field")
    }
    try edit(parent) { $0.removeAll { $0.id == field.id } }
  }

  // MARK: Changing

  /// Gives a field another name within its structure.
  public mutating func rename(_ name: String, to newName: String) throws(IcebergError) {
    let what = "renaming '\(name)'"
    let field = try field(name)
    try checkIsMember(field, what)
    guard !newName.isEmpty else { throw .invalid(what, reason: "a column needs a name") }
    guard newName != field.name else { return }
    try checkFree(newName, in: schema.parent(of: field.id), what)
    try replace(field.id) { $0.with(name: newName) }
  }

  /// Gives a column, list element or map value a wider type.
  public mutating func changeType(
    of name: String, to newType: PrimitiveType
  ) throws(IcebergError) {
    let what = "changing the type of '\(name)'"
    let field = try field(name)
    try checkNotInKey(field.id, what)
    guard let type = field.type.primitive else {
      throw .invalid(what, reason: "it is a \(field.type)")
    }
    guard newType != type else { return }
    guard type.canBePromoted(to: newType, version: version) else {
      throw .invalid(what, reason: "a \(type) can't become a \(newType)")
    }
    guard newType.minimumVersion <= version else {
      throw .invalid(
        what, reason: "\(newType) needs format version \(newType.minimumVersion.rawValue)")
    }
    for spec in specs + [defaultSpec] {
      try spec.checkPromotion(of: field.id, from: type, to: newType)
    }
    func promoted(_ value: Value?) throws(IcebergError) -> Value? {
      guard let value else { return nil }
      guard let result = value.promoted(from: type, to: newType) else {
        throw .invalid(what, reason: "its default is out of the range of \(newType)")
      }
      return result
    }
    let initialDefault = try promoted(field.initialDefault)
    let writeDefault = try promoted(field.writeDefault)
    try replace(field.id) {
      $0.with(type: .primitive(newType))
        .with(initialDefault: initialDefault, writeDefault: writeDefault)
    }
  }

  /// Lets a required field be null.
  public mutating func makeOptional(_ name: String) throws(IcebergError) {
    let what = "making '\(name)' optional"
    let field = try field(name)
    try checkNotInKey(field.id, what)
    guard field.isRequired else { return }
    let below = Set(try Schema(fields: [field]).allFields.map(\.id))
    if schema.identifierFieldIDs.contains(where: below.contains) {
      throw .invalid(what, reason: "it is part of the table's key")
    }
    try replace(field.id) { $0.with(isRequired: false) }
  }

  /// Refused, unless the field is required: rows there are may have no value of it.
  public mutating func makeRequired(_ name: String) throws(IcebergError) {
    let field = try field(name)
    guard !field.isRequired else { return }
    throw .invalid(
      "making '\(name)' required", reason: "rows written before may have no value of it")
  }

  public mutating func setDoc(of name: String, to doc: String?) throws(IcebergError) {
    let field = try field(name)
    try checkIsMember(field, "a comment on '\(name)'")
    try replace(field.id) { $0.with(doc: doc) }
  }

  /// Sets what writers put where no value is given from now on; needs v3.
  public mutating func setWriteDefault(
    of name: String, to value: Value?
  ) throws(IcebergError) {
    let field = try field(name)
    let what = "a default of '\(name)'"
    try checkIsMember(field, what)
    if value == nil, field.isRequired, field.initialDefault != nil {
      throw .invalid(what, reason: "it is required, and has had a default")
    }
    let changed = field.with(initialDefault: field.initialDefault, writeDefault: value)
    try changed.checkDefaults(version)
    try replace(field.id) { _ in changed }
  }

  /// Makes the columns `names`, which must be required, the key by whose values rows are told apart;
  /// none of them: takes the key away.
  public mutating func setKey(_ names: [String]) throws(IcebergError) {
    var ids: [FieldID] = []
    for name in names {
      let id = try field(name).id
      if !ids.contains(id) { ids.append(id) }
    }
    schema = try Schema(id: schema.id, fields: schema.fields, identifierFieldIDs: ids)
  }

  /// Where a field is moved to, within its structure.
  public enum Place: Hashable, Sendable {
    case first
    case before(String)
    case after(String)
  }

  public mutating func move(_ name: String, to place: Place) throws(IcebergError) {
    let what = "moving '\(name)'"
    let field = try field(name)
    try checkIsMember(field, what)
    let parent = schema.parent(of: field.id)
    var anchor: FieldID?
    switch place {
    case .first: break
    case .before(let other), .after(let other):
      let id = try self.field(other).id
      guard schema.parent(of: id) == parent else {
        throw .invalid(what, reason: "'\(other)' is not in the same structure")
      }
      guard id != field.id else { return }
      anchor = id
    }
    try edit(parent) { fields in
      fields.removeAll { $0.id == field.id }
      var index = anchor.flatMap { id in fields.firstIndex { $0.id == id } } ?? 0
      if case .after = place { index += 1 }
      fields.insert(field, at: index)
    }
  }

  // MARK: Finding places

  func field(_ name: String) throws(IcebergError) -> Field {
    guard let field = schema.resolve(name) else {
      throw .unknownField("'\(name)'", in: "the table's schema")
    }
    return field
  }

  /// The structure called `parent`; of a list or map, that of its elements or values.
  private func owner(_ parent: String?, _ what: String) throws(IcebergError) -> FieldID? {
    guard let parent else { return nil }
    var field = try field(parent)
    switch field.type {
    case .list(let type): field = type.elementField
    case .map(let type): field = type.valueField
    default: break
    }
    guard field.type.isStructure else {
      throw .invalid(what, reason: "'\(parent)' is a \(field.type), not a struct")
    }
    try checkNotInKey(field.id, what)
    return field.id
  }

  private func members(of owner: FieldID?) throws(IcebergError) -> [Field] {
    guard let owner else { return schema.fields }
    guard case .structure(let type) = schema.field(owner)?.type else { return [] }
    return type.fields
  }

  private func checkFree(
    _ name: String, in owner: FieldID?, _ what: String
  ) throws(IcebergError) {
    if try members(of: owner).contains(where: { $0.name == name }) {
      throw .invalid(what, reason: "there is a column '\(name)' already")
    }
  }

  /// Refuses what is not a member of a structure: list elements and map sides have no names of
  /// their own; and what lies in a map's key, which never changes.
  private func checkIsMember(_ field: Field, _ what: String) throws(IcebergError) {
    try checkNotInKey(field.id, what)
    guard let parent = schema.parent(of: field.id), let type = schema.field(parent)?.type,
      !type.isStructure
    else { return }
    throw .invalid(what, reason: "it is the inside of a \(type)")
  }

  private func checkNotInKey(_ id: FieldID, _ what: String) throws(IcebergError) {
    var child = id
    while let parent = schema.parent(of: child) {
      if case .map(let type) = schema.field(parent)?.type, type.keyID == child {
        throw .invalid(what, reason: "keys of maps never change")
      }
      child = parent
    }
  }

  // MARK: Making the new schema

  private mutating func edit(
    _ owner: FieldID?, _ edit: (inout [Field]) throws(IcebergError) -> Void
  ) throws(IcebergError) {
    try set(try schema.fields.editing(owner, edit))
  }

  private mutating func replace(
    _ id: FieldID, _ change: (Field) throws(IcebergError) -> Field
  ) throws(IcebergError) {
    try set(try schema.fields.replacing(id, change))
  }

  private mutating func set(_ fields: [Field]) throws(IcebergError) {
    schema = try Schema(
      id: schema.id, fields: fields, identifierFieldIDs: schema.identifierFieldIDs)
  }
}
