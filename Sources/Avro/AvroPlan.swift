// SPDX-License-Identifier: Apache-2.0

/// A field that a reader wants, by its Iceberg id, and how it is going to be read.
public struct AvroWanted: Hashable, Sendable {
  public let id: Int32
  /// The types that are fit for the way it is read; empty for any.
  let types: [AvroTypeName]

  private init(_ id: Int32, _ types: AvroTypeName...) {
    self.id = id
    self.types = types
  }

  public static func boolean(_ id: Int32) -> AvroWanted { AvroWanted(id, .boolean) }
  /// To be read as an int.
  public static func int(_ id: Int32) -> AvroWanted { AvroWanted(id, .int) }
  /// To be read as a long: an int is encoded alike.
  public static func long(_ id: Int32) -> AvroWanted { AvroWanted(id, .long, .int) }
  public static func double(_ id: Int32) -> AvroWanted { AvroWanted(id, .double) }
  /// To be read as bytes: a string is encoded alike.
  public static func bytes(_ id: Int32) -> AvroWanted { AvroWanted(id, .bytes, .string) }
  /// To be read as a string: bytes are encoded alike.
  public static func string(_ id: Int32) -> AvroWanted { AvroWanted(id, .string, .bytes) }
  public static func array(_ id: Int32) -> AvroWanted { AvroWanted(id, .array) }
  public static func map(_ id: Int32) -> AvroWanted { AvroWanted(id, .map) }
  /// To be read as a whole by a plan or layout of its own, instead of by fields inside it.
  public static func record(_ id: Int32) -> AvroWanted { AvroWanted(id, .record) }
  /// To be read as ``AvroPlan/Field/type`` says.
  public static func any(_ id: Int32) -> AvroWanted { AvroWanted(id) }
}

/// How to get at some fields of a record and over all others, made once for a file's schema.
///
/// Fields are found by their Iceberg ids, never by name, at any depth of records in records. For each
/// record, ``AvroDecoder/nextField(of:at:)`` passes what is not wanted and what is null, and stops
/// before each wanted field:
///
///     var at = AvroPlan.Position()
///     while let field = try decoder.nextField(of: plan, at: &at) {
///       switch field.id {
///       case 100: path = try decoder.readString()
///       case 103: count = try decoder.readLong()
///       default: preconditionFailure("not asked for")
///       }
///     }
///
/// Laws: fields come in the file's order; one that is null, or that the file lacks, does not come; a
/// type that can't be read as asked is refused when the plan is made.
///
/// Cost: what lies between two wanted fields is passed in one go, by ``AvroSkipper``'s steps.
public struct AvroPlan: Sendable {
  /// A wanted field of a record.
  public struct Field: Hashable, Sendable, BitwiseCopyable {
    public let id: Int32
    /// The type the file has for it (null taken off).
    public let type: AvroTypeName
    let schemaIndex: Int32
  }

  /// How far into a record a reader is.
  public struct Position: Sendable, BitwiseCopyable {
    var step = 0
    public init() {}
  }

  struct Step: BitwiseCopyable {
    enum Action: UInt8, BitwiseCopyable {
      /// Pass what `skips[first..<last]` do.
      case skip
      /// A wanted field.
      case field
      /// A wanted field, or null; or a record, or null, whose steps end before `last`.
      case fieldOrNull, recordOrNull
    }
    var action: Action
    var nullBranch: UInt8 = 0
    var field = Field(id: -1, type: .null, schemaIndex: -1)
    var first: Int32 = 0
    var last: Int32 = 0
  }

  private(set) var steps: [Step] = []
  private var skipper = AvroSkipper()
  private var schemas: [AvroSchema] = []
  /// The wanted fields that the file does not have, in the order asked for.
  public private(set) var missing: [Int32] = []
  /// The fewest bytes a record takes.
  public let minimumByteCount: Int

  /// True if a record is the wanted fields and nothing else, in the order asked for, none of which
  /// may be null: they can be read straight then, without ``AvroDecoder/nextField(of:at:)``.
  public private(set) var isStraight = false

  var skips: [SkipStep] { skipper.steps }

  /// - Parameters:
  ///   - schema: what the records were written with.
  ///   - wanted: what to stop at. A record with wanted fields inside is entered, unless it is wanted
  ///     itself.
  /// - Throws: ``AvroError/unresolvable(path:expected:found:)`` if a field has a type that can't be
  ///   read as asked, or if `schema` is no record; ``AvroError/invalidSchema(path:_:)`` if it has a
  ///   wanted id twice.
  public init(_ schema: AvroSchema, wanted: [AvroWanted]) throws(AvroError) {
    guard case .record(let record) = schema.kind else {
      throw .unresolvable(path: "", expected: "record", found: schema.typeName.rawValue)
    }
    minimumByteCount = schema.minimumByteCount
    var open: [Int32: AvroWanted] = [:]
    for field in wanted { open[field.id] = field }
    let ids = Set(open.keys)
    if let twice = record.firstRepeated(of: ids) {
      throw .invalidSchema(path: "", .duplicate("field-id \(twice)"))
    }
    var pending = AvroSkipper()
    try add(record, &open, &pending, path: "")
    flush(&pending)
    missing = wanted.map(\.id).filter { open[$0] != nil }
    isStraight =
      steps.allSatisfy { $0.action == .field } && steps.map(\.field.id) == wanted.map(\.id)
  }

