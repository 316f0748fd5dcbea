// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Puts shredded variants together again: a structure of metadata and value, whatever the columns
/// they were spread over.
///
/// Source: parquet-format VariantShredding.md, "Reconstructing a Shredded Variant".
struct VariantAssembly {
  private let shape: VariantShape
  /// The metadata whose names were taken apart last; most rows of a file have the same.
  private var known: (metadata: Buffer, names: VariantNames)?

  init(_ shape: VariantShape) { self.shape = shape }

  /// The variants in `shredded`, the structure that the group is stored as.
  ///
  /// - Parameter metadata: which of its fields that is.
  mutating func column(
    _ shredded: Column, metadata place: Int, as type: ColumnType
  ) throws(ByteError) -> Column {
    let metadata = shredded.children[place]
    var offsets = MutableBuffer(capacity: (shredded.count + 1) * 4)
    var bytes = MutableBuffer()
    offsets.append(value: Int32(0))
    for row in 0..<shredded.count {
      if !shredded.isNull(row), !metadata.isNull(row) {
        let names = try names(metadata.bytes(row))
        // A variant that is missing where one has to be is a null of its own.
        let value = try Self.value(shape, shredded, row, names) ?? VariantBytes.null
        for byte in value { bytes.append(value: byte) }
      }
      guard let end = Int32(exactly: bytes.count) else {
        throw .limitExceeded(
          what: "bytes of variants", value: Int64(bytes.count), limit: Int64(Int32.max))
      }
      offsets.append(value: end)
    }
    let values = Column(
      type: .binary, count: shredded.count, validity: shredded.validity,
      values: .variable(offsets: offsets.freeze(), bytes: bytes.freeze()))
    return Column(
      type: type, count: shredded.count, validity: shredded.validity,
      values: .structure([metadata, values]))
  }

  private mutating func names(_ metadata: Buffer) throws(ByteError) -> VariantNames {
    if let known, known.metadata.bytes.hasSameBytes(as: metadata.bytes) { return known.names }
    let names = try VariantNames(metadata.bytes)
    known = (metadata, names)
    return names
  }

  /// The value in `row` of a group, nil if it is missing.
  private static func value(
    _ shape: VariantShape, _ group: Column, _ row: Int, _ names: VariantNames
  ) throws(ByteError) -> [UInt8]? {
    let children = group.children
    var untyped: Buffer?
    if let place = shape.value, !children[place].isNull(row) {
      untyped = children[place].bytes(row)
    }
    guard let typed = shape.typed, !children[typed.place].isNull(row) else {
      return untyped?.array()
    }
    let column = children[typed.place]
    switch typed.form {
    case .scalar(let type): return scalar(type, column, row)
    case .array(let element):
      let elements = column.children[0]
      var values: [[UInt8]] = []
      for index in column.elementRange(row) {
        values.append(try value(element, elements, index, names) ?? VariantBytes.null)
      }
      return VariantBytes.array(values)
    case .object(let fields):
      return try object(fields, column, row, rest: untyped, names)
    }
  }

  private static func object(
    _ shredded: [(name: String, shape: VariantShape)], _ column: Column, _ row: Int, rest: Buffer?,
    _ names: VariantNames
  ) throws(ByteError) -> [UInt8] {
    var fields: [(name: [UInt8], id: Int, value: [UInt8])] = []
    for (place, field) in shredded.enumerated() {
      guard let value = try value(field.shape, column.children[place], row, names) else {
        continue
      }
      let name = [UInt8](field.name.utf8)
      fields.append((name, try names.id(of: name), value))
    }
    if let rest {
      let shreddedNames = Set(shredded.map { [UInt8]($0.name.utf8) })
      for field in try VariantBytes.fields(of: rest.bytes) {
        guard names.names.indices.contains(field.id) else {
          throw .outOfRange(offset: 0, what: "a field's number", value: Int64(field.id))
        }
        let name = names.names[field.id]
        // Columns of their own count before what is left in the value.
        if shreddedNames.contains(name) { continue }
        fields.append((name, field.id, field.value))
      }
    }
    fields.sort { $0.name.lexicographicallyPrecedes($1.name) }
    return VariantBytes.object(fields.map { ($0.id, $0.value) })
  }

  private static func scalar(_ type: VariantPrimitive, _ column: Column, _ row: Int) -> [UInt8] {
    switch type {
    case .null: return VariantBytes.null
    case .true, .false: return VariantBytes.primitive(column.boolean(row) ? .true : .false)
    case .string: return VariantBytes.string(column.bytes(row).array())
    case .binary: return VariantBytes.sized(.binary, column.bytes(row).array())
    case .int8:
      return VariantBytes.primitive(
        type, littleEndian(Int8(truncatingIfNeeded: column.integer(row))))
    case .int16:
      return VariantBytes.primitive(
        type, littleEndian(Int16(truncatingIfNeeded: column.integer(row))))
    case .decimal4: return decimal(type, column, Int32(truncatingIfNeeded: column.unscaled(row)))
    case .decimal8: return decimal(type, column, Int64(truncatingIfNeeded: column.unscaled(row)))
    case .decimal16: return decimal(type, column, column.unscaled(row))
    case .int32, .int64, .double, .float, .date, .time, .timestampMicros, .localTimestampMicros,
      .timestampNanos, .localTimestampNanos, .uuid:
      return VariantBytes.primitive(type, column.bytes(row).array())
    }
  }

  private static func decimal(
    _ type: VariantPrimitive, _ column: Column, _ unscaled: some FixedWidthInteger
  ) -> [UInt8] {
    guard case .decimal(_, let scale) = column.type else { return VariantBytes.null }
    return VariantBytes.primitive(
      type, [UInt8(truncatingIfNeeded: scale)] + littleEndian(unscaled))
  }

  private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
