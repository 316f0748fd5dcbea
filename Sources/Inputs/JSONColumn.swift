// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import JSON

/// Why a value of a JSON row can't be in its column. That the text is no JSON is thrown instead.
struct JSONValueFailure {
  enum Cause {
    case unparsable(expected: String, found: String)
    case missing
    case unknownKey(String, known: [String])
  }
  /// The dotted path to the value.
  var column: String
  let cause: Cause

  func below(_ parent: String) -> JSONValueFailure {
    JSONValueFailure(column: parent + "." + column, cause: cause)
  }
}

/// Appends JSON values to the column of one field, at any depth.
///
/// A number, true or false becomes the text it is written as where text is wanted; everything that
/// JSON has no form for (dates, decimals, bytes, NaN) is taken from strings in the canonical form.
final class JSONColumn {
  let field: ColumnField
  let builder: ColumnBuilder
  private let text: TextColumn
  private let kind: Kind
  private let isNullable: Bool
  private let children: [JSONColumn]
  private let keys: JSONKeyTable
  private var scratch = MutableBuffer()
  /// In which row a key was seen last, to notice those that are missing.
  private var seen: [Int]
  private var rowNumber = 0

  private enum Kind { case structure, list, map, scalar }

  init(_ field: ColumnField, _ builder: ColumnBuilder) {
    self.field = field
    self.builder = builder
    text = TextColumn(field, builder)
    isNullable = field.isNullable
    kind =
      switch field.type {
      case .structure: .structure
      case .list: .list
      case .map: .map
      default: .scalar
      }
    children =
      switch field.type {
      case .structure(let fields): zip(fields, builder.children).map { JSONColumn($0, $1) }
      case .list(let element): [JSONColumn(element, builder.children[0])]
      case .map(let key, let value):
        zip([key, value], builder.children[0].children).map { JSONColumn($0, $1) }
      default: []
      }
    keys = JSONKeyTable(children.map(\.field.name))
    seen = children.map { _ in -1 }
  }

  /// Appends a null, if the column may have one.
  func appendNull() -> JSONValueFailure? {
    guard isNullable else { return JSONValueFailure(column: field.name, cause: .missing) }
    builder.appendNull()
    return nil
  }

  /// Appends the next value of `reader`; what it gives back is why that can't be.
  func append(_ reader: inout JSONReader) throws(JSONError) -> JSONValueFailure? {
    guard try reader.readOptional() else { return appendNull() }
    switch kind {
    case .structure:
      let failure = try appendFields(&reader)
      if failure == nil { builder.endStructure() }
      return failure.map { $0.below(field.name) }
    case .list: return try appendList(&reader)
    case .map: return try appendMap(&reader)
    case .scalar: return try appendScalar(&reader)
    }
  }

  private func appendScalar(_ reader: inout JSONReader) throws(JSONError) -> JSONValueFailure? {
    if try reader.peek() == .string {
      let value = try reader.readText()
      guard value.isEscaped else { return append(text: value.rawBytes) }
      scratch.removeAll()
      value.append(to: &scratch)
      let resolved = scratch.bytes.array()
      return append(text: Buffer(resolved).bytes)
    }
    return append(text: try reader.readRawBytes())
  }

  private func append(text value: RawSpan) -> JSONValueFailure? {
    if text.append(value) { return nil }
    return JSONValueFailure(
      column: field.name,
      cause: .unparsable(expected: text.expectation, found: value.excerpt))
  }

  /// Appends the fields of an object to the children; those it does not have become null.
  func appendFields(_ reader: inout JSONReader) throws(JSONError) -> JSONValueFailure? {
    try reader.beginUncomparedObject()
    rowNumber &+= 1
    var expected = 0
    while true {
      let start = reader.offset
      guard let key = try reader.nextUncomparedKey() else { break }
      guard let index = keys.index(of: key, expecting: expected) else {
        let known = children.map(\.field.name)
        return JSONValueFailure(
          column: key.string, cause: .unknownKey(key.string, known: known))
      }
      if seen[index] == rowNumber { throw .duplicateKey(offset: start, key: key.string) }
      seen[index] = rowNumber
      if let failure = try children[index].append(&reader) { return failure }
      expected = index &+ 1
    }
    for index in seen.indices where seen[index] != rowNumber {
      if let failure = children[index].appendNull() { return failure }
    }
    return nil
  }

  private func appendList(_ reader: inout JSONReader) throws(JSONError) -> JSONValueFailure? {
    try reader.beginArray()
    while try reader.nextElement() {
      if let failure = try children[0].append(&reader) { return failure.below(field.name) }
    }
    builder.endList()
    return nil
  }

  /// Pairs in an array, as the canonical form has maps; or, where keys are text, an object.
  private func appendMap(_ reader: inout JSONReader) throws(JSONError) -> JSONValueFailure? {
    let entries = builder.children[0]
    if try reader.peek() == .object {
      try reader.beginObject()
      while let key = try reader.nextKey() {
        let name = Buffer(utf8: key.string)
        if let failure = children[0].append(text: name.bytes) { return failure.below(field.name) }
        if let failure = try children[1].append(&reader) { return failure.below(field.name) }
        entries.endStructure()
      }
      builder.endList()
      return nil
    }
    try reader.beginArray()
    while try reader.nextElement() {
      try reader.beginArray()
      for child in children {
        guard try reader.nextElement() else {
          return JSONValueFailure(
            column: field.name,
            cause: .unparsable(expected: "pairs of key and value", found: "a shorter array"))
        }
        if let failure = try child.append(&reader) { return failure.below(field.name) }
      }
      guard try !reader.nextElement() else {
        return JSONValueFailure(
          column: field.name,
          cause: .unparsable(expected: "pairs of key and value", found: "a longer array"))
      }
      entries.endStructure()
    }
    builder.endList()
    return nil
  }
}
