// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Which rows to pick, in the form that is quickest for them.
enum RowPick {
  case none
  case all
  case ranges([Range<Int>])
  /// Ascending Int32s.
  case positions(Buffer)
  /// A quarter of the bits or more are 1: how many, is known.
  case dense(Bitmap, ones: Int)

  /// From here on, a run of rows is copied at once rather than row by row.
  private static let runLength = 32

  init(_ mask: Bitmap) {
    let ones = mask.countOfOnes
    if ones == 0 {
      self = .none
    } else if ones == mask.count {
      self = .all
    } else if mask.countOfRuns * RowPick.runLength <= ones {
      self = .ranges(RowSelection(mask).ranges)
    } else if ones * 4 >= mask.count {
      self = .dense(mask, ones: ones)
    } else {
      self = .positions(mask.positions(ones: ones))
    }
  }

  init(_ selection: RowSelection) {
    if selection.isEmpty {
      self = .none
    } else if selection.isAll {
      self = .all
    } else {
      self.init(selection.ranges, count: selection.count)
    }
  }

  /// The `count` rows of `ranges`.
  init(_ ranges: [Range<Int>], count: Int) {
    if ranges.count * RowPick.runLength <= count {
      self = .ranges(ranges)
    } else {
      self = .positions(RowPick.positions(ranges, count: count))
    }
  }

  /// The rows of `ranges` as Int32s, ascending.
  private static func positions(_ ranges: [Range<Int>], count: Int) -> Buffer {
    var buffer = MutableBuffer(byteCount: count * 4)
    var positions = buffer.mutableValues(as: Int32.self)
    var next = 0
    for range in ranges {
      for row in range {
        positions[next] = Int32(truncatingIfNeeded: row)
        next &+= 1
      }
    }
    return buffer.freeze()
  }
}

extension Column {
  /// The rows whose bit in `mask` is 1.
  ///
  /// A dictionary stays as it is. Cost: nothing is copied if all bits are equal; long runs of rows
  /// are copied whole.
  public func filter(by mask: Bitmap) -> Column {
    precondition(mask.count == count, "a bit for each row")
    return picked(RowPick(mask))
  }

  /// The rows of `selection`.
  public func filter(by selection: RowSelection) -> Column {
    precondition(selection.rowCount == count, "a selection of other rows")
    return picked(RowPick(selection))
  }

  func picked(_ pick: RowPick) -> Column {
    do throws(ColumnarError) {
      switch pick {
      case .all: return self
      case .none: return slice(0..<0)
      case .ranges(let ranges): return try Column.assembled([Pieces(self, ranges: ranges)])
      case .positions(let rows): return try gather(rows.values(as: Int32.self))
      case .dense(let mask, let ones):
        if let compacted = compacted(mask, ones: ones) { return compacted }
        return try gather(mask.positions(ones: ones).values(as: Int32.self))
      }
    } catch {
      preconditionFailure("some rows of a column take more than all of it: \(error)")
    }
  }

  /// The rows whose bit in `mask` is 1; nil if that is not quicker than by their positions.
  private func compacted(_ mask: Bitmap, ones: Int) -> Column? {
    let values: Values
    switch self.values {
    case .bits(let bits): values = .bits(Compact.bits(bits, mask: mask))
    case .fixed(let old):
      let width = old.count / max(count, 1)
      guard let new = Compact.fixed(old, width: width, mask: mask, count: ones) else { return nil }
      values = .fixed(new)
    case .dictionary(let old, let dictionary):
      guard let new = Compact.fixed(old, width: 4, mask: mask, count: ones) else { return nil }
      values = .dictionary(codes: new, dictionary)
    case .structure(let children):
      values = .structure(children.map { $0.picked(.dense(mask, ones: ones)) })
    case .null, .variable, .list: return nil
    }
    return Column(
      type: type, count: ones, validity: validity.map { Compact.bits($0, mask: mask) },
      values: values)
  }

