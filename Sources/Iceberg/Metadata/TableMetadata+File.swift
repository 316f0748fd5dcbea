// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import Codecs

extension TableMetadata {
  /// The metadata that a metadata file holds: JSON, or JSON compressed by gzip.
  ///
  /// Which of the two is seen by the first bytes: names of such files lie.
  ///
  /// - Throws: ``IcebergError/compression(_:in:)`` if it can't be inflated, and what
  ///   ``init(json:limits:)`` throws.
  public init(file: Buffer, limits: DecodeLimits = .standard) throws(IcebergError) {
    let isCompressed =
      file.count >= 2 && file.bytes.loadLE(at: 0, as: UInt16.self) == 0x8b1f
    guard isCompressed else {
      self = try TableMetadata(json: file, limits: limits)
      return
    }
    var decompressor = Decompressor(.gzip)
    var output = MutableBuffer()
    // The document's own limit holds in place of that of a block.
    var limits = limits
    limits.blockByteCount = limits.documentByteCount
    do {
      try decompressor.decompress(file.bytes, into: &output, limits: limits)
    } catch {
      throw .compression(error, in: Self.document)
    }
    self = try TableMetadata(json: output.freeze(), limits: limits)
  }

  /// The bytes of a metadata file of this metadata.
  ///
  /// - Throws: ``IcebergError/compression(_:in:)`` if there is no memory to compress in.
  public func file(
    compression: MetadataFileName.Compression = .none
  ) throws(IcebergError) -> Buffer {
    let json = encoded()
    guard compression == .gzip else { return json }
    do {
      var compressor = try Compressor(.gzip)
      return try compressor.compress(json.bytes)
    } catch {
      throw .compression(error, in: Self.document)
    }
  }
}
