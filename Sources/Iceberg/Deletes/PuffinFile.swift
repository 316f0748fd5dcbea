// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import Codecs
internal import JSON

/// What a Puffin file's footer says: which blobs are in the file, and where.
///
///     file   := magic blob… footer
///     footer := magic payload size (4 bytes) flags (4 bytes) magic
///
/// Source: Puffin spec.
public struct PuffinFooter: Hashable, Sendable {
  public var blobs: [PuffinBlob]
  public var properties: [String: String]

  static let magic: [UInt8] = [0x50, 0x46, 0x41, 0x31]
  /// What follows the payload: size, flags and magic.
  public static let tailByteCount = 12
  /// What stands around the payload.
  static let frameByteCount = 16
  static let document = "Puffin footer"

  public init(blobs: [PuffinBlob], properties: [String: String] = [:]) {
    self.blobs = blobs
    self.properties = properties
  }

  /// How many bytes from the end of the file the footer takes, both its magics counted: what table
  /// statistics call `file-footer-size-in-bytes`.
  ///
  /// - Parameter tail: the last ``tailByteCount`` bytes of the file.
  /// - Throws: ``IcebergError/malformed(_:at:expected:found:)`` if they are no end of a Puffin file.
  public static func byteCount(tail: RawSpan) throws(IcebergError) -> Int64 {
    guard tail.byteCount == tailByteCount, tail.extracting(last: 4).array() == magic else {
      throw malformed("its end", "the Puffin magic", tail.array().hexadecimal)
    }
    let size = tail.loadLE(at: 0, as: Int32.self)
    guard size >= 0 else { throw malformed("its size", "zero or more", "\(size)") }
    return Int64(size) + Int64(frameByteCount)
  }

  /// The footer that `footer` is: as many bytes of the file's end as ``byteCount(tail:)`` told.
  ///
  /// - Parameter fileByteCount: of the whole file, where it is known: blobs must lie before the
  ///   footer then.
  /// - Throws: ``IcebergError/malformed(_:at:expected:found:)``, ``IcebergError/json(_:in:)``,
  ///   ``IcebergError/compression(_:in:)``, or ``IcebergError/unsupported(_:)`` for flags that are
  ///   not known.
  public init(
    decoding footer: RawSpan, fileByteCount: Int64?, limits: DecodeLimits = .standard
  ) throws(IcebergError) {
    let document = Self.document
    guard footer.byteCount >= Self.frameByteCount else {
      throw Self.malformed("its size", "16 bytes or more", "\(footer.byteCount)")
    }
    let size = try Self.byteCount(tail: footer.extracting(last: Self.tailByteCount))
    guard size == Int64(footer.byteCount), footer.extracting(first: 4).array() == Self.magic else {
      throw Self.malformed(
        "its start", "the Puffin magic", footer.extracting(first: 4).array().hexadecimal)
    }
    let flags = footer.loadLE(at: footer.byteCount - 8, as: UInt32.self)
    guard flags & ~1 == 0 else { throw .unsupported("a Puffin file with flags \(flags)") }
    let payload = footer.extracting(4..<footer.byteCount - Self.tailByteCount)
    let text =
      flags & 1 == 0
      ? Buffer(copying: payload)
      : try PuffinCodec.lz4.decompress(payload, document: document, limits: limits)
    let json: JSONValue
    do throws(JSONError) {
      json = try JSONValue(parsing: text.bytes)
    } catch {
      throw .json(error, in: document)
    }
    try self.init(json: json)
    let end = fileByteCount.map { $0 - Int64(footer.byteCount) }
    for (index, blob) in blobs.enumerated() { try blob.check(index, end: end) }
  }

  static func malformed(_ place: String, _ expected: String, _ found: String) -> IcebergError {
    .malformed(document, at: place, expected: expected, found: found)
  }
}

/// A blob of a Puffin file: what it is about, and where it lies.
public struct PuffinBlob: Hashable, Sendable {
  public var type: String
  /// The fields it was computed of.
  public var fields: [FieldID]
  /// The snapshot it was computed of; -1 of deletion vectors.
  public var snapshotID: SnapshotID
  public var sequenceNumber: SequenceNumber
  public var offset: Int64
  /// As it is stored: compressed, if it is.
  public var byteCount: Int64
  public var compression: PuffinCodec?
  public var properties: [String: String]

  public static let deletionVectorType = "deletion-vector-v1"
  public static let thetaSketchType = "apache-datasketches-theta-v1"

  public init(
    type: String, fields: [FieldID], snapshotID: SnapshotID, sequenceNumber: SequenceNumber,
    offset: Int64, byteCount: Int64, compression: PuffinCodec? = nil,
    properties: [String: String] = [:]
  ) {
    self.type = type
    self.fields = fields
    self.snapshotID = snapshotID
    self.sequenceNumber = sequenceNumber
    self.offset = offset
    self.byteCount = byteCount
    self.compression = compression
    self.properties = properties
  }

