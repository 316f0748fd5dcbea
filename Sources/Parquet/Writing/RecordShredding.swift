// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// The rows of a batch as one leaf sees them: levels, and the values that are there.
struct ShreddedLeaf {
  let levels: LeafLevels
  let values: LeafValues
  /// Levels there are, or would be: values and nulls of all kinds.
  let entryCount: Int
}

/// Which entries of a leaf are values.
enum LeafLevels {
  /// All of them.
  case allPresent
  /// Those whose byte is the leaf's greatest definition level; each entry is a row.
  case definition([UInt8])
  /// As above; a row begins where the repetition level is 0.
  case nested(definition: [UInt8], repetition: [UInt8])
}

/// Splits a column with all its nesting into what each of its leaves has to write.
///
/// Goes down one level of nesting at a time. An entry is what will be one pair of levels: it has
/// the row of the column at hand it stands for, or none, once a null or an empty list was met.
/// Cost: O(entries × depth); a column that is not nested and has no nulls costs nothing.
/// Source: parquet-format README.md, "Nested Encoding".
struct RecordShredder {
  private let leaves: ArraySlice<ParquetLeaf>
  private let kinds: [LeafKind]
  private var dictionaries: [LaidOutDictionary?]
  private var output: [ShreddedLeaf] = []

  /// - Parameter leaves: those of the one field whose columns are given to ``shred(_:_:)``.
  init(leaves: ArraySlice<ParquetLeaf>) {
    self.leaves = leaves
    kinds = leaves.map { LeafKind($0) }
    dictionaries = leaves.map { _ in nil }
  }

  private struct Entries {
    var definition: [UInt8]
    var repetition: [UInt8]
    /// -1 for none.
    var rows: [Int32]
  }

  /// One batch a leaf, in their order.
  ///
  /// - Throws: ``ParquetError/unwritable(path:what:)`` for a null where none may be, or a column of
  ///   another type than `field`.
  mutating func shred(
    _ column: Column, _ field: ColumnField
  ) throws(ParquetError) -> [ShreddedLeaf] {
    output.removeAll(keepingCapacity: true)
    if field.type.isNested {
      let count = column.count
      let entries = Entries(
        definition: [UInt8](repeating: 0, count: count),
        repetition: [UInt8](repeating: 0, count: count), rows: (0..<Int32(count)).map { $0 })
      try descend(column, field, entries, definition: 0, repetition: 0)
    } else {
      try shredFlat(column, field)
    }
    return output
  }

  private var leaf: ParquetLeaf { leaves[leaves.startIndex + output.count] }

  private func check(_ column: Column, _ field: ColumnField) throws(ParquetError) {
    guard column.type.layout == field.type.layout else {
      throw .unwritable(path: leaf.name, what: "found \(column.type), expected \(field.type)")
    }
  }

  private mutating func shredFlat(
    _ column: Column, _ field: ColumnField
  ) throws(ParquetError) {
    try check(column, field)
    let index = output.count
    guard let validity = column.validity else {
      let values = LeafValues.layOut(
        column, rows: nil, as: kinds[index], known: &dictionaries[index])
      return output.append(
        ShreddedLeaf(levels: .allPresent, values: values, entryCount: column.count))
    }
    guard field.isNullable else {
      throw .unwritable(path: leaf.name, what: "a null in a column that may have none")
    }
    let values = LeafValues.layOut(
      column, rows: validity.positionsOfOnes(), as: kinds[index], known: &dictionaries[index])
    output.append(
      ShreddedLeaf(
        levels: .definition(Self.bytes(of: validity)), values: values, entryCount: column.count))
  }

