// SPDX-License-Identifier: Apache-2.0

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
    case .syntax(let text, let offset, let expected, let found):
      "\(text), at character \(offset + 1): expected \(expected), found \(found)"
    }
  }
}
