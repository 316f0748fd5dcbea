// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import JSON

/// A scan as a server is asked to plan it.
///
/// Source: Iceberg, `rest-catalog-open-api.yaml`, `PlanTableScanRequest`.
struct PlanRequest {
  let question: PlanQuestion

  /// Writes the members of the request.
  func write(to writer: inout JSONWriter) {
    let filter = PlanFilter(schema: question.schema).weakened(question.filter)
    writer.writeKey("snapshot-id")
    writer.write(question.snapshotID.rawValue)
    if let columns = question.columns {
      writer.writeKey("select")
      writer.write(strings: columns)
    }
    if filter != .alwaysTrue {
      writer.writeKey("filter")
      PlanFilter(schema: question.schema).write(filter, to: &writer)
      writer.writeKey("stats-fields")
      writer.write(strings: filter.columns.compactMap { question.schema.name(of: $0.id) })
    }
    writer.writeKey("case-sensitive")
    writer.write(true)
    writer.writeKey("use-snapshot-schema")
    writer.write(question.isSnapshotSchema)
  }
}

/// Filters as servers read them.
///
/// Law: a server that leaves out what can't match what it is sent leaves out nothing that matches
/// here. Tests that may mean something else there are always true in what is sent: of columns that
/// only readers have, of zeros that have a sign, of UUIDs, whose order was not always the same, and
/// of binary values, which servers do not take as text.
///
/// Source: Iceberg, `rest-catalog-open-api.yaml`, `Expression`.
struct PlanFilter {
  let schema: Schema

  /// `predicate`, or what is true of more rows.
  func weakened(_ predicate: BoundPredicate) -> BoundPredicate {
    switch predicate {
    case .always: predicate
    case .and(let parts): .all(parts.map(weakened))
    case .or(let parts): .any(parts.map(weakened))
    case .test(let column, let test): canBeAsked(column, test) ? predicate : .alwaysTrue
    }
  }

  private func canBeAsked(_ column: BoundColumn, _ test: BoundTest) -> Bool {
    guard let type = schema.field(column.id)?.type.primitive, schema.name(of: column.id) != nil
    else { return false }
    switch test {
    case .isNull, .isNotNull: return !type.isOpaque && type != .unknown
    case .isNaN, .isNotNaN: return true
    case .compare(let comparison, let value):
      if type == .boolean { return comparison == .equal || comparison == .notEqual }
      return Self.isPlain(value, type)
    case .isIn(let values), .isNotIn(let values):
      return values.allSatisfy { Self.isPlain($0, type) }
    case .startsWith, .doesNotStartWith: return type == .string
    }
  }

  private static func isPlain(_ value: Value, _ type: PrimitiveType) -> Bool {
    switch value {
    case .float(let value): value.isFinite && value != 0
    case .double(let value): value.isFinite && value != 0
    case .int, .long, .decimal, .string: true
    default: false
    }
  }

  func write(_ predicate: BoundPredicate, to writer: inout JSONWriter) {
    switch predicate {
    case .always(let value): object("\(value)", to: &writer) { _ in }
    case .and(let parts): chain("and", parts[...], to: &writer)
    case .or(let parts): chain("or", parts[...], to: &writer)
    case .test(let column, let test): write(column, test, to: &writer)
    }
  }

  /// Writes a chain of pairs, of no more levels than it takes: readers bound how deep JSON is.
  private func chain(
    _ type: String, _ parts: ArraySlice<BoundPredicate>, to writer: inout JSONWriter
  ) {
    guard parts.count > 1 else {
      return write(parts.first ?? .always(type == "and"), to: &writer)
    }
    let middle = parts.startIndex + parts.count / 2
    object(type, to: &writer) { writer in
      writer.writeKey("left")
      chain(type, parts[..<middle], to: &writer)
      writer.writeKey("right")
      chain(type, parts[middle...], to: &writer)
    }
  }

  private func write(_ column: BoundColumn, _ test: BoundTest, to writer: inout JSONWriter) {
    object(test.type, to: &writer) { writer in
      writer.writeKey("term")
      writer.write(schema.name(of: column.id) ?? column.name)
      switch test {
      case .isNull, .isNotNull, .isNaN, .isNotNaN: break
      case .compare(_, let value):
        writer.writeKey("value")
        writer.write(value, as: column.type)
      case .isIn(let values), .isNotIn(let values):
        writer.writeKey("values")
        writer.beginArray()
        for value in values { writer.write(value, as: column.type) }
        writer.endArray()
      case .startsWith(let prefix), .doesNotStartWith(let prefix):
        writer.writeKey("value")
        writer.write(prefix)
      }
    }
  }

  private func object(
    _ type: String, to writer: inout JSONWriter, _ members: (inout JSONWriter) -> Void
  ) {
    writer.beginObject()
    writer.writeKey("type")
    writer.write(type)
    members(&writer)
    writer.endObject()
  }
}

extension BoundTest {
  /// What servers call it.
  fileprivate var type: String {
    switch self {
    case .isNull: "is-null"
    case .isNotNull: "not-null"
    case .isNaN: "is-nan"
    case .isNotNaN: "not-nan"
    case .compare(let comparison, _):
      switch comparison {
      case .equal: "eq"
      case .notEqual: "not-eq"
      case .less: "lt"
      case .lessOrEqual: "lt-eq"
      case .greater: "gt"
      case .greaterOrEqual: "gt-eq"
      }
    case .isIn: "in"
    case .isNotIn: "not-in"
    case .startsWith: "starts-with"
    case .doesNotStartWith: "not-starts-with"
    }
  }
}

extension JSONWriter {
  fileprivate mutating func write(strings: [String]) {
    beginArray()
    for string in strings { write(string) }
    endArray()
  }
}
