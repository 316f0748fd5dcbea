// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar

/// Batches lent to, and taken from, other programs in the same process, without a copy.
///
/// Structures are named by where they lie, as C, Python (`_import_from_c`) and DuckDB hand them on:
///
///     ArrowCInterface.export(fields: fields, to: streamAddress) { try batches.next() }
///     let stream = try ArrowCInterface.importStream(streamAddress)
///     while let batch = try stream.next() { … }
///
/// What is exported keeps the buffers alive until the consumer releases it; what is imported keeps
/// the producer's memory until its last buffer is gone. Bitmaps inside a byte, offsets of slices and
/// decimals of up to 18 digits, which lie otherwise in Arrow, are copied on the way out; on the way
/// in, types that no column has become those as ``ArrowStreamReader`` does.
/// The memory itself is the other side's word: offsets and codes are checked, sizes can't be.
/// Source: Arrow C data interface; Arrow C stream interface.
public enum ArrowCInterface {
  /// Fills the `struct ArrowSchema` at `address` with a structure of `fields`.
  @unsafe
  public static func export(fields: [ColumnField], to address: UnsafeMutableRawPointer) {
    var root = ArrowField(name: "", isNullable: false, type: .structure)
    root.children = fields.map { ArrowField($0) }
    unsafe SchemaExport.fill(address.assumingMemoryBound(to: CSchema.self), with: root)
  }

  /// Fills the `struct ArrowArray` at `address` with the rows of `batch`, of which
  /// ``export(fields:to:)`` tells the types.
  ///
  /// - Throws: ``ArrowError/columnar(_:field:)`` if a column without its dictionary is too large.
  @unsafe
  public static func export(
    _ batch: RecordBatch, to address: UnsafeMutableRawPointer
  ) throws(ArrowError) {
    var root = ArrayData(count: batch.rowCount, nullCount: 0, buffers: [nil])
    for (field, column) in zip(batch.fields, batch.columns) {
      root.children.append(
        try ArrayEncoder.array(column.retyped(as: field.type), field.name))
    }
    unsafe ArrayExport.fill(address.assumingMemoryBound(to: CArray.self), with: root)
  }

  /// Fills the `struct ArrowArrayStream` at `address` with batches of `fields` that `next` gives,
  /// until nil.
  ///
  /// `next` is called by the consumer, one call at a time, from any thread.
  @unsafe
  public static func export(
    fields: [ColumnField], to address: UnsafeMutableRawPointer,
    next: @escaping @Sendable () throws -> RecordBatch?
  ) {
    unsafe StreamExport.fill(
      address.assumingMemoryBound(to: CStream.self), with: StreamExport(fields, next))
  }

  /// Takes the rows of the `struct ArrowArray` at `array`, of the types of the `struct ArrowSchema` at
  /// `schema`, a structure; both are released by it, the array when its last buffer is gone.
  ///
  /// - Throws: ``ArrowError``; both are released then, too.
  @unsafe
  public static func importBatch(
    array: UnsafeMutableRawPointer, schema: UnsafeMutableRawPointer
  ) throws(ArrowError) -> RecordBatch {
    let foreign = unsafe ForeignArray(taking: array.assumingMemoryBound(to: CArray.self))
    let known = try unsafe SchemaImport.take(schema.assumingMemoryBound(to: CSchema.self))
    return try foreign.batch(known)
  }

  /// Takes the `struct ArrowArrayStream` at `address`, which is released when the stream is gone.
  ///
  /// - Throws: ``ArrowError/producer(code:message:)`` if the schema can't be had, and others if it
  ///   has types that no column has.
  @unsafe
  public static func importStream(
    _ address: UnsafeMutableRawPointer
  ) throws(ArrowError) -> ArrowCStream {
    try unsafe ArrowCStream(taking: address.assumingMemoryBound(to: CStream.self))
  }
}

/// A stream that another program in the process produces.
///
/// Used by one task at a time.
@safe
public final class ArrowCStream {
  private var stream: CStream
  private let schema: ArrowSchema

  /// The columns of the batches.
  public var fields: [ColumnField] { schema.columns }

  @unsafe
  init(taking source: UnsafeMutablePointer<CStream>) throws(ArrowError) {
    var taken = unsafe source.pointee
    unsafe source.pointee.release = nil
    var schema = unsafe CSchema()
    let code = unsafe taken.getSchema?(&taken, &schema) ?? -1
    guard code == 0 else {
      let error = unsafe Self.error(&taken, code)
      unsafe taken.release?(&taken)
      throw error
    }
    do throws(ArrowError) {
      self.schema = try unsafe SchemaImport.take(&schema)
    } catch {
      unsafe taken.release?(&taken)
      throw error
    }
    unsafe stream = taken
  }

  deinit { unsafe stream.release?(&stream) }

  /// The next batch; nil after the last.
  ///
  /// - Throws: ``ArrowError/producer(code:message:)`` with what the producer says.
  public func next() throws(ArrowError) -> RecordBatch? {
    var array = unsafe CArray()
    let code = unsafe stream.getNext?(&stream, &array) ?? -1
    guard code == 0 else { throw unsafe Self.error(&stream, code) }
    guard unsafe array.release != nil else { return nil }
    let foreign = unsafe ForeignArray(taking: &array)
    return try foreign.batch(schema)
  }

  @unsafe
  private static func error(
    _ stream: UnsafeMutablePointer<CStream>, _ code: Int32
  ) -> ArrowError {
    let text = unsafe stream.pointee.getLastError?(stream)
    return .producer(code: code, message: unsafe text.map { unsafe String(cString: $0) } ?? "")
  }
}
