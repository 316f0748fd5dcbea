// SPDX-License-Identifier: Apache-2.0
public import Bytes
public import Codecs

/// What can go wrong between Parquet bytes and columns.
@nonexhaustive
public enum ParquetError: Error, Hashable, Sendable {
  /// The bytes do not begin or end as a Parquet file does.
  case notParquet(found: String)
  /// The footer or a column is encrypted, which Lake does not read.
  case encrypted(ParquetPart)
  /// The file is well-formed, and uses a feature Lake does not have.
  case unsupported(UnsupportedFeature, in: ParquetPart)
  /// The bytes of `part` do not follow its format.
  case malformed(ParquetPart, ByteError)
  /// Two statements of the file contradict each other.
  case inconsistent(ParquetPart, what: String, expected: Int64, found: Int64)
  /// A compressed block of `part` does not inflate, or not to the size the file states.
  case codec(CodecError, in: ParquetPart)
  /// The bytes of `part` (of a column chunk: its page headers) are not the ones that were written.
  case checksumMismatch(ParquetPart, expected: UInt32, found: UInt32)
  /// The schema is not a tree, or a node of it can't be what it says.
  case invalidSchema(path: String, SchemaDefect)
  /// The caller asked for a column the file does not have.
  case noSuchColumn(String)
  /// The caller asked for a field id that several columns of the file carry.
  case ambiguousFieldID(Int32)
  /// The caller handed over other bytes than were asked for.
  case missingBytes(ParquetPart, needed: Range<Int64>)
  /// The caller's columns can't be written as asked: `what` of `path`.
  case unwritable(path: String, what: String)
}

/// The part of a Parquet file an error is about.
public enum ParquetPart: Hashable, Sendable {
  case footer
  case schema
  case rowGroup(Int)
  case columnChunk(path: String, rowGroup: Int)
  /// Page `index` (0 is the first, dictionary or not) of a column chunk.
  case page(path: String, rowGroup: Int, index: Int)
  case columnIndex(path: String, rowGroup: Int)
  case offsetIndex(path: String, rowGroup: Int)
  case bloomFilter(path: String, rowGroup: Int)
}

/// What a well-formed file may use and Lake does not read.
public enum UnsupportedFeature: Hashable, Sendable {
  case codec(CompressionCodec)
  case encoding(Encoding)
  case repetition(Int32)
  /// A column chunk kept in another file.
  case externalFile(String)
  case pageType(PageType)
  case bloomFilter
}

/// What is wrong with a schema.
public enum SchemaDefect: Hashable, Sendable {
  case noRoot
  /// A group promises more nodes than there are, or nodes are left over.
  case wrongNodeCount
  case tooDeep
  case tooManyNodes
  case emptyGroup
  /// A leaf without a physical type, or a group with one.
  case groupOrLeafUnclear
  case noRepetition
  case badTypeLength(Int32)
}

extension ParquetError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notParquet(let found): "not a Parquet file: expected PAR1, found \(found)"
    case .encrypted(let part): "\(part) is encrypted"
    case .unsupported(let feature, let part): "\(part) uses \(feature), which is not supported"
    case .malformed(let part, let error): "\(part) \(error)"
    case .inconsistent(let part, let what, let expected, let found):
      "\(part): expected \(what) to be \(expected), found \(found)"
    case .codec(let error, let part): "\(part): \(error)"
    case .checksumMismatch(let part, let expected, let found):
      "\(part) is damaged: expected CRC-32 \(expected), found \(found)"
    case .invalidSchema(let path, let defect): "schema node '\(path)': \(defect)"
    case .noSuchColumn(let name): "no column '\(name)' in the file"
    case .ambiguousFieldID(let id): "several columns of the file have field id \(id)"
    case .missingBytes(let part, let needed):
      "\(part) needs bytes \(needed.lowerBound)..<\(needed.upperBound) of the file"
    case .unwritable(let path, let what): "column '\(path)' can't be written: \(what)"
    }
  }
}

extension ParquetPart: CustomStringConvertible {
  public var description: String {
    switch self {
    case .footer: "footer"
    case .schema: "schema"
    case .rowGroup(let index): "row group \(index)"
    case .columnChunk(let path, let group): "column '\(path)' of row group \(group)"
    case .page(let path, let group, let index):
      "page \(index) of column '\(path)' of row group \(group)"
    case .columnIndex(let path, let group): "column index of '\(path)' of row group \(group)"
    case .offsetIndex(let path, let group): "offset index of '\(path)' of row group \(group)"
    case .bloomFilter(let path, let group): "Bloom filter of '\(path)' of row group \(group)"
    }
  }
}

extension UnsupportedFeature: CustomStringConvertible {
  public var description: String {
    switch self {
    case .codec(let codec): "codec \(codec)"
    case .encoding(let encoding): "encoding \(encoding)"
    case .repetition(let value): "repetition \(value)"
    case .externalFile(let path): "external file '\(path)'"
    case .pageType(let type): "page type \(type.rawValue)"
    case .bloomFilter: "an unknown kind of Bloom filter"
    }
  }
}

extension SchemaDefect: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noRoot: "there is no root"
    case .wrongNodeCount: "the children counted are not the nodes there are"
    case .tooDeep: "nested too deep"
    case .tooManyNodes: "too many nodes"
    case .emptyGroup: "a group without fields"
    case .groupOrLeafUnclear: "neither a group nor a leaf"
    case .noRepetition: "no repetition"
    case .badTypeLength(let length): "fixed length of \(length)"
    }
  }
}
