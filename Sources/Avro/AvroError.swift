// SPDX-License-Identifier: Apache-2.0
public import Codecs
public import JSON

/// What can be wrong with Avro bytes, schemas and values.
///
/// Offsets count from the start of what was being read: the file for a file's framing, the inflated
/// block for what is in it.
@nonexhaustive
public enum AvroError: Error, Hashable, Sendable {
  /// `needed` bytes were to be read at `offset`, and `available` were left.
  case truncated(offset: Int, needed: Int, available: Int)
  /// The bytes at `offset` are not what has to stand there.
  case malformed(offset: Int, expected: String, found: String)
  /// A size or count is over what this reader grants.
  case limitExceeded(what: String, value: Int64, limit: Int64)
  /// The schema at `path` of its JSON is none.
  case invalidSchema(path: String, AvroSchemaDefect)
  /// Data written with one schema can't be read as another says.
  case unresolvable(path: String, expected: String, found: String)
  /// The file's blocks are compressed in a way that is not known here.
  case unsupportedCodec(String)
  /// The block at `offset` of the file can't be inflated, or a block can't be compressed.
  case codec(CodecError, offset: Int)
  /// A value does not fit the schema it is to be written with.
  case mismatch(expected: String, found: String)
}

/// How JSON fails to be an Avro schema.
public enum AvroSchemaDefect: Hashable, Sendable {
  case notJSON(JSONError)
  /// Neither a type of the specification nor a name that was defined before.
  case unknownType(String)
  /// An attribute that has to be there is not, or has a value of another kind.
  case badAttribute(String)
  /// A name (of a type, a field, a symbol or a union's branch) is there twice.
  case duplicate(String)
  /// A type contains itself. Avro allows it; no Iceberg file has it, and no table could.
  case recursive(String)
  case tooDeep(limit: Int)
  /// Too many types, with each use of a name counted as all it stands for.
  case tooLarge(limit: Int)
}

extension AvroError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated(let offset, let needed, let available):
      "avro ends early at byte \(offset): expected \(needed) more, found \(available)"
    case .malformed(let offset, let expected, let found):
      "avro at byte \(offset): expected \(expected), found \(found)"
    case .limitExceeded(let what, let value, let limit):
      "avro \(what) of \(value) is over the limit of \(limit)"
    case .invalidSchema(let path, let defect):
      "avro schema at '\(path)': \(defect)"
    case .unresolvable(let path, let expected, let found):
      "avro field '\(path)': expected \(expected), found \(found)"
    case .unsupportedCodec(let name):
      "avro codec '\(name)' is not supported"
    case .codec(let error, let offset):
      "avro block at byte \(offset): \(error)"
    case .mismatch(let expected, let found):
      "avro value: expected \(expected), found \(found)"
    }
  }
}

extension AvroSchemaDefect: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notJSON(let error): "\(error)"
    case .unknownType(let name): "unknown type '\(name)'"
    case .badAttribute(let name): "attribute '\(name)' is missing or of the wrong kind"
    case .duplicate(let name): "'\(name)' is there twice"
    case .recursive(let name): "type '\(name)' contains itself"
    case .tooDeep(let limit): "nests deeper than \(limit) levels"
    case .tooLarge(let limit): "stands for more than \(limit) types"
    }
  }
}
