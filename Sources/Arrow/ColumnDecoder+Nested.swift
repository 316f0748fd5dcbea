// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

extension ColumnDecoder {
  /// Structures, lists and maps.
  mutating func nested(
    _ array: ArrayData, _ field: ArrowField, _ type: ColumnType, _ path: String
  ) throws(ArrowError) -> Column {
    let validity = try validity(array, path)
    guard array.children.count == field.children.count else {
      throw .malformed(
        field: path, expected: "\(field.children.count) children",
        found: "\(array.children.count)")
    }
    var children: [Column] = []
    for (child, childField) in zip(array.children, field.children) {
      children.append(try column(child, childField, field.path(path, to: childField)))
    }
    if field.type == .structure {
      for index in children.indices {
        guard array.end <= children[index].count else {
          throw .malformed(
            field: path, expected: "\(array.end) rows in each child",
            found: "\(children[index].count)")
        }
        children[index] = children[index].slice(array.offset..<array.end)
      }
      return Column(
        type: type, count: array.count, validity: validity, values: .structure(children))
    }
    var elements = children[0]
    if field.type == .map {
      guard elements.nullCount == 0 else {
        throw .malformed(field: path, expected: "map entries", found: "null")
      }
      elements = elements.retyped(as: type.elementType)
    }
    if array.count == 0 {
      let none = MutableBuffer(zeroed: 4).freeze()
      return Column(
        type: type, count: 0, validity: nil,
        values: .list(offsets: none, elements: elements.slice(0..<0)))
    }
    return Column(
      type: type, count: array.count, validity: validity,
      values: try list(array, field.type, elements, validity, path))
  }

  private mutating func list(
    _ array: ArrayData, _ arrow: ArrowType, _ elements: Column, _ validity: Bitmap?,
    _ path: String
  ) throws(ArrowError) -> Column.Values {
    switch arrow {
    case .largeList:
      let (offsets, range) = try largeOffsets(array, limit: elements.count, path)
      return .list(offsets: offsets, elements: elements.slice(range))
    case .listView, .largeListView:
      return try viewedList(array, arrow, elements, validity, path)
    case .fixedSizeList(let count):
      let (end, overflow) = array.end.multipliedReportingOverflow(by: count)
      guard !overflow, end <= elements.count else {
        throw .malformed(
          field: path, expected: "\(count) elements a row", found: "\(elements.count)")
      }
      try allowance.take(array.count + 1, times: 4)
      var target = MutableBuffer(byteCount: (array.count + 1) * 4)
      var offsets = target.mutableValues(as: Int32.self)
      for row in offsets.indices { offsets[row] = Int32(truncatingIfNeeded: row * count) }
      return .list(
        offsets: target.freeze(), elements: elements.slice(array.offset * count..<end))
    default:
      return .list(
        offsets: try smallOffsets(array, limit: elements.count, path), elements: elements)
    }
  }

  /// Lists that may lie anywhere among the elements, in their order.
  private mutating func viewedList(
    _ array: ArrayData, _ arrow: ArrowType, _ elements: Column, _ validity: Bitmap?,
    _ path: String
  ) throws(ArrowError) -> Column.Values {
    let width = arrow == .largeListView ? 8 : 4
    let starts = try values(array, 1, width: width, path)
    let sizes = try values(array, 2, width: width, path)
    func integer(_ buffer: Buffer, _ row: Int) -> Int {
      width == 8
        ? Int(buffer.values(as: Int64.self)[row]) : Int(buffer.values(as: Int32.self)[row])
    }
    try allowance.take(array.count + 1, times: 4)
    var target = MutableBuffer(byteCount: (array.count + 1) * 4)
    var offsets = target.mutableValues(as: Int32.self)
    offsets[0] = 0
    var total = 0
    for row in 0..<array.count {
      if validity?[row] ?? true {
        let (start, size) = (integer(starts, row), integer(sizes, row))
        guard start >= 0, size >= 0, start <= elements.count, size <= elements.count - start
        else {
          throw .malformed(field: path, expected: "a view of elements", found: "another")
        }
        total += size
        guard total <= Int(Int32.max) else {
          throw .columnar(.tooLarge(count: Int64(total)), field: path)
        }
      }
      offsets[row + 1] = Int32(truncatingIfNeeded: total)
    }
    try allowance.take(total, times: 4)
    var rows = MutableBuffer(byteCount: total * 4)
    var picked = rows.mutableValues(as: Int32.self)
    var next = 0
    for row in 0..<array.count where validity?[row] ?? true {
      let start = integer(starts, row)
      for place in start..<start + integer(sizes, row) {
        picked[next] = Int32(truncatingIfNeeded: place)
        next += 1
      }
    }
    return .list(offsets: target.freeze(), elements: try gather(elements, rows.freeze(), path))
  }
}

