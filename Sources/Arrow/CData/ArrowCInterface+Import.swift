// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Schemas taken from others.
@unsafe
enum SchemaImport {
  /// How deep types may nest.
  private static let depthLimit = 64

  /// The fields of the structure at `source`, which is released.
  static func take(_ source: UnsafeMutablePointer<CSchema>) throws(ArrowError) -> ArrowSchema {
    defer { unsafe source.pointee.release?(source) }
    var nextDictionary: Int64 = 0
    let root = try unsafe field(source.pointee, depth: 0, &nextDictionary)
    guard root.type == .structure, root.dictionary == nil else {
      throw .malformed(field: "", expected: "a structure of columns", found: root.type.format)
    }
    return try ArrowSchema(root.children)
  }

  private static func field(
    _ schema: CSchema, depth: Int, _ nextDictionary: inout Int64
  ) throws(ArrowError) -> ArrowField {
    guard unsafe depth <= depthLimit else {
      throw unsafe .limitExceeded(
        what: "depth of the schema", value: Int64(depth), limit: Int64(depthLimit))
    }
    let name = unsafe schema.name.map { unsafe String(cString: $0) } ?? ""
    if let dictionary = unsafe schema.dictionary {
      let format = unsafe schema.format.map { unsafe String(cString: $0) } ?? ""
      guard case .integer(let bitWidth, let isSigned)? = ArrowType(format: format) else {
        throw .malformed(field: name, expected: "integer codes", found: format)
      }
      var field = try unsafe field(dictionary.pointee, depth: depth + 1, &nextDictionary)
      field.name = name
      field.isNullable = unsafe schema.flags & CSchema.nullableFlag != 0
      unsafe field.metadata.merge(metadata(schema.metadata)) { $1 }
      nextDictionary += 1
      field.dictionary = ArrowDictionary(
        id: nextDictionary, bitWidth: bitWidth, isSigned: isSigned)
      return field
    }
    var field = ArrowField(
      name: name, isNullable: unsafe schema.flags & CSchema.nullableFlag != 0,
      type: try unsafe type(schema, name))
    field.metadata = unsafe metadata(schema.metadata)
    for index in unsafe 0..<max(0, Int(schema.childCount)) {
      guard let child = unsafe schema.children?[index] else { continue }
      field.children.append(
        try unsafe Self.field(child.pointee, depth: depth + 1, &nextDictionary))
    }
    return field
  }

  private static func type(_ schema: CSchema, _ name: String) throws(ArrowError) -> ArrowType {
    let format = unsafe schema.format.map { unsafe String(cString: $0) } ?? ""
    guard let type = ArrowType(format: format) else {
      throw .unsupported(field: name, type: "'\(format)'")
    }
    return type
  }

  /// i32 pairs, then of each i32 length and bytes of the key, and of the value.
  private static func metadata(_ start: UnsafePointer<CChar>?) -> [String: String] {
    guard let start = unsafe start.map({ unsafe UnsafeRawPointer($0) }) else { return [:] }
    var at = 4
    func text() -> String {
      let count = unsafe Int(start.loadUnaligned(fromByteOffset: at, as: Int32.self))
      let bytes = unsafe UnsafeRawBufferPointer(start: start + at + 4, count: max(0, count))
      at += 4 + max(0, count)
      return unsafe String(decoding: bytes, as: UTF8.self)
    }
    var metadata: [String: String] = [:]
    for _ in unsafe 0..<max(0, start.loadUnaligned(as: Int32.self)) {
      let key = text()
      metadata[key] = text()
    }
    return metadata
  }
}

/// An array that another side owns: released when nothing refers to it any more.
@safe
final class ForeignArray: Sendable {
  /// Not changed after `init`, and released once, by `deinit`.
  nonisolated(unsafe) private let array: UnsafeMutablePointer<CArray>

  /// Moves the array at `source` here: what is left there counts as released.
  @unsafe
  init(taking source: UnsafeMutablePointer<CArray>) {
    unsafe array = .allocate(capacity: 1)
    unsafe array.initialize(to: source.pointee)
    unsafe source.pointee.release = nil
  }

  deinit {
    unsafe array.pointee.release?(array)
    unsafe array.deallocate()
  }

  /// The rows of this array, a structure.
  func batch(_ schema: ArrowSchema) throws(ArrowError) -> RecordBatch {
    let root = unsafe array.pointee
    let (end, overflow) = unsafe root.offset.addingReportingOverflow(root.length)
    guard unsafe root.length >= 0, unsafe root.offset >= 0, !overflow, end < Int64(Int32.max),
      unsafe root.childCount == Int64(schema.fields.count)
    else {
      throw unsafe .malformed(
        field: "", expected: "\(schema.fields.count) columns", found: "\(root.childCount)")
    }
    let offset = unsafe Int(root.offset)
    let count = unsafe Int(root.length)
    var decoder = ColumnDecoder(allowance: .unlimited)
    var columns: [Column] = []
    for (index, field) in schema.fields.enumerated() {
      guard let child = unsafe root.children?[index] else {
        throw .malformed(field: field.name, expected: "an array", found: "none")
      }
      let data = try unsafe self.data(child.pointee, field, field.name, &decoder)
      let column = try decoder.column(data, field, field.name)
      guard column.count >= offset + count else {
        throw .malformed(
          field: field.name, expected: "\(offset + count) rows", found: "\(column.count)")
      }
      columns.append(column.slice(offset..<offset + count))
    }
    return RecordBatch(fields: schema.columns, columns: columns, rowCount: count)
  }