  /// One byte a bit.
  private static func bytes(of bits: Bitmap) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: bits.count)
    for index in 0..<bits.wordCount {
      let word = bits.word(index)
      let start = index * 64
      for i in 0..<min(64, bits.count - start) {
        bytes[start &+ i] = UInt8(truncatingIfNeeded: word &>> UInt64(i) & 1)
      }
    }
    return bytes
  }

  private mutating func descend(
    _ column: Column, _ field: ColumnField, _ entries: Entries, definition: UInt8,
    repetition: UInt8
  ) throws(ParquetError) {
    try check(column, field)
    var entries = entries
    var definition = definition
    if field.isNullable {
      definition += 1
      drop(nullsOf: column, from: &entries, definition)
    } else if column.nullCount > 0, entries.rows.contains(where: { $0 >= 0 && column.isNull(Int($0)) }) {
      throw .unwritable(path: leaf.name, what: "a null in a column that may have none")
    }
    switch (column.values, field.type) {
    case (.structure(let columns), .structure(let fields)):
      for (column, field) in zip(columns, fields) {
        try descend(column, field, entries, definition: definition, repetition: repetition)
      }
    case (.list(let offsets, let elements), .list(let element)):
      let expanded = expand(entries, offsets, definition, repetition)
      try descend(
        elements, element, expanded, definition: definition + 1, repetition: repetition + 1)
    case (.list(let offsets, let elements), .map(let key, let value)):
      let expanded = expand(entries, offsets, definition, repetition)
      for (column, field) in zip(elements.children, [key, value]) {
        try descend(
          column, field, expanded, definition: definition + 1, repetition: repetition + 1)
      }
    case (.null, _) where field.type.isNested:
      try descendIntoNulls(field, entries, definition, repetition)
    default: emit(column, entries)
    }
  }

  /// Under a column that is nothing but nulls, every leaf has the same entries.
  private mutating func descendIntoNulls(
    _ field: ColumnField, _ entries: Entries, _ definition: UInt8, _ repetition: UInt8
  ) throws(ParquetError) {
    for child in field.type.children {
      let column = Column.nulls(child.type, count: 0)
      try descend(column, child, entries, definition: definition, repetition: repetition)
    }
  }

  /// Entries of nulls keep the level they have; the others reach `definition`.
  private func drop(nullsOf column: Column, from entries: inout Entries, _ definition: UInt8) {
    let validity = column.validity
    for i in entries.rows.indices where entries.rows[i] >= 0 {
      if let validity, !validity[Int(entries.rows[i])] {
        entries.rows[i] = -1
      } else {
        entries.definition[i] = definition
      }
    }
  }

  /// One entry an element, and one for each list that is null or empty.
  private func expand(
    _ entries: Entries, _ offsets: Buffer, _ definition: UInt8, _ repetition: UInt8
  ) -> Entries {
    var expanded = Entries(definition: [], repetition: [], rows: [])
    let places = offsets.values(as: Int32.self)
    for i in entries.rows.indices {
      let row = Int(entries.rows[i])
      let range = row < 0 ? 0..<0 : places[row]..<places[row + 1]
      if range.isEmpty {
        expanded.definition.append(entries.definition[i])
        expanded.repetition.append(entries.repetition[i])
        expanded.rows.append(-1)
      }
      for element in range {
        expanded.definition.append(definition + 1)
        expanded.repetition.append(
          element == range.lowerBound ? entries.repetition[i] : repetition + 1)
        expanded.rows.append(element)
      }
    }
    return expanded
  }

  private mutating func emit(_ column: Column, _ entries: Entries) {
    let index = output.count
    let present = entries.rows.filter { $0 >= 0 }
    let values = LeafValues.layOut(
      column, rows: present, as: kinds[index], known: &dictionaries[index])
    let levels: LeafLevels =
      leaf.maxRepetitionLevel > 0
      ? .nested(definition: entries.definition, repetition: entries.repetition)
      : leaf.maxDefinitionLevel > 0 ? .definition(entries.definition) : .allPresent
    output.append(
      ShreddedLeaf(levels: levels, values: values, entryCount: entries.rows.count))
  }
}