// MARK: - Codes and runs

extension ColumnDecoder {
  /// Codes into a dictionary; kept so where a column may have one.
  mutating func coded(
    _ array: ArrayData, _ dictionary: ArrowDictionary, type: ColumnType, _ path: String
  ) throws(ArrowError) -> Column {
    let validity = try validity(array, path)
    if array.count == 0 { return ColumnBuilder(type).finish() }
    guard let entries = array.dictionary else {
      throw .malformed(
        field: path, expected: "dictionary \(dictionary.id)", found: "none before the batch")
    }
    let source = try values(array, 1, width: dictionary.bitWidth / 8, path)
    try allowance.take(array.count, times: 4)
    let codes = try codes(source, dictionary, array.count, validity, limit: entries.count, path)
    if entries.count == 0 {
      // Who writes the column gives each null a slot.
      if case .fixed(let width) = type.layout { try allowance.take(array.count, times: width) }
      try allowance.take(array.count / 8 + 1)
      return .nulls(type, count: array.count)
    }
    switch entries.type.layout {
    case .fixed, .variable:
      if entries.nullCount > 0 || entries.isDictionary { break }
      return Column(
        type: type, count: array.count, validity: validity,
        values: .dictionary(codes: codes, entries))
    default: break
    }
    let plain = try gather(entries, codes, path)
    let both = [plain.validity, validity].compactMap { $0 }
    return Column(
      type: type, count: array.count,
      validity: both.count == 2 ? both[0].and(both[1]) : both.first, values: plain.values)
  }

  private func codes(
    _ source: Buffer, _ dictionary: ArrowDictionary, _ count: Int, _ validity: Bitmap?,
    limit: Int, _ path: String
  ) throws(ArrowError) -> Buffer {
    var target = MutableBuffer(byteCount: count * 4)
    let failed: Int?
    switch (dictionary.bitWidth, dictionary.isSigned) {
    case (8, true): failed = Self.codes(source, Int8.self, &target, validity, limit)
    case (8, false): failed = Self.codes(source, UInt8.self, &target, validity, limit)
    case (16, true): failed = Self.codes(source, Int16.self, &target, validity, limit)
    case (16, false): failed = Self.codes(source, UInt16.self, &target, validity, limit)
    case (32, true): failed = Self.codes(source, Int32.self, &target, validity, limit)
    case (32, false): failed = Self.codes(source, UInt32.self, &target, validity, limit)
    case (64, true): failed = Self.codes(source, Int64.self, &target, validity, limit)
    default: failed = Self.codes(source, UInt64.self, &target, validity, limit)
    }
    if let failed {
      throw .malformed(
        field: path, expected: "codes below \(limit)", found: "another in row \(failed)")
    }
    return target.freeze()
  }

  /// Writes the codes, 0 for nulls; returns the first row whose code is not below `limit`.
  private static func codes<T: FixedWidthInteger & BitwiseCopyable>(
    _ source: Buffer, _ type: T.Type, _ target: inout MutableBuffer, _ validity: Bitmap?,
    _ limit: Int
  ) -> Int? {
    let values = source.values(as: T.self)
    var codes = target.mutableValues(as: Int32.self)
    for row in values.indices {
      if let code = Int(exactly: values[row]), code >= 0, code < limit {
        codes[row] = Int32(truncatingIfNeeded: code)
      } else {
        if validity?[row] ?? true { return row }
        codes[row] = 0
      }
    }
    return nil
  }