  /// How many distinct values there are, as the writer of a sketch estimated; nil if it did not.
  ///
  /// Source: Puffin spec, "apache-datasketches-theta-v1 blob type".
  public var distinctCount: Int64? { Self.distinctCount(properties) }

  static func distinctCount(_ properties: [String: String]) -> Int64? {
    guard let text = properties["ndv"], let count = Int64(text), count >= 0, !text.hasPrefix("+")
    else { return nil }
    return count
  }

  /// What the blob holds, decompressed.
  ///
  /// - Parameter stored: its bytes in the file.
  public func contents(
    of stored: RawSpan, limits: DecodeLimits = .standard
  ) throws(IcebergError) -> Buffer {
    guard Int64(stored.byteCount) == byteCount else {
      throw PuffinFooter.malformed(
        "blob '\(type)'", "\(byteCount) bytes", "\(stored.byteCount)")
    }
    guard let compression else { return Buffer(copying: stored) }
    return try compression.decompress(stored, document: "Puffin blob '\(type)'", limits: limits)
  }

  fileprivate func check(_ index: Int, end: Int64?) throws(IcebergError) {
    let first = Int64(PuffinFooter.magic.count)
    guard offset >= first, byteCount >= 0, byteCount <= (end ?? .max) - offset else {
      throw PuffinFooter.malformed(
        "blobs[\(index)]", "a place between \(first) and \(end.map(String.init) ?? "the footer")",
        "\(byteCount) bytes at \(offset)")
    }
  }
}

/// How a blob or a footer of a Puffin file is compressed.
public enum PuffinCodec: Hashable, Sendable {
  /// A single LZ4 frame.
  case lz4
  /// A single Zstandard frame.
  case zstd
  /// One this engine does not know: such a blob can't be read, others of the file can.
  case unknown(String)

  init(_ name: String) {
    self = name == "lz4" ? .lz4 : name == "zstd" ? .zstd : .unknown(name)
  }

  var name: String {
    switch self {
    case .lz4: "lz4"
    case .zstd: "zstd"
    case .unknown(let name): name
    }
  }

  private func codec() throws(IcebergError) -> Codec {
    switch self {
    case .lz4: .lz4Frame
    case .zstd: .zstd
    case .unknown(let name): throw .unsupported("compression '\(name)' of a Puffin blob")
    }
  }

  func decompress(
    _ bytes: RawSpan, document: String, limits: DecodeLimits
  ) throws(IcebergError) -> Buffer {
    var output = MutableBuffer()
    var decompressor = Decompressor(try codec())
    do throws(CodecError) {
      try decompressor.decompress(bytes, into: &output, limits: limits)
    } catch {
      throw .compression(error, in: document)
    }
    return output.freeze()
  }

  func compress(_ bytes: RawSpan, document: String) throws(IcebergError) -> Buffer {
    let codec = try codec()
    do throws(CodecError) {
      var compressor = try Compressor(codec)
      return try compressor.compress(bytes)
    } catch {
      throw .compression(error, in: document)
    }
  }
}

// MARK: - Writing

/// Puts blobs into a Puffin file, which is whole only after ``finish()``.
public struct PuffinWriter: ~Copyable {
  private var output: ByteWriter
  private var footer: PuffinFooter
  /// How many bytes were taken out.
  private var takenByteCount: Int64 = 0

  /// - Parameter properties: of the file; `created-by` should be among them.
  public init(properties: [String: String]) {
    output = ByteWriter(capacity: 1 << 12)
    output.write(PuffinFooter.magic)
    footer = PuffinFooter(blobs: [], properties: properties)
  }

  /// How many bytes the file has so far.
  public var byteCount: Int64 { takenByteCount + Int64(output.count) }

  /// The bytes of the file that were not taken out yet, so that a large one need not be in memory
  /// as a whole: ``finish()`` gives those that follow.
  public mutating func takeBytes() -> Buffer {
    takenByteCount = byteCount
    var taken = ByteWriter(capacity: 1 << 12)
    swap(&output, &taken)
    return taken.finish()
  }

  /// Appends a blob, and tells where it lies.
  @discardableResult
  public mutating func append(
    _ contents: RawSpan, type: String, fields: [FieldID], snapshotID: SnapshotID,
    sequenceNumber: SequenceNumber, compression: PuffinCodec? = nil,
    properties: [String: String] = [:]
  ) throws(IcebergError) -> PuffinBlob {
    let offset = byteCount
    if let compression {
      output.write(try compression.compress(contents, document: "Puffin blob '\(type)'"))
    } else {
      output.write(contents)
    }
    let blob = PuffinBlob(
      type: type, fields: fields, snapshotID: snapshotID, sequenceNumber: sequenceNumber,
      offset: offset, byteCount: byteCount - offset, compression: compression,
      properties: properties)
    footer.blobs.append(blob)
    return blob
  }

