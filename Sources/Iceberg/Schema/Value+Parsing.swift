// SPDX-License-Identifier: Apache-2.0

extension Value {
  /// The value of `type` that a person writes as `text`: a key on a command line, a default.
  ///
  /// Takes what ``text(as:)`` gives and what predicates take in quotes: a date alone is the midnight
  /// it begins with, a time without a zone is in UTC where a point in time is meant. Bytes are
  /// hexadecimal, with or without `0x`.
  ///
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if it is none, or not exactly one.
  public init(parsing text: String, as type: PrimitiveType) throws(IcebergError) {
    guard let value = Value(text, as: type) else {
      throw .invalid("'\(text)'", reason: "it is no value of type \(type)")
    }
    self = value
  }

  private init?(_ text: String, as type: PrimitiveType) {
    switch type {
    case .float, .double:
      if text.lowercased() == "nan" {
        self = type == .float ? .float(.nan) : .double(.nan)
        return
      }
    case .fixed, .binary, .uuid:
      let digits =
        text.lowercased().hasPrefix("0x") ? Array(text.utf8.dropFirst(2)) : Array(text.utf8)
      if let bytes = Hexadecimal.bytes(digits), Value.bytes(bytes).isOne(of: .primitive(type)) {
        self = .bytes(bytes)
        return
      }
      guard type == .uuid else { return nil }
    default: break
    }
    guard case .exact(let value) = Literal.string(text).converted(to: type) else { return nil }
    self = value
  }
}
