// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import Bytes
internal import Columnar

/// Streams the rows of an Avro object container file as batches; one block is in memory at a time.
final class AvroInput {
  let fields: [ColumnField]
  private var source: InflatingSource
  private var blocks: AvroBlockStream
  private let shapes: [AvroShape]
  private let mayOutgrowBytes: Bool
  private let builder: BatchBuilder
  private let batchRowCount: Int
  /// What is left of the block being read.
  private var block: AvroBlock?
  private var place = 0
  private var recordsLeft = 0
  /// How many rows were read; the next one is one more.
  private var rowCount = 0

  /// The most bytes of records in a batch.
  private static let batchByteLimit = 64 << 20

  /// Reads the header.
  static func open(
    _ source: any ByteSource, _ options: InputOptions
  ) async throws(InputError) -> AvroInput {
    var source = InflatingSource(source)
    var blocks = AvroBlockStream()
    var first: AvroBlock?
    while blocks.header == nil || first == nil {
      do throws(AvroError) { first = try blocks.next() } catch {
        throw .avro(error, file: source.name, row: 1)
      }
      if first != nil { break }
      guard let chunk = try await source.read() else { break }
      blocks.feed(chunk)
    }
    guard let header = blocks.header else {
      do throws(AvroError) { try blocks.finish() } catch {
        throw .avro(error, file: source.name, row: 1)
      }
      throw .noRows(file: source.name)
    }
    let root = try AvroShape(header.schema, "", path: "", file: source.name)
    guard case .record(let shapes) = root.kind else {
      throw .columnType(
        file: source.name, column: "", expected: "records",
        found: header.schema.typeName.rawValue)
    }
    return AvroInput(source, blocks, shapes, first: first, options)
  }

  private init(
    _ source: consuming InflatingSource, _ blocks: consuming AvroBlockStream, _ shapes: [AvroShape],
    first: AvroBlock?, _ options: InputOptions
  ) {
    self.source = source
    self.blocks = blocks
    self.shapes = shapes
    mayOutgrowBytes = shapes.contains { $0.mayOutgrowBytes }
    fields = shapes.map(\.field)
    builder = BatchBuilder(fields)
    batchRowCount = options.batchRowCount
    block = first
    recordsLeft = first?.recordCount ?? 0
  }

  /// The next rows; those of the whole blocks that came, or a pause, where there are no more for now.
  func step() async throws(InputError) -> BatchStep {
    var taken = 0
    while rowsInBatch < batchRowCount, taken < Self.batchByteLimit {
      if let block {
        taken += try decode(block)
        continue
      }
      do throws(AvroError) { block = try blocks.next() } catch { throw failure(error) }
      place = 0
      recordsLeft = block?.recordCount ?? 0
      if block != nil { continue }
      guard let chunk = try await source.read() else {
        do throws(AvroError) { try blocks.finish() } catch { throw failure(error) }
        return rowsInBatch > 0 ? .rows(takeRows()) : .end
      }
      if chunk.isEmpty { return rowsInBatch > 0 ? .rows(takeRows()) : .pause }
      blocks.feed(chunk)
    }
    return .rows(takeRows())
  }

  private func takeRows() -> RecordBatch {
    let rows = exchange(&rowsInBatch, with: 0)
    return RecordBatch(
      fields: fields, columns: builder.columns.map { $0.finish() }, rowCount: rows)
  }

  private var rowsInBatch = 0

  /// True if columns whose nulls take more memory than bytes in the file are large.
  private var isBatchFull: Bool {
    guard mayOutgrowBytes else { return false }
    return builder.columns.reduce(0) { $0 + $1.wideByteCount } > Self.batchByteLimit
  }

  private func failure(_ error: AvroError) -> InputError {
    .avro(error, file: source.name, row: rowCount + 1)
  }

