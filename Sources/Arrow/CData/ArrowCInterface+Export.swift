// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Schemas handed out: each structure owns its texts and children, freed by its own release.
@unsafe
enum SchemaExport {
  static func fill(_ target: UnsafeMutablePointer<CSchema>, with field: ArrowField) {
    var schema = unsafe CSchema()
    unsafe schema.format = text(Array(field.type.format.utf8) + [0])
    unsafe schema.name = text(Array(field.name.utf8) + [0])
    if !field.metadata.isEmpty { unsafe schema.metadata = text(encoded(field.metadata)) }
    unsafe schema.flags = field.isNullable ? CSchema.nullableFlag : 0
    unsafe schema.childCount = Int64(field.children.count)
    if !field.children.isEmpty {
      let children = UnsafeMutablePointer<UnsafeMutablePointer<CSchema>?>.allocate(
        capacity: field.children.count)
      for (index, child) in field.children.enumerated() {
        let place = UnsafeMutablePointer<CSchema>.allocate(capacity: 1)
        unsafe fill(place, with: child)
        unsafe (children + index).initialize(to: place)
      }
      unsafe schema.children = unsafe children
    }
    unsafe schema.release = { unsafe SchemaExport.release($0) }
    unsafe target.initialize(to: schema)
  }

  private static func text(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (index, byte) in bytes.enumerated() {
      unsafe (copy + index).initialize(to: CChar(bitPattern: byte))
    }
    return unsafe UnsafePointer(copy)
  }

  /// i32 pairs, then of each i32 length and bytes of the key, and of the value.
  private static func encoded(_ metadata: [String: String]) -> [UInt8] {
    var writer = ByteWriter()
    writer.writeLE(Int32(metadata.count))
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      for text in [key, value] {
        writer.writeLE(Int32(text.utf8.count))
        writer.write(utf8: text)
      }
    }
    return writer.finish().array()
  }

  /// Frees what a structure owns. A child that the consumer took has no release any more.
  private static func release(_ address: UnsafeMutableRawPointer?) {
    guard let schema = unsafe address?.assumingMemoryBound(to: CSchema.self),
      unsafe schema.pointee.release != nil
    else { return }
    unsafe schema.pointee.format?.deallocate()
    unsafe schema.pointee.name?.deallocate()
    unsafe schema.pointee.metadata?.deallocate()
    if let children = unsafe schema.pointee.children {
      for index in unsafe 0..<Int(schema.pointee.childCount) {
        guard let child = unsafe children[index] else { continue }
        unsafe child.pointee.release?(child)
        unsafe child.deallocate()
      }
      unsafe children.deallocate()
    }
    unsafe schema.pointee.release = nil
  }
}

/// Arrays handed out: each keeps its buffers alive until it is released.
@unsafe
enum ArrayExport {
  /// What keeps the memory of an array.
  private final class Owner {
    let buffers: [Buffer?]
    init(_ buffers: [Buffer?]) { self.buffers = buffers }
  }

  static func fill(_ target: UnsafeMutablePointer<CArray>, with data: ArrayData) {
    var array = unsafe CArray()
    unsafe array.length = Int64(data.count)
    unsafe array.nullCount = Int64(data.nullCount ?? -1)
    unsafe array.offset = Int64(data.offset)
    unsafe array.bufferCount = Int64(data.buffers.count)
    unsafe array.childCount = Int64(data.children.count)
    let buffers = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(
      capacity: max(1, data.buffers.count))
    for (index, buffer) in data.buffers.enumerated() {
      let start = unsafe buffer?.bytes.withUnsafeBytes { $0.baseAddress } ?? nil
      unsafe (buffers + index).initialize(to: start)
    }
    unsafe array.buffers = unsafe buffers
    if !data.children.isEmpty {
      let children = UnsafeMutablePointer<UnsafeMutablePointer<CArray>?>.allocate(
        capacity: data.children.count)
      for (index, child) in data.children.enumerated() {
        let place = UnsafeMutablePointer<CArray>.allocate(capacity: 1)
        unsafe fill(place, with: child)
        unsafe (children + index).initialize(to: place)
      }
      unsafe array.children = unsafe children
    }
    unsafe array.privateData = unsafe Unmanaged.passRetained(Owner(data.buffers)).toOpaque()
    unsafe array.release = { unsafe ArrayExport.release($0) }
    unsafe target.initialize(to: array)
  }

