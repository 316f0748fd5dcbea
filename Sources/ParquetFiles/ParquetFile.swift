// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Parquet
public import Storage

/// What can go wrong when a Parquet file of a store is read.
@nonexhaustive
public enum ParquetFileError: Error, Hashable, Sendable {
  case storage(StorageError)
  /// The bytes are not what the format says: in which file, and what.
  case parquet(ParquetError, file: ObjectPath)
}

extension ParquetFileError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .storage(let error): "\(error)"
    case .parquet(let error, let file): "\(file): \(error)"
    }
  }
}

extension ParquetFileError {
  /// What a caller can do about it.
  public var remedy: Remedy {
    switch self {
    case .storage(let error): error.remedy
    case .parquet: .inspect
    }
  }
}

/// A Parquet file of a store, its footer read.
public struct ParquetFile: Sendable {
  public let path: ObjectPath
  public let footer: ParquetFooter
  let store: any ObjectStore
  /// The end of the file, which had to be read for the footer: page indexes are often in it, and
  /// small files as a whole.
  let tail: FileBytes

  /// How many bytes of the file are held.
  package var retainedByteCount: Int { tail.byteCount }

  /// How much of a file's end is read at first: the footers of most files fit.
  static let tailByteCount: Int64 = 64 << 10
  /// Up to how many bytes a file of a store that is far away is read whole, where all of it will be
  /// wanted: another request would take longer than its bytes.
  package static let wholeByteCount: Int64 = 1 << 20

  /// Reads the footer of the file at `path`.
  ///
  /// Cost: one request if `byteCount` is known and the footer takes less than 64 KiB; one more for
  /// each that does not hold. A file that is read whole takes no other request later.
  /// - Parameters:
  ///   - byteCount: how long the file is, where something that can be relied on tells it.
  ///   - wholeByteCount: a file of no more bytes is read whole at once.
  public static func open(
    _ path: ObjectPath, in store: any ObjectStore, byteCount: Int64? = nil,
    wholeUpTo wholeByteCount: Int64 = 0
  ) async throws(ParquetFileError) -> ParquetFile {
    let length: Int64
    let start: Int64
    let tail: Buffer
    do throws(StorageError) {
      if let byteCount { length = byteCount } else { length = try await store.head(path).byteCount }
      start = max(0, length <= wholeByteCount ? 0 : length - tailByteCount)
      tail = try await store.get(path, range: start..<max(length, 0))
    } catch {
      throw .storage(error)
    }
    guard Int64(tail.count) == length - start else {
      throw .parquet(
        .inconsistent(.footer, what: "bytes of the file", expected: length, found: -1), file: path)
    }
    let footer = try await footer(path, store, tail: tail, length: length)
    let end = FileBytes([(length - Int64(tail.count), tail)])
    return ParquetFile(path: path, footer: footer, store: store, tail: end)
  }

  private static func footer(
    _ path: ObjectPath, _ store: any ObjectStore, tail: Buffer, length: Int64
  ) async throws(ParquetFileError) -> ParquetFooter {
    var tail = tail
    let needed: Int
    do throws(ParquetError) {
      needed = try ParquetFooter.byteCount(tail: tail, fileByteCount: length)
    } catch {
      throw .parquet(error, file: path)
    }
    if needed > tail.count {
      do throws(StorageError) {
        tail = try await store.get(path, range: length - Int64(needed)..<length)
      } catch {
        throw .storage(error)
      }
    }
    do throws(ParquetError) {
      return try ParquetFooter.parse(tail: tail, fileByteCount: length)
    } catch {
      throw .parquet(error, file: path)
    }
  }

  /// Fetches the columns `projection` of a row group, ready to be decoded.
  ///
  /// Cost: one request for each run of column chunks with less than 1 MiB between them; at most 8
  /// at a time.
  public func rowGroup(
    _ index: Int, projection: ParquetProjection, options: ReadOptions = ReadOptions()
  ) async throws(ParquetFileError) -> RowGroupDecoder {
    let (plan, bytes) = try await fetch(index, projection: projection)
    do throws(ParquetError) {
      return try RowGroupDecoder(footer, plan: plan, bytes: bytes, options: options)
    } catch {
      throw .parquet(error, file: path)
    }
  }
}
