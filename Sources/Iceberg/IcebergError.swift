// SPDX-License-Identifier: Apache-2.0
public import Avro
public import Codecs
public import JSON

/// What can be wrong with a table's metadata, or with what is asked of it.
@nonexhaustive
public enum IcebergError: Error, Hashable, Sendable {
  /// A document is not what the format says: which part of which document, and what was found.
  case malformed(_ document: String, at: String, expected: String, found: String)
  /// The same thing is there twice.
  case duplicate(_ what: String, in: String)
  /// A name or id that is not there.
  case unknownField(_ field: String, in: String)
  /// Something the format has and this engine does not, or a version after ours.
  case unsupported(_ what: String)
  /// A request that the format forbids, with its reason.
  case invalid(_ what: String, reason: String)
  /// A request made for a state of the table that is no longer the newest: plan it again.
  case stale(_ what: String, newest: Int64)
  /// A document is not JSON, or a value in it is of another kind than the format says.
  case json(JSONError, in: String)
  /// A manifest or manifest list is no Avro file, or not one whose schema the format allows.
  case avro(AvroError, in: String)
  /// A document can't be compressed or decompressed.
  case compression(CodecError, in: String)
  /// A document is not the one that was written: its checksum is another.
  case checksumMismatch(_ document: String, recorded: UInt32, computed: UInt32)
  /// Table metadata breaks a rule without which it can't be read.
  case inconsistent(MetadataViolation)
  /// Text a person wrote that does not follow its grammar; `offset` counts UTF-8 bytes from 0.
  case syntax(_ text: String, offset: Int, expected: String, found: String)
}

extension IcebergError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .malformed(let document, let place, let expected, let found):
      "\(document) is malformed at \(place): expected \(expected), found \(found)"
    case .duplicate(let what, let place): "\(what) is there twice in \(place)"
    case .unknownField(let field, let place): "no field \(field) in \(place)"
    case .unsupported(let what): "\(what) is not supported"
    case .invalid(let what, let reason): "\(what) is not allowed: \(reason)"
    case .stale(let what, let newest): "\(what) is out of date: the newest is \(newest)"
    case .json(let error, let document): "\(document): \(error)"
    case .avro(let error, let document): "\(document): \(error)"
    case .compression(let error, let document): "\(document): \(error)"
    case .checksumMismatch(let document, let recorded, let computed):
      "\(document) is corrupt: its checksum is \(hexadecimal(computed)), not the recorded \(hexadecimal(recorded))"
    case .inconsistent(let violation): "table metadata is inconsistent: \(violation)"
    case .syntax(let text, let offset, let expected, let found):
      "\(text), at character \(offset + 1): expected \(expected), found \(found)"
    }
  }
}

/// Eight lower-case digits.
func hexadecimal(_ number: UInt32) -> String {
  let digits = String(number, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}
