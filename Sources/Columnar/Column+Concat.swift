// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Some runs of rows of a column, to be put behind others.
struct Pieces {
  let column: Column
  let ranges: [Range<Int>]

  init(_ column: Column, ranges: [Range<Int>]) {
    self.column = column
    self.ranges = ranges
  }

  init(_ column: Column) { self.init(column, ranges: [0..<column.count]) }
}

extension Column {
  /// The rows of `columns`, of which there is at least one and all of one type, one after another.
  ///
  /// Dictionaries are merged into one without equal entries where that is smaller than writing out
  /// the values.
  /// - Throws: ``ColumnarError/tooLarge(count:)`` if the strings or elements outgrow 32-bit offsets.
  public static func concat(_ columns: [Column]) throws(ColumnarError) -> Column {
    guard let first = columns.first else { preconditionFailure("no column to take the type of") }
    precondition(columns.allSatisfy { $0.type == first.type }, "columns of different types")
    let filled = columns.filter { $0.count > 0 }
    if filled.isEmpty { return first }
    if filled.count == 1 { return filled[0] }
    return try assembled(filled.map { Pieces($0) })
  }

  /// The runs of all `parts`, of which there is at least one and all of one type.
  static func assembled(_ parts: [Pieces]) throws(ColumnarError) -> Column {
    let type = parts[0].column.type
    let count = parts.reduce(0) { $0 + $1.ranges.reduce(0) { $0 + $1.count } }
    if parts.allSatisfy({ $0.column.isAllNull }) { return .nulls(type, count: count) }
    let parts = try withOneForm(parts)
    if case .dictionary(_, let dictionary) = parts[0].column.values {
      let codes = Assemble.fixed(parts.map { $0.fixedRuns }, width: 4)
      return Column(
        type: type, count: count, validity: assembledValidity(parts, count: count),
        values: .dictionary(codes: codes, dictionary))
    }
    return Column(
      type: type, count: count, validity: assembledValidity(parts, count: count),
      values: try assembledValues(parts, type: type))
  }

  private static func assembledValues(
    _ parts: [Pieces], type: ColumnType
  ) throws(ColumnarError) -> Values {
    switch type.layout {
    case .null: return .null
    case .bits:
      var bits = BitmapBuilder()
      for part in parts { part.appendBits(to: &bits) }
      return .bits(bits.finish())
    case .fixed(let width):
      return .fixed(Assemble.fixed(parts.map { $0.fixedRuns }, width: width))
    case .variable:
      try checkSize(parts)
      let (offsets, runs) = Assemble.offsets(parts.map { $0.offsetRuns })
      let bytes = zip(parts, runs).map { BufferRuns(buffer: $0.column.variableBytes, ranges: $1) }
      return .variable(offsets: offsets, bytes: Assemble.fixed(bytes, width: 1))
    case .structure:
      var children: [Column] = []
      for index in type.children.indices {
        let fields = parts.map { Pieces($0.column.children[index], ranges: $0.ranges) }
        children.append(try assembled(fields))
      }
      return .structure(children)
    case .list:
      try checkSize(parts)
      let (offsets, runs) = Assemble.offsets(parts.map { $0.offsetRuns })
      let elements = zip(parts, runs).map { Pieces($0.column.children[0], ranges: $1) }
      return .list(offsets: offsets, elements: try assembled(elements))
    }
  }

  private static func assembledValidity(_ parts: [Pieces], count: Int) -> Bitmap? {
    if parts.allSatisfy({ $0.column.validity == nil }) { return nil }
    var validity = BitmapBuilder(capacity: count)
    for part in parts {
      for range in part.ranges {
        if let bits = part.column.validity {
          validity.append(bits.slice(range))
        } else {
          validity.append(repeating: true, count: range.count)
        }
      }
    }
    return validity.finish()
  }

  /// Throws if the bytes or elements of all runs are more than offsets reach.
  private static func checkSize(_ parts: [Pieces]) throws(ColumnarError) {
    var total: Int64 = 0
    for part in parts {
      let offsets = part.offsetRuns.buffer.values(as: Int32.self)
      for range in part.ranges {
        total &+= Int64(offsets[range.upperBound]) &- Int64(offsets[range.lowerBound])
      }
    }
    guard total <= Int64(Int32.max) else { throw .tooLarge(count: total) }
  }

  /// True if the values are nothing at all.
  private var isAllNull: Bool {
    if case .null = values { true } else { false }
  }
}

extension Pieces {
  fileprivate var fixedRuns: BufferRuns {
    switch column.values {
    case .fixed(let buffer), .dictionary(let buffer, _): BufferRuns(buffer: buffer, ranges: ranges)
    default: preconditionFailure("not of fixed width")
    }
  }

  fileprivate var offsetRuns: BufferRuns {
    switch column.values {
    case .variable(let offsets, _), .list(let offsets, _):
      BufferRuns(buffer: offsets, ranges: ranges)
    default: preconditionFailure("no offsets")
    }
  }

  fileprivate func appendBits(to builder: inout BitmapBuilder) {
    guard case .bits(let bits) = column.values else { preconditionFailure("not bits") }
    for range in ranges { builder.append(bits.slice(range)) }
  }
}

extension Column {
  fileprivate var variableBytes: Buffer {
    guard case .variable(_, let bytes) = values else { preconditionFailure("not variable") }
    return bytes
  }
}

extension RecordBatch {
  /// The rows of `batches`, of which there is at least one and all of the same fields, one after
  /// another.
  ///
  /// - Throws: ``ColumnarError/tooLarge(count:)`` if a column outgrows 32-bit offsets.
  public static func concat(_ batches: [RecordBatch]) throws(ColumnarError) -> RecordBatch {
    guard let first = batches.first else { preconditionFailure("no batch to take the fields of") }
    precondition(
      batches.allSatisfy { $0.columns.count == first.columns.count }, "batches of other columns")
    var columns: [Column] = []
    for index in first.columns.indices {
      columns.append(try Column.concat(batches.map { $0.columns[index] }))
    }
    let rowCount = batches.reduce(0) { $0 + $1.rowCount }
    return RecordBatch(fields: first.fields, columns: columns, rowCount: rowCount)
  }
}