  /// The values at `rows`, in that order, any of them more than once. All must be inside.
  ///
  /// A dictionary stays as it is.
  /// - Throws: ``ColumnarError/tooLarge(count:)`` if strings or elements that are taken more than
  ///   once outgrow 32-bit offsets.
  public func gather(_ rows: Span<Int32>) throws(ColumnarError) -> Column {
    let validity = self.validity?.gather(rows)
    let values: Values
    switch self.values {
    case .null:
      checkRows(rows, below: count)
      return .nulls(type, count: rows.count)
    case .bits(let bits): values = .bits(bits.gather(rows))
    case .fixed(let buffer):
      if buffer.isEmpty { checkRows(rows, below: count) }
      values = .fixed(Gather.fixed(buffer, width: buffer.count / max(count, 1), rows: rows))
    case .variable(let offsets, let bytes):
      let (offsets, bytes) = try Gather.variable(offsets: offsets, bytes: bytes, rows: rows)
      values = .variable(offsets: offsets, bytes: bytes)
    case .dictionary(let codes, let dictionary):
      values = .dictionary(codes: Gather.fixed(codes, width: 4, rows: rows), dictionary)
    case .structure(let children):
      checkRows(rows, below: count)
      var gathered: [Column] = []
      for child in children { gathered.append(try child.gather(rows)) }
      values = .structure(gathered)
    case .list(let old, let elements):
      let (new, total) = try Gather.lengths(offsets: old, limit: elements.count, rows: rows)
      let picked = Gather.elementRows(offsets: old, new: new, total: total, rows: rows)
      let gathered = try elements.gather(picked.values(as: Int32.self))
      values = .list(offsets: new, elements: gathered)
    }
    return Column(type: type, count: rows.count, validity: validity, values: values)
  }

  /// The values at `rows`, in that order, any of them more than once. All must be inside.
  ///
  /// - Throws: ``ColumnarError/tooLarge(count:)``, as for spans.
  public func gather(_ rows: [Int32]) throws(ColumnarError) -> Column { try gather(rows.span) }

  /// The same values without any dictionary, children included.
  ///
  /// - Throws: ``ColumnarError/tooLarge(count:)`` if the strings written out outgrow 32-bit offsets.
  public func materialized() throws(ColumnarError) -> Column {
    switch values {
    case .null, .bits, .fixed, .variable: return self
    case .dictionary(let codes, let dictionary):
      // With no entry there is no value, and a null's code need not be inside.
      if dictionary.count == 0 { return .nulls(type, count: count) }
      let plain = try dictionary.gather(codes.values(as: Int32.self))
      return Column(type: type, count: count, validity: validity, values: plain.values)
    case .structure(let children):
      var plain: [Column] = []
      for child in children { plain.append(try child.materialized()) }
      return Column(type: type, count: count, validity: validity, values: .structure(plain))
    case .list(let offsets, let elements):
      let plain = try elements.materialized()
      return Column(
        type: type, count: count, validity: validity,
        values: .list(offsets: offsets, elements: plain))
    }
  }
}

extension RecordBatch {
  /// The rows whose bit in `mask` is 1.
  public func filter(by mask: Bitmap) -> RecordBatch {
    precondition(mask.count == rowCount, "a bit for each row")
    let ones = mask.countOfOnes
    return picked(RowPick(mask), rowCount: ones)
  }

  /// The rows of `selection`.
  public func filter(by selection: RowSelection) -> RecordBatch {
    precondition(selection.rowCount == rowCount, "a selection of other rows")
    return picked(RowPick(selection), rowCount: selection.count)
  }

  func picked(_ pick: RowPick, rowCount: Int) -> RecordBatch {
    if case .all = pick { return self }
    return RecordBatch(
      fields: fields, columns: columns.map { $0.picked(pick) }, rowCount: rowCount)
  }

  /// The rows at `rows`, in that order, any of them more than once. All must be inside.
  ///
  /// - Throws: ``ColumnarError/tooLarge(count:)`` if a column outgrows 32-bit offsets.
  public func gather(_ rows: Span<Int32>) throws(ColumnarError) -> RecordBatch {
    checkRows(rows, below: rowCount)
    var gathered: [Column] = []
    for column in columns { gathered.append(try column.gather(rows)) }
    return RecordBatch(fields: fields, columns: gathered, rowCount: rows.count)
  }

  /// The rows at `rows`, in that order, any of them more than once. All must be inside.
  ///
  /// - Throws: ``ColumnarError/tooLarge(count:)`` if a column outgrows 32-bit offsets.
  public func gather(_ rows: [Int32]) throws(ColumnarError) -> RecordBatch {
    try gather(rows.span)
  }
}
