// SPDX-License-Identifier: Apache-2.0
package import Bytes
internal import Codecs
public import Iceberg
public import Storage

/// Reads and writes the files that hold a table's metadata.
public enum MetadataFiles {
  /// The largest file that is read, before and after decompression: 10⁵ snapshots fit.
  static let byteCountLimit: Int64 = 512 << 20

  /// The metadata of a file, and whether Lake wrote it.
  struct Document {
    let metadata: TableMetadata
    let isOwn: Bool
  }

  /// The metadata in the file at `path`; compressed or not is seen by its first bytes, since names
  /// of files that others wrote are not reliable in that.
  ///
  /// Cost: one request.
  /// - Throws: ``CatalogError/invalidMetadata(file:_:)`` if the file is no table metadata.
  public static func read(
    _ path: ObjectPath, in store: any ObjectStore
  ) async throws(CatalogError) -> TableMetadata {
    try await readDocument(path, in: store).metadata
  }

  static func readDocument(
    _ path: ObjectPath, in store: any ObjectStore
  ) async throws(CatalogError) -> Document {
    let bytes: Buffer
    do throws(StorageError) {
      bytes = try await store.get(path, limit: byteCountLimit)
    } catch {
      throw .storage(error, while: "reading table metadata")
    }
    do throws(IcebergError) {
      let json = try inflated(bytes)
      return Document(metadata: try TableMetadata(json: json), isOwn: TableMetadata.isOwn(json))
    } catch {
      throw .invalidMetadata(file: path, error)
    }
  }

  /// As ``read(_:in:)``, for a file that someone named.
  ///
  /// - Throws: ``CatalogError/tableNotFound(_:)`` if there is none.
  package static func readToRegister(
    _ path: ObjectPath, in store: any ObjectStore
  ) async throws(CatalogError) -> TableMetadata {
    do throws(CatalogError) {
      return try await read(path, in: store)
    } catch {
      if case .storage(let cause, _) = error, cause.isNotFound { throw .tableNotFound(path.text) }
      throw error
    }
  }

  /// True for the name of a file with the metadata of a table, of whichever catalog.
  package static func isName(_ name: String) -> Bool {
    name.hasSuffix(".metadata.json") || name.hasSuffix(".metadata.json.gz")
  }

  private static func inflated(_ bytes: Buffer) throws(IcebergError) -> Buffer {
    guard bytes.count >= 2, bytes.bytes.loadLE(at: 0, as: UInt16.self) == 0x8b1f else {
      return bytes
    }
    var limits = DecodeLimits.standard
    limits.blockByteCount = Int(byteCountLimit)
    var decompressor = Decompressor(.gzip)
    var output = MutableBuffer()
    do throws(CodecError) {
      try decompressor.decompress(bytes.bytes, into: &output, limits: limits)
    } catch {
      throw .malformed(
        "table metadata", at: "the gzip stream", expected: "a whole one", found: "\(error)")
    }
    return output.freeze()
  }

  /// The bytes of a file that holds `metadata`.
  package static func encode(_ metadata: TableMetadata, compressed: Bool) -> Buffer {
    let json = metadata.encoded()
    guard compressed else { return json }
    do throws(CodecError) {
      var compressor = try Compressor(.gzip)
      return try compressor.compress(json.bytes)
    } catch {
      // Only for want of memory; readers look at the bytes, so the text itself is as good a file.
      return json
    }
  }
}

extension TableMetadata {
  /// True if the table's property asks for compressed metadata files.
  package var wantsCompressedFiles: Bool {
    (try? properties.value(of: .metadataCompression)) == "gzip"
  }
}