  /// The buffers of `array` as ones of ours.
  @unsafe
  private func data(
    _ array: CArray, _ field: ArrowField, _ path: String, _ decoder: inout ColumnDecoder
  ) throws(ArrowError) -> ArrayData {
    let (end, overflow) = unsafe array.offset.addingReportingOverflow(array.length)
    guard unsafe array.length >= 0, unsafe array.offset >= 0, !overflow, end < Int64(Int32.max)
    else {
      throw unsafe .malformed(
        field: path, expected: "fewer than 2^31 rows", found: "\(array.length) rows")
    }
    var data = ArrayData(
      count: unsafe Int(array.length),
      nullCount: unsafe array.nullCount < 0 ? nil : Int(array.nullCount),
      offset: unsafe Int(array.offset), buffers: [])
    if field.dictionary != nil {
      guard let dictionary = unsafe array.dictionary?.pointee else {
        throw .malformed(field: path, expected: "a dictionary", found: "none")
      }
      let entries = field.entries
      let plain = try unsafe self.data(dictionary, entries, path, &decoder)
      data.dictionary = try plainColumn(decoder.column(plain, entries, path), path)
      unsafe appendBuffers(array, field.codes, end: Int(end), to: &data)
      return data
    }
    unsafe appendBuffers(array, field.type, end: Int(end), to: &data)
    guard unsafe array.childCount == Int64(field.children.count) else {
      throw unsafe .malformed(
        field: path, expected: "\(field.children.count) children", found: "\(array.childCount)")
    }
    for (index, child) in field.children.enumerated() {
      guard let source = unsafe array.children?[index] else {
        throw .malformed(field: path, expected: "an array", found: "none")
      }
      data.children.append(
        try unsafe self.data(source.pointee, child, field.path(path, to: child), &decoder))
    }
    return data
  }

  private func plainColumn(_ column: Column, _ path: String) throws(ArrowError) -> Column {
    do throws(ColumnarError) {
      return try column.materialized()
    } catch {
      throw .columnar(error, field: path)
    }
  }

  /// How long each buffer is, the layout and the offsets tell: the interface has no lengths.
  @unsafe
  private func appendBuffers(
    _ array: CArray, _ type: ArrowType, end: Int, to data: inout ArrayData
  ) {
    func buffer(_ index: Int, _ byteCount: Int) -> Buffer? {
      guard unsafe Int64(index) < array.bufferCount, let start = unsafe array.buffers?[index]
      else { return nil }
      if byteCount <= 0 { return .empty }
      return unsafe Buffer(
        BufferStorage(
          adopting: UnsafeMutableRawPointer(mutating: start), byteCount: byteCount,
          release: { withExtendedLifetime(self) {} }))
    }
    func last<T: FixedWidthInteger & BitwiseCopyable>(_ offsets: Buffer?, as type: T.Type) -> Int {
      guard let offsets, offsets.count >= MemoryLayout<T>.size else { return 0 }
      return Int(
        clamping: offsets.bytes.loadLE(at: offsets.count - MemoryLayout<T>.size, as: T.self))
    }
    if type.bufferCount == 0 { return }
    data.buffers = [buffer(0, (end + 7) / 8)]
    switch type {
    case .structure, .fixedSizeList: break
    case .boolean: data.buffers.append(buffer(1, (end + 7) / 8))
    case .utf8, .binary, .list, .map:
      data.buffers.append(buffer(1, (end + 1) * 4))
      if type == .utf8 || type == .binary {
        data.buffers.append(buffer(2, last(data.buffers[1], as: Int32.self)))
      }
    case .largeUtf8, .largeBinary, .largeList:
      data.buffers.append(buffer(1, (end + 1) * 8))
      if type != .largeList {
        data.buffers.append(buffer(2, last(data.buffers[1], as: Int64.self)))
      }
    case .listView, .largeListView:
      let width = type == .listView ? 4 : 8
      data.buffers += [buffer(1, end * width), buffer(2, end * width)]
    case .utf8View, .binaryView:
      data.buffers.append(buffer(1, end * 16))
      // The last buffer has the lengths of those between.
      let count = unsafe max(0, Int(array.bufferCount) - 3)
      let lengths = buffer(2 + count, count * 8) ?? .empty
      for index in 0..<count where lengths.count == count * 8 {
        let length = lengths.bytes.loadLE(at: index * 8, as: Int64.self)
        data.buffers.append(buffer(2 + index, Int(clamping: length)))
      }
    default: data.buffers.append(buffer(1, end * (type.byteWidth ?? 0)))
    }
  }
}

extension ArrowField {
  /// The type of the codes into a dictionary.
  fileprivate var codes: ArrowType {
    guard let dictionary else { return type }
    return .integer(bitWidth: dictionary.bitWidth, isSigned: dictionary.isSigned)
  }
}
