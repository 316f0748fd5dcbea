// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// A key or string of a JSON text, seen in place: checked, not copied, its escapes not resolved.
///
/// Compares with a `String` by the bytes of its UTF-8, as JSON does: two spellings of "é" differ.
public struct JSONText: ~Escapable {
  /// What stands between the quotes.
  public let rawBytes: RawSpan
  /// True if there is a backslash in ``rawBytes``; if not, they are the text itself.
  public let isEscaped: Bool

  @_lifetime(copy rawBytes)
  init(rawBytes: RawSpan, isEscaped: Bool) {
    self.rawBytes = rawBytes
    self.isEscaped = isEscaped
  }

  public var string: String {
    if !isEscaped { return String(validatingUTF8: rawBytes) ?? "" }
    var text = MutableBuffer(capacity: rawBytes.byteCount)
    append(to: &text)
    return String(validatingUTF8: text.bytes) ?? ""
  }

  /// Appends the UTF-8 of the text, escapes resolved; never more bytes than ``rawBytes`` has.
  public func append(to target: inout MutableBuffer) {
    guard isEscaped else { return target.append(rawBytes) }
    var i = 0
    while i < rawBytes.byteCount {
      var end = i
      while end < rawBytes.byteCount, rawBytes[end] != UInt8(ascii: "\\") { end &+= 1 }
      target.append(rawBytes.extracting(i..<end))
      guard end < rawBytes.byteCount else { return }
      i = appendEscape(at: end, to: &target)
    }
  }

  /// Appends what the escape at `start` stands for, and tells where it ends. It was checked before.
  private func appendEscape(at start: Int, to target: inout MutableBuffer) -> Int {
    if let byte = simpleEscape(rawBytes[start &+ 1]) {
      target.append(value: byte)
      return start &+ 2
    }
    guard let first = try? rawBytes.codeUnit(at: start) else { return rawBytes.byteCount }
    var scalar = UInt32(first)
    var end = start &+ 6
    if first & 0xfc00 == 0xd800, let second = try? rawBytes.codeUnit(at: end) {
      scalar = 0x10000 &+ (UInt32(first & 0x3ff) << 10 | UInt32(second & 0x3ff))
      end &+= 6
    }
    if let scalar = UnicodeScalar(scalar) {
      for byte in UTF8.encode(scalar).map(Array.init) ?? [] { target.append(value: byte) }
    }
    return end
  }

  /// True if the text is `other`, byte for byte.
  @inlinable
  public func isEqual(to other: String) -> Bool {
    isEscaped ? hasSameUTF8(as: other) : rawBytes.hasSameBytes(asUTF8Of: other)
  }

  @usableFromInline
  func hasSameUTF8(as other: String) -> Bool { string.utf8.elementsEqual(other.utf8) }

  @inlinable
  public static func == (text: borrowing JSONText, other: String) -> Bool {
    text.isEqual(to: other)
  }

  /// Lets a `switch` over a key have string literals as its cases.
  @inlinable
  public static func ~= (pattern: String, text: borrowing JSONText) -> Bool {
    text.isEqual(to: pattern)
  }
}

extension RawSpan {
  /// True if these bytes are the UTF-8 of `text`.
  @inlinable
  public func hasSameBytes(asUTF8Of text: String) -> Bool {
    text.utf8.count == byteCount && hasSameBytes(as: text.utf8Span.span.rawBytes)
  }
}

extension Span<UInt8> {
  @usableFromInline
  var rawBytes: RawSpan {
    @_lifetime(copy self)
    get { unsafe bytes }
  }
}