  /// Reads records of `block`, as many as the batch takes; returns of how many bytes.
  private func decode(_ block: AvroBlock) throws(InputError) -> Int {
    let rest = block.bytes.slice(place..<block.bytes.count)
    var decoder = AvroDecoder(rest.bytes)
    while recordsLeft > 0, rowsInBatch < batchRowCount, decoder.offset < Self.batchByteLimit {
      if rowsInBatch > 0, isBatchFull { return decoder.offset }
      for (shape, column) in zip(shapes, builder.columns) {
        do throws(AvroValueFailure) {
          try shape.append(&decoder, to: column)
        } catch {
          throw failure(error, in: shape.field.name)
        }
      }
      recordsLeft -= 1
      rowsInBatch += 1
      rowCount += 1
    }
    let byteCount = decoder.offset
    place += byteCount
    if recordsLeft == 0 {
      do throws(AvroError) { try decoder.finish() } catch { throw failure(error) }
      self.block = nil
    }
    return byteCount
  }

  private func failure(_ error: AvroValueFailure, in column: String) -> InputError {
    switch error {
    case .avro(let error): failure(error)
    case .value(let expected, let found):
      .unparsable(
        file: source.name, line: rowCount + 1, column: column, expected: expected, found: found)
    }
  }
}

/// Why a value could not be read.
enum AvroValueFailure: Error {
  case avro(AvroError)
  /// It is encoded well, and none of its column's type.
  case value(expected: String, found: String)
}

extension AvroShape {
  /// Reads a value and appends it to `column`, of this shape's type or a wider one.
  func append(
    _ decoder: inout AvroDecoder, to column: ColumnBuilder
  ) throws(AvroValueFailure) {
    do throws(AvroError) {
      switch kind {
      case .null: return column.appendNull()
      case .boolean: return column.append(try decoder.readBoolean())
      case .int:
        let value = try decoder.readInt()
        return column.type == .int64 ? column.append(Int64(value)) : column.append(value)
      case .long: return column.append(try decoder.readLong())
      case .float:
        let value = try decoder.readFloat()
        return column.type == .double ? column.append(Double(value)) : column.append(value)
      case .double: return column.append(try decoder.readDouble())
      case .bytes: return column.append(try decoder.readBytes())
      case .fixed(let byteCount): return column.append(try decoder.readFixed(byteCount))
      case .symbol(let symbols):
        return column.append(symbols[try decoder.readSymbol(of: symbols.count)])
      default: break
      }
    } catch {
      throw .avro(error)
    }
    try appendOther(&decoder, to: column)
  }

  private func appendOther(
    _ decoder: inout AvroDecoder, to column: ColumnBuilder
  ) throws(AvroValueFailure) {
    switch kind {
    case .text: try appendText(&decoder, to: column)
    case .uuidText: try appendUUID(&decoder, to: column)
    case .decimal(let byteCount, _): try appendDecimal(&decoder, byteCount, to: column)
    case .scaled(let factor, let isInt):
      let value: Int64
      do throws(AvroError) {
        value = isInt ? Int64(try decoder.readInt()) : try decoder.readLong()
      } catch {
        throw .avro(error)
      }
      let (product, overflow) = value.multipliedReportingOverflow(by: factor)
      if overflow { throw .value(expected: "\(column.type)", found: "\(value) milliseconds") }
      column.append(product)
    case .record(let shapes):
      for (shape, child) in zip(shapes, column.children) { try shape.append(&decoder, to: child) }
      column.endStructure()
    case .array(let shape): try appendElements(&decoder, shape, isMap: false, to: column)
    case .map(let shape): try appendElements(&decoder, shape, isMap: true, to: column)
    case .union(let shapes):
      let branch: Int
      do throws(AvroError) { branch = try decoder.readBranch(of: shapes.count) } catch {
        throw .avro(error)
      }
      try shapes[branch].append(&decoder, to: column)
    default: preconditionFailure("a kind that is read before")
    }
  }