  /// The rows of runs, each with its own value.
  mutating func expanded(
    _ array: ArrayData, _ field: ArrowField, _ type: ColumnType, _ path: String
  ) throws(ArrowError) -> Column {
    guard array.children.count == 2, case .integer(let bitWidth, _) = field.children[0].type
    else {
      throw .malformed(
        field: path, expected: "run ends and values", found: "\(array.children.count) children")
    }
    let ends = array.children[0]
    let runs = try column(array.children[1], field.children[1], path)
    if array.count == 0 { return runs.slice(0..<0) }
    guard ends.count >= 0, ends.offset >= 0, ends.count <= runs.count else {
      throw .malformed(field: path, expected: "a value for each run", found: "\(runs.count)")
    }
    let source = try values(ends, 1, width: bitWidth / 8, path)
    try allowance.take(array.count, times: 4)
    let rows: Buffer?
    switch bitWidth {
    case 16: rows = Self.rows(source, Int16.self, array)
    case 32: rows = Self.rows(source, Int32.self, array)
    default: rows = Self.rows(source, Int64.self, array)
    }
    guard let rows else {
      throw .malformed(
        field: path, expected: "run ends that ascend to \(array.end)", found: "others")
    }
    return try gather(runs, rows, path)
  }

  /// Which run each row is in; nil if the ends don't ascend, or end early.
  private static func rows<T: FixedWidthInteger & BitwiseCopyable>(
    _ source: Buffer, _ type: T.Type, _ array: ArrayData
  ) -> Buffer? {
    let ends = source.values(as: T.self)
    var target = MutableBuffer(byteCount: array.count * 4)
    var rows = target.mutableValues(as: Int32.self)
    var row = array.offset
    var last = 0
    for run in ends.indices {
      guard let end = Int(exactly: ends[run]), end > last else { return nil }
      last = end
      while row < min(end, array.end) {
        rows[row - array.offset] = Int32(truncatingIfNeeded: run)
        row += 1
      }
    }
    return row == array.end ? target.freeze() : nil
  }

  /// The rows of `column` at `rows` (Int32, all inside), their memory granted first.
  mutating func gather(
    _ column: Column, _ rows: Buffer, _ path: String
  ) throws(ArrowError) -> Column {
    let rows = rows.values(as: Int32.self)
    try grant(column, rows)
    do throws(ColumnarError) {
      return try column.gather(rows)
    } catch {
      throw .columnar(error, field: path)
    }
  }

  /// Grants the memory that `rows` of `column` take.
  private mutating func grant(_ column: Column, _ rows: Span<Int32>) throws(ArrowError) {
    try allowance.take(rows.count / 4 + 16)
    switch column.values {
    case .null, .bits: break
    case .fixed(let buffer):
      try allowance.take(rows.count, times: buffer.count / max(column.count, 1))
    case .dictionary: try allowance.take(rows.count, times: 4)
    case .variable(let offsets, _):
      try allowance.take(rows.count, times: 4)
      try allowance.take(Self.total(offsets.values(as: Int32.self), rows))
    case .structure(let children):
      for child in children { try grant(child, rows) }
    case .list(let offsets, let elements):
      let offsets = offsets.values(as: Int32.self)
      let total = Self.total(offsets, rows)
      try allowance.take(rows.count, times: 4)
      try allowance.take(total, times: 8)
      var picked: [Int32] = []
      picked.reserveCapacity(total)
      for i in rows.indices {
        let row = Int(rows[i])
        picked += offsets[row]..<offsets[row + 1]
      }
      try grant(elements, picked.span)
    }
  }

  private static func total(_ offsets: Span<Int32>, _ rows: Span<Int32>) -> Int {
    var total = 0
    for i in rows.indices {
      let row = Int(rows[i])
      total += Int(offsets[row + 1] - offsets[row])
    }
    return total
  }
}
