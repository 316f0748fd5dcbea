// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The levels of a page that is being filled.
struct PageLevels: ~Copyable {
  private let maxDefinition: Int
  private let maxRepetition: Int
  /// So many entries before those in ``definition`` are values, which is all that is kept of them.
  private var presentPrefix = 0
  private var definition = MutableBuffer()
  private var repetition = MutableBuffer()

  /// How many entries there are: values and nulls of all kinds.
  private(set) var entryCount = 0
  private(set) var rowCount = 0
  /// How many of the entries are values.
  private(set) var presentCount = 0

  init(maxDefinition: Int, maxRepetition: Int) {
    self.maxDefinition = maxDefinition
    self.maxRepetition = maxRepetition
  }

  var nullCount: Int { entryCount - presentCount }

  mutating func removeAll() {
    presentPrefix = 0
    definition.removeAll()
    repetition.removeAll()
    entryCount = 0
    rowCount = 0
    presentCount = 0
  }

  /// Adds the entries in `piece` of a batch.
  mutating func append(_ levels: LeafLevels, _ piece: LeafPiece) {
    switch levels {
    case .allPresent:
      if definition.isEmpty {
        presentPrefix += piece.entries.count
      } else {
        append(repeating: UInt8(maxDefinition), count: piece.entries.count)
      }
    case .definition(let bytes):
      if piece.present.count == piece.entries.count, definition.isEmpty {
        presentPrefix += piece.entries.count
      } else {
        spellOutPrefix()
        definition.append(unsafe bytes.span.bytes.extracting(piece.entries))
      }
    case .nested(let definitionBytes, let repetitionBytes):
      definition.append(unsafe definitionBytes.span.bytes.extracting(piece.entries))
      repetition.append(unsafe repetitionBytes.span.bytes.extracting(piece.entries))
    }
    entryCount += piece.entries.count
    rowCount += piece.rowCount
    presentCount += piece.present.count
  }

  private mutating func spellOutPrefix() {
    append(repeating: UInt8(maxDefinition), count: presentPrefix)
    presentPrefix = 0
  }

  private mutating func append(repeating level: UInt8, count: Int) {
    for _ in 0..<count { definition.append(value: level) }
  }

  // MARK: Encoding

  /// Appends the repetition levels, if the leaf has any.
  func encodeRepetition(into output: inout MutableBuffer) {
    if maxRepetition > 0 {
      RLEBitPackedEncoder.encode(
        levels: repetition.values(as: UInt8.self),
        bitWidth: RLEBitPackedEncoder.bitWidth(of: maxRepetition), into: &output)
    }
  }

  /// Appends the definition levels, if the leaf has any.
  func encodeDefinition(into output: inout MutableBuffer) {
    guard maxDefinition > 0 else { return }
    let width = RLEBitPackedEncoder.bitWidth(of: maxDefinition)
    if presentPrefix > 0 {
      RLEBitPackedEncoder.encode(
        repeating: UInt32(maxDefinition), count: presentPrefix, bitWidth: width, into: &output)
    }
    RLEBitPackedEncoder.encode(
      levels: definition.values(as: UInt8.self), bitWidth: width, into: &output)
  }

  /// How often each definition level comes.
  func definitionHistogram() -> [Int64] {
    var counts = Self.histogram(definition.values(as: UInt8.self), maxDefinition)
    counts[maxDefinition] += Int64(presentPrefix)
    return counts
  }

  /// How often each repetition level comes.
  func repetitionHistogram() -> [Int64] {
    Self.histogram(repetition.values(as: UInt8.self), maxRepetition)
  }

  private static func histogram(_ levels: Span<UInt8>, _ maximum: Int) -> [Int64] {
    var counts = [Int64](repeating: 0, count: maximum + 1)
    for i in levels.indices { counts[Int(levels[i])] += 1 }
    return counts
  }
}

/// A part of a ``ShreddedLeaf`` that goes to one page: whole rows.
struct LeafPiece {
  var entries: Range<Int>
  /// The values of these entries.
  var present: Range<Int>
  var rowCount: Int
}

extension ShreddedLeaf {
  /// The next piece behind `piece`, of at most `rowLimit` rows and about `byteLimit` bytes, but at
  /// least one row.
  func piece(
    after piece: LeafPiece, rowLimit: Int, byteLimit: Int, maxDefinition: Int
  ) -> LeafPiece {
    switch levels {
    case .nested(let definition, let repetition):
      return nestedPiece(
        after: piece, rowLimit, byteLimit, UInt8(maxDefinition), definition, repetition)
    case .allPresent:
      return flatPiece(after: piece, rowLimit, byteLimit) { $0.count }
    case .definition(let bytes):
      let greatest = UInt8(maxDefinition)
      return flatPiece(after: piece, rowLimit, byteLimit) { entries in
        var count = 0
        let span = bytes.span
        for i in entries { count &+= span[i] == greatest ? 1 : 0 }
        return count
      }
    }
  }

  private func flatPiece(
    after piece: LeafPiece, _ rowLimit: Int, _ byteLimit: Int,
    presentCount: (Range<Int>) -> Int
  ) -> LeafPiece {
    let start = piece.entries.upperBound
    let firstValue = piece.present.upperBound
    var rows = min(rowLimit, entryCount - start)
    while true {
      let entries = start..<start + rows
      let present = firstValue..<firstValue + presentCount(entries)
      if rows <= 1 || values.byteCount(present) <= byteLimit {
        return LeafPiece(entries: entries, present: present, rowCount: rows)
      }
      rows /= 2
    }
  }

  /// So many entries make a piece of nested rows, whatever they take.
  private static var nestedEntryLimit: Int { 1 << 16 }

  private func nestedPiece(
    after piece: LeafPiece, _ rowLimit: Int, _ byteLimit: Int, _ greatest: UInt8,
    _ definition: [UInt8], _ repetition: [UInt8]
  ) -> LeafPiece {
    let start = piece.entries.upperBound
    var end = start
    let firstValue = piece.present.upperBound
    var lastValue = firstValue
    var rows = 0
    while end < entryCount, rows < rowLimit, end - start < Self.nestedEntryLimit,
      values.byteCount(firstValue..<lastValue) < byteLimit
    {
      repeat {
        if definition[end] == greatest { lastValue += 1 }
        end += 1
      } while end < entryCount && repetition[end] > 0
      rows += 1
    }
    return LeafPiece(
      entries: start..<end, present: firstValue..<lastValue, rowCount: rows)
  }
}