  private func appendText(
    _ decoder: inout AvroDecoder, to column: ColumnBuilder
  ) throws(AvroValueFailure) {
    let start = decoder.offset
    do throws(AvroError) {
      let text = try decoder.readBytes()
      if (try? UTF8Span(validating: Span<UInt8>(_bytes: text))) == nil {
        throw .malformed(offset: start, expected: "UTF-8", found: "other bytes")
      }
      column.append(text)
    } catch {
      throw .avro(error)
    }
  }

  private func appendUUID(
    _ decoder: inout AvroDecoder, to column: ColumnBuilder
  ) throws(AvroValueFailure) {
    let text: String
    do throws(AvroError) { text = try decoder.readString() } catch { throw .avro(error) }
    var bytes: [UInt8] = []
    let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }
    for i in stride(from: 0, to: digits.count - digits.count % 2, by: 2) {
      guard let byte = UInt8(String(decoding: digits[i..<i + 2], as: UTF8.self), radix: 16) else {
        break
      }
      bytes.append(byte)
    }
    guard text.utf8.count == 36, bytes.count == 16 else {
      throw .value(expected: "uuid", found: text)
    }
    column.append(Buffer(bytes).bytes)
  }

  private func appendDecimal(
    _ decoder: inout AvroDecoder, _ byteCount: Int?, to column: ColumnBuilder
  ) throws(AvroValueFailure) {
    let value: Int128?
    do throws(AvroError) {
      let bytes =
        if let byteCount { try decoder.readFixed(byteCount) } else { try decoder.readBytes() }
      value = Self.integer(bigEndian: bytes)
    } catch {
      throw .avro(error)
    }
    guard let value, case .decimal(let precision, _) = column.type,
      value.magnitude < Self.powersOfTen[precision]
    else { throw .value(expected: "\(column.type)", found: "a number of more digits") }
    column.append(value)
  }

  /// 1, 10, … 10^38.
  private static let powersOfTen: [UInt128] = {
    var powers: [UInt128] = [1]
    for exponent in 1...38 { powers.append(powers[exponent - 1] * 10) }
    return powers
  }()

  /// The two's complement number in `bytes`; nil if it takes more than 128 bits.
  private static func integer(bigEndian bytes: RawSpan) -> Int128? {
    if bytes.byteCount == 0 { return 0 }
    let sign: UInt8 = bytes[0] >> 7 == 1 ? 0xff : 0
    var value: Int128 = sign == 0 ? 0 : -1
    for i in 0..<bytes.byteCount {
      if bytes.byteCount - i > 16 {
        if bytes[i] != sign { return nil }
        continue
      }
      if bytes.byteCount > 16, bytes.byteCount - i == 16, bytes[i] >> 7 != sign & 1 { return nil }
      value = value << 8 | Int128(bytes[i])
    }
    return value
  }

  /// The most memory that elements within one row may take beyond their bytes.
  private static let rowByteLimit = 64 << 20

  private func appendElements(
    _ decoder: inout AvroDecoder, _ shape: AvroShape, isMap: Bool, to column: ColumnBuilder
  ) throws(AvroValueFailure) {
    let child = column.children[0]
    while true {
      let count: Int
      do throws(AvroError) {
        count = try decoder.readBlockCount(
          elementByteCount: shape.minimumByteCount + (isMap ? 1 : 0))
      } catch {
        throw .avro(error)
      }
      if count == 0 { return column.endList() }
      for _ in 0..<count {
        if shape.mayOutgrowBytes, child.wideByteCount > Self.rowByteLimit {
          throw .avro(
            .limitExceeded(
              what: "memory for a row", value: Int64(child.wideByteCount),
              limit: Int64(Self.rowByteLimit)))
        }
        guard isMap else {
          try shape.append(&decoder, to: child)
          continue
        }
        try shape.appendText(&decoder, to: child.children[0])
        try shape.append(&decoder, to: child.children[1])
        child.endStructure()
      }
    }
  }
}

extension ColumnBuilder {
  /// How many bytes its slots take, about, and those of its children.
  fileprivate var wideByteCount: Int {
    children.reduce(byteCount + count / 8) { $0 + $1.wideByteCount }
  }
}