  private static func release(_ address: UnsafeMutableRawPointer?) {
    guard let array = unsafe address?.assumingMemoryBound(to: CArray.self),
      unsafe array.pointee.release != nil
    else { return }
    if let children = unsafe array.pointee.children {
      for index in unsafe 0..<Int(array.pointee.childCount) {
        guard let child = unsafe children[index] else { continue }
        unsafe child.pointee.release?(child)
        unsafe child.deallocate()
      }
      unsafe children.deallocate()
    }
    unsafe array.pointee.buffers?.deallocate()
    if let owner = unsafe array.pointee.privateData {
      unsafe Unmanaged<Owner>.fromOpaque(owner).release()
    }
    unsafe array.pointee.release = nil
  }
}

/// A stream handed out: what the consumer's calls reach.
@unsafe
final class StreamExport {
  private let fields: [ColumnField]
  private let next: @Sendable () throws -> RecordBatch?
  /// What the last failed call said, as C has texts.
  private var message: UnsafeMutablePointer<CChar>?

  init(_ fields: [ColumnField], _ next: @escaping @Sendable () throws -> RecordBatch?) {
    unsafe self.fields = fields
    unsafe self.next = next
  }

  deinit { unsafe free(message) }

  static func fill(_ target: UnsafeMutablePointer<CStream>, with export: StreamExport) {
    var stream = unsafe CStream()
    unsafe stream.getSchema = { stream, schema in
      guard let export = unsafe StreamExport.of(stream), let schema = unsafe schema else {
        return EINVAL
      }
      unsafe ArrowCInterface.export(fields: export.fields, to: schema)
      return 0
    }
    unsafe stream.getNext = { stream, array in
      guard let export = unsafe StreamExport.of(stream), let array = unsafe array else {
        return EINVAL
      }
      return unsafe export.fillNext(array)
    }
    unsafe stream.getLastError = { stream in
      guard let message = unsafe StreamExport.of(stream)?.message else { return nil }
      return unsafe UnsafePointer(message)
    }
    unsafe stream.release = { address in
      guard let stream = unsafe address?.assumingMemoryBound(to: CStream.self),
        let export = unsafe stream.pointee.privateData
      else { return }
      unsafe Unmanaged<StreamExport>.fromOpaque(export).release()
      unsafe stream.pointee.privateData = nil
      unsafe stream.pointee.release = nil
    }
    unsafe stream.privateData = unsafe Unmanaged.passRetained(export).toOpaque()
    unsafe target.initialize(to: stream)
  }

  private static func of(_ address: UnsafeMutableRawPointer?) -> StreamExport? {
    let stream = unsafe address?.assumingMemoryBound(to: CStream.self)
    guard let export = unsafe stream?.pointee.privateData else { return nil }
    return unsafe Unmanaged<StreamExport>.fromOpaque(export).takeUnretainedValue()
  }

  private func fillNext(_ target: UnsafeMutableRawPointer) -> Int32 {
    do {
      if let batch = unsafe try next() {
        unsafe try ArrowCInterface.export(
          RecordBatch(fields: fields, columns: batch.columns, rowCount: batch.rowCount),
          to: target)
      } else {
        // A released array is the end.
        unsafe target.assumingMemoryBound(to: CArray.self).initialize(to: CArray())
      }
      return 0
    } catch {
      unsafe free(message)
      unsafe message = strdup("\(error)")
      return EIO
    }
  }
}
