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
    try shredFlat(column, field, definition: 0)
    return output
  }

  private var leaf: ParquetLeaf { leaves[leaves.startIndex + output.count] }

  private func check(_ column: Column, _ field: ColumnField) throws(ParquetError) {
    guard column.type.layout == field.type.layout else {
      throw .unwritable(path: leaf.name, what: "found \(column.type), expected \(field.type)")
    }
  }

  private func nullInRequired() -> ParquetError {
    .unwritable(path: leaf.name, what: "a null in a column that may have none")
  }

  /// A column each of whose rows is an entry: not inside a list, and nothing around it is null.
  private mutating func shredFlat(
    _ column: Column, _ field: ColumnField, definition: UInt8
  ) throws(ParquetError) {
    try check(column, field)
    if !field.isNullable, column.nullCount > 0 { throw nullInRequired() }
    if case .structure(let columns) = column.values, column.nullCount == 0 {
      for (column, child) in zip(columns, field.type.children) {
        try shredFlat(column, child, definition: definition + (field.isNullable ? 1 : 0))
      }
    } else if field.type.isNested {
      let count = column.count
      let entries = Entries(
        definition: [UInt8](repeating: definition, count: count),
        repetition: [UInt8](repeating: 0, count: count), rows: (0..<Int32(count)).map { $0 })
      try descend(column, field, entries, definition: definition, repetition: 0)
    } else {
      emitFlat(column, definition)
    }
  }

  private mutating func emitFlat(_ column: Column, _ definition: UInt8) {
    let index = output.count
    let rows = column.validity?.positionsOfOnes()
    let values = LeafValues.layOut(
      column, rows: rows, as: kinds[index], known: &dictionaries[index])
    let levels = column.validity.map { Self.levels(of: $0, above: definition) }
    output.append(
      ShreddedLeaf(
        levels: levels.map { .definition($0) } ?? .allPresent, values: values,
        entryCount: column.count))
  }

  /// One byte a bit: `least` for nulls, one more for values.
  private static func levels(of bits: Bitmap, above least: UInt8) -> [UInt8] {
    var bytes = [UInt8](repeating: least, count: bits.count)
    for index in 0..<bits.wordCount {
      let word = bits.word(index)
      let start = index * 64
      for i in 0..<min(64, bits.count - start) {
        bytes[start &+ i] &+= UInt8(truncatingIfNeeded: word &>> UInt64(i) & 1)
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
    } else if column.nullCount > 0,
      entries.rows.contains(where: { $0 >= 0 && column.isNull(Int($0)) })
    {
      throw nullInRequired()
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
    let places = offsets.values(as: Int32.self)
    func range(_ row: Int32) -> Range<Int32> {
      row < 0 ? 0..<0 : places[Int(row)]..<places[Int(row) &+ 1]
    }
    var total = 0
    for row in entries.rows { total += max(1, range(row).count) }
    // Most entries are elements, and most of these follow another one: what is so, is said first.
    var expanded = Entries(
      definition: [UInt8](repeating: definition + 1, count: total),
      repetition: [UInt8](repeating: repetition + 1, count: total),
      rows: [Int32](repeating: -1, count: total))
    var at = 0
    for i in entries.rows.indices {
      let elements = range(entries.rows[i])
      expanded.repetition[at] = entries.repetition[i]
      if elements.isEmpty {
        expanded.definition[at] = entries.definition[i]
        at &+= 1
      }
      for element in elements {
        expanded.rows[at] = element
        at &+= 1
      }
    }
    return expanded
  }

  private mutating func emit(_ column: Column, _ entries: Entries) {
    let index = output.count
    let present = entries.rows.filter { $0 >= 0 }
    // Rows ascend: where none is left out, they are a slice.
    var source = column
    var rows: [Int32]? = present
    if let first = present.first, let last = present.last, Int(last - first) + 1 == present.count {
      source = column.slice(Int(first)..<Int(last) + 1)
      rows = nil
    }
    let values = LeafValues.layOut(
      source, rows: rows, as: kinds[index], known: &dictionaries[index])
    let levels: LeafLevels =
      leaf.maxRepetitionLevel > 0
      ? .nested(definition: entries.definition, repetition: entries.repetition)
      : leaf.maxDefinitionLevel > 0 ? .definition(entries.definition) : .allPresent
    output.append(
      ShreddedLeaf(levels: levels, values: values, entryCount: entries.rows.count))
  }
}