  /// Appends the vector of the rows deleted from the data file at `path`, and tells where it lies:
  /// offset and length are what its manifest entry must say.
  @discardableResult
  public mutating func append(
    _ vector: DeletionVector, of path: String
  ) throws(IcebergError) -> PuffinBlob {
    let contents = try vector.encoded()
    // Position of the row: what the reference implementation says the blob is of.
    return try append(
      contents.bytes, type: PuffinBlob.deletionVectorType, fields: [.rowPosition],
      snapshotID: SnapshotID(-1), sequenceNumber: SequenceNumber(-1),
      properties: ["referenced-data-file": path, "cardinality": "\(vector.count)"])
  }

  /// Appends a blob as another file has it, compressed or not, and tells where it lies.
  ///
  /// - Parameter blob: what the other file's footer says of it.
  public mutating func append(stored: RawSpan, as blob: PuffinBlob) -> PuffinBlob {
    var blob = blob
    blob.offset = byteCount
    blob.byteCount = Int64(stored.byteCount)
    output.write(stored)
    footer.blobs.append(blob)
    return blob
  }

  /// The file, or what of it was not taken out, and how many of its bytes are the footer.
  public consuming func finish() throws(IcebergError) -> (file: Buffer, footerByteCount: Int64) {
    let start = output.count
    output.write(PuffinFooter.magic)
    let payload = footer.payload
    guard let size = Int32(exactly: payload.count) else {
      throw .invalid(
        "a Puffin footer of \(payload.count) bytes", reason: "the format ends at 2 GiB")
    }
    output.write(payload)
    output.writeLE(size)
    output.writeLE(UInt32(0))
    output.write(PuffinFooter.magic)
    let footerByteCount = Int64(output.count - start)
    return (output.finish(), footerByteCount)
  }
}

extension FieldID {
  /// The metadata column `_pos`.
  ///
  /// Source: Iceberg spec, "Reserved Field IDs".
  static let rowPosition = FieldID(2_147_483_645)
}

// MARK: - Footers as JSON

extension PuffinFooter {
  fileprivate init(json: JSONValue) throws(IcebergError) {
    let members = try JSONMembers(json, of: Self.document, at: "")
    var blobs: [PuffinBlob] = []
    for (index, blob) in try members.array("blobs").enumerated() {
      blobs.append(
        try PuffinBlob(try JSONMembers(blob, of: Self.document, at: "blobs[\(index)]")))
    }
    self.init(blobs: blobs, properties: try members.strings("properties"))
  }

  fileprivate var payload: Buffer {
    var writer = JSONWriter()
    writer.beginObject()
    writer.writeKey("blobs")
    writer.beginArray()
    for blob in blobs { blob.write(to: &writer) }
    writer.endArray()
    if !properties.isEmpty { writer.write(properties, key: "properties") }
    writer.endObject()
    return writer.finish()
  }
}

extension PuffinBlob {
  fileprivate init(_ members: JSONMembers) throws(IcebergError) {
    self.init(
      type: try members.string("type"),
      fields: (try members.optionalInt32s("fields") ?? []).map { FieldID($0) },
      snapshotID: SnapshotID(try members.int64("snapshot-id")),
      sequenceNumber: SequenceNumber(try members.int64("sequence-number")),
      offset: try members.int64("offset"), byteCount: try members.int64("length"),
      compression: (try members.optionalString("compression-codec")).map { PuffinCodec($0) },
      properties: try members.strings("properties"))
  }

  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.writeKey("type")
    writer.write(type)
    writer.writeKey("fields")
    writer.beginArray()
    for id in fields { writer.write(id.rawValue) }
    writer.endArray()
    writer.writeKey("snapshot-id")
    writer.write(snapshotID.rawValue)
    writer.writeKey("sequence-number")
    writer.write(sequenceNumber.rawValue)
    writer.writeKey("offset")
    writer.write(offset)
    writer.writeKey("length")
    writer.write(byteCount)
    if let compression {
      writer.writeKey("compression-codec")
      writer.write(compression.name)
    }
    if !properties.isEmpty { writer.write(properties, key: "properties") }
    writer.endObject()
  }
}

extension JSONMembers {
  /// An object of strings; empty if it is not there.
  fileprivate func strings(_ key: String) throws(IcebergError) -> [String: String] {
    guard let object = optional(key) else { return [:] }
    guard let members = object.members else { throw malformed(place(key), "an object", object) }
    var result: [String: String] = [:]
    for member in members {
      guard let text = member.value.string else {
        throw malformed(place("\(key).\(member.key)"), "a string", member.value)
      }
      result[member.key] = text
    }
    return result
  }
}

extension JSONWriter {
  fileprivate mutating func write(_ strings: [String: String], key: String) {
    writeKey(key)
    beginObject()
    for (name, text) in strings.sorted(by: { $0.key < $1.key }) {
      writeKey(name)
      write(text)
    }
    endObject()
  }
}