  /// The schema of a field this plan gave, null taken off: for a plan of its own, or its parts.
  public func schema(of field: Field) -> AvroSchema { schemas[Int(field.schemaIndex)] }

  /// The schema the file has for wanted field `id`, null taken off; nil if it lacks it.
  public func schema(ofField id: Int32) -> AvroSchema? {
    steps.first { $0.field.id == id && $0.field.schemaIndex >= 0 }.map { schema(of: $0.field) }
  }

  private mutating func add(
    _ record: AvroRecord, _ wanted: inout [Int32: AvroWanted], _ pending: inout AvroSkipper,
    path: String
  ) throws(AvroError) {
    for field in record.fields {
      let path = path.isEmpty ? field.name : path + "." + field.name
      let optional = field.schema.optionalType
      let type = optional?.type ?? field.schema
      if let id = field.fieldID, let want = wanted.removeValue(forKey: id) {
        // A field that is always null takes no bytes, and never comes.
        if type.kind == .null { continue }
        guard want.types.isEmpty || want.types.contains(type.typeName) else {
          throw .unresolvable(
            path: path, expected: want.types.map(\.rawValue).joined(separator: " or "),
            found: type.typeName.rawValue)
        }
        flush(&pending)
        steps.append(
          Step(
            action: optional == nil ? .field : .fieldOrNull,
            nullBranch: UInt8(optional?.nullBranch ?? 0),
            field: Field(id: id, type: type.typeName, schemaIndex: Int32(schemas.count))))
        schemas.append(type)
      } else if case .record(let inner) = type.kind, inner.holds(anyOf: wanted) {
        flush(&pending)
        let start = steps.count
        if let optional {
          steps.append(Step(action: .recordOrNull, nullBranch: UInt8(optional.nullBranch)))
        }
        try add(inner, &wanted, &pending, path: path)
        flush(&pending)
        if optional != nil { steps[start].last = Int32(steps.count) }
      } else {
        pending.append(field.schema)
      }
    }
  }

  private mutating func flush(_ pending: inout AvroSkipper) {
    guard !pending.steps.isEmpty else { return }
    let first = Int32(skipper.steps.count)
    skipper.steps += pending.steps
    steps.append(Step(action: .skip, first: first, last: Int32(skipper.steps.count)))
    pending = AvroSkipper()
  }
}

extension AvroRecord {
  /// The first of `ids` that two fields of this record, or of records in it, have.
  fileprivate func firstRepeated(of ids: Set<Int32>) -> Int32? {
    var seen: Set<Int32> = []
    return firstRepeated(of: ids, &seen)
  }

  private func firstRepeated(of ids: Set<Int32>, _ seen: inout Set<Int32>) -> Int32? {
    for field in fields {
      if let id = field.fieldID, ids.contains(id), !seen.insert(id).inserted { return id }
      let type = field.schema.optionalType?.type ?? field.schema
      if let id = type.record?.firstRepeated(of: ids, &seen) { return id }
    }
    return nil
  }

  /// True if a field with one of the ids lies in this record or in records in it.
  fileprivate func holds(anyOf wanted: [Int32: AvroWanted]) -> Bool {
    fields.contains { field in
      if let id = field.fieldID, wanted[id] != nil { return true }
      let type = field.schema.optionalType?.type ?? field.schema
      return type.record?.holds(anyOf: wanted) ?? false
    }
  }
}

extension AvroDecoder {
  /// Moves to the next wanted field of a record that is there and not null, which the caller reads;
  /// nil once the record was passed.
  public mutating func nextField(
    of plan: AvroPlan, at position: inout AvroPlan.Position
  ) throws(AvroError) -> AvroPlan.Field? {
    let steps = plan.steps.span
    while position.step < steps.count {
      let step = steps[position.step]
      position.step &+= 1
      switch step.action {
      case .skip: try skip(plan.skips.span, Int(step.first), Int(step.last))
      case .field: return step.field
      case .fieldOrNull:
        if try readBranch(of: 2) != Int(step.nullBranch) { return step.field }
      case .recordOrNull:
        if try readBranch(of: 2) == Int(step.nullBranch) { position.step = Int(step.last) }
      }
    }
    return nil
  }
}

// MARK: - Layouts

/// The fields of a record in the file's order, each with what is needed to read or pass it.
///
/// For records whose fields are not known beforehand, such as a partition tuple.
public struct AvroRecordLayout: Sendable {
  public struct Field: Sendable {
    public let name: String
    /// Iceberg's id, if the file states it.
    public let id: Int32?
    /// The type, null taken off.
    public let schema: AvroSchema
    /// Which branch null is, if the field may be null; its union's branch comes first then.
    public let nullBranch: Int?
    /// The way over the whole field, its branch included.
    public let skipper: AvroSkipper

    init(_ field: AvroField) {
      let optional = field.schema.optionalType
      name = field.name
      id = field.fieldID
      schema = optional?.type ?? field.schema
      nullBranch = optional?.nullBranch
      skipper = AvroSkipper(field.schema)
    }
  }

  public let fields: [Field]

  public init(_ record: AvroRecord) { fields = record.fields.map(Field.init) }
}

extension AvroDecoder {
  /// True if a value of the field's type follows, false if it is null and was passed.
  public mutating func readIsPresent(_ field: AvroRecordLayout.Field) throws(AvroError) -> Bool {
    guard let nullBranch = field.nullBranch else { return true }
    return try readBranch(of: 2) != nullBranch
  }
}
