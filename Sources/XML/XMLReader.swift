// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// An element of an XML document: its name, the elements in it, and the text between them.
package struct XMLElement: Hashable, Sendable {
  /// Without a prefix: `s3:Key` is `Key`.
  package var name: String
  package var children: [XMLElement] = []
  /// Of this element alone, references resolved.
  package var text = ""

  package init(name: String) { self.name = name }

  /// The first child called `name`.
  package func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

  /// The text of the first child called `name`.
  package func text(of name: String) -> String? { child(name)?.text }

  /// The children called `name`.
  package func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }
}

/// Why a document was not read.
package struct XMLFailure: Error, Hashable, Sendable, CustomStringConvertible {
  package let reason: String
  /// In bytes from the start of the document.
  package let offset: Int

  package init(reason: String, offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  package var description: String { "\(reason) at byte \(offset)" }
}

/// Reads the little XML that S3 speaks: elements, text, the five entities and character references.
///
/// Attributes, comments, processing instructions and the namespace are read over. A document type
/// is refused, and with it every entity of its own: nothing expands.
///
/// Laws: no bytes trap; what is kept is at most a few times the bytes read; depth and number of
/// elements are limited.
///
/// Source: W3C, Extensible Markup Language (XML) 1.0.
package struct XMLReader {
  /// The most bytes a document may have.
  package static let byteCountLimit = 8 << 20
  private static let depthLimit = 32
  private static let elementLimit = 200_000

  private let bytes: [UInt8]
  private var position = 0
  private var elementCount = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The root element of the document in `bytes`.
  package static func read(_ bytes: Buffer) throws(XMLFailure) -> XMLElement {
    guard bytes.count <= byteCountLimit else {
      throw XMLFailure(reason: "more than \(byteCountLimit) bytes", offset: 0)
    }
    var reader = XMLReader(bytes.array())
    return try reader.document()
  }

  private mutating func document() throws(XMLFailure) -> XMLElement {
    _ = skip("\u{feff}")
    try skipMisc()
    guard skip("<") else { throw failure("no element") }
    let root = try element()
    try skipMisc()
    guard position == bytes.count else { throw failure("more after the root element") }
    return root
  }

  /// White space, comments and processing instructions.
  private mutating func skipMisc() throws(XMLFailure) {
    while true {
      skipSpace()
      if skip("<?") {
        try skipPast("?>")
      } else if skip("<!--") {
        try skipPast("-->")
      } else {
        return
      }
    }
  }

  /// An element whose `<` was read, with all that is in it: no recursion, so that depth costs no
  /// stack.
  private mutating func element() throws(XMLFailure) -> XMLElement {
    var open: [(element: XMLElement, text: [UInt8])] = []
    var (current, isEmpty) = try startTag()
    var text: [UInt8] = []
    while true {
      if !isEmpty, let started = try content(of: current.name, into: &text) {
        guard open.count + 1 < Self.depthLimit else { throw failure("elements too deep") }
        open.append((current, text))
        (current, isEmpty, text) = (started.0, started.1, [])
        continue
      }
      current.text = try decoded(text)
      guard var outer = open.popLast() else { return current }
      outer.element.children.append(current)
      (current, isEmpty, text) = (outer.element, false, outer.text)
    }
  }

  /// Reads on in the element called `name` until another one starts in it, which is returned, or
  /// it ends.
  private mutating func content(
    of name: String, into text: inout [UInt8]
  ) throws(XMLFailure) -> (XMLElement, Bool)? {
    while position < bytes.count {
      if skip("</") {
        guard try self.name() == name else { throw failure("an end tag of another element") }
        skipSpace()
        guard skip(">") else { throw failure("an end tag without its end") }
        return nil
      } else if skip("<!--") {
        try skipPast("-->")
      } else if skip("<![CDATA[") {
        let start = position
        try skipPast("]]>")
        text += bytes[start..<position - 3]
      } else if skip("<?") {
        try skipPast("?>")
      } else if skip("<!") {
        throw failure("a declaration")
      } else if skip("<") {
        return try startTag()
      } else if skip("&") {
        text += Array(String(try reference()).utf8)
      } else {
        let start = position
        while position < bytes.count, bytes[position] != less, bytes[position] != ampersand {
          position += 1
        }
        text += bytes[start..<position]
      }
    }
    throw failure("an element without its end")
  }

  /// The rest of a tag that begins an element; true if it is all of it.
  private mutating func startTag() throws(XMLFailure) -> (XMLElement, Bool) {
    elementCount += 1
    guard elementCount <= Self.elementLimit else { throw failure("too many elements") }
    let element = XMLElement(name: try name())
    while position < bytes.count {
      skipSpace()
      if skip("/>") { return (element, true) }
      if skip(">") { return (element, false) }
      _ = try name()
      skipSpace()
      guard skip("=") else { throw failure("an attribute without a value") }
      skipSpace()
      if skip("\"") {
        try skipPast("\"")
      } else if skip("'") {
        try skipPast("'")
      } else {
        throw failure("an attribute's value without quotes")
      }
    }
    throw failure("a tag without its end")
  }

  /// A name without its prefix.
  private mutating func name() throws(XMLFailure) -> String {
    var start = position
    let first = position
    while position < bytes.count {
      let byte = bytes[position]
      let isLetter = byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
      let isInner =
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte == UInt8(ascii: "-")
        || byte == UInt8(ascii: ".")
      if byte == UInt8(ascii: ":"), position > start {
        start = position + 1
      } else if !(isLetter || byte == UInt8(ascii: "_") || byte >= 0x80
        || isInner && position > first)
      {
        break
      }
      position += 1
    }
    guard position > start else { throw failure("no name") }
    return try decoded(Array(bytes[start..<position]))
  }

  /// What stands for one character, after its `&`.
  private mutating func reference() throws(XMLFailure) -> Character {
    let limit = min(bytes.count, position + 12)
    guard let end = bytes[position..<limit].firstIndex(of: UInt8(ascii: ";")) else {
      throw failure("a reference without its end")
    }
    let word = String(decoding: bytes[position..<end], as: UTF8.self)
    let known: [String: Character] = [
      "lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'",
    ]
    if let character = known[word] {
      position = end + 1
      return character
    }
    let isHexadecimal = word.hasPrefix("#x")
    guard word.hasPrefix("#"),
      let code = UInt32(word.dropFirst(isHexadecimal ? 2 : 1), radix: isHexadecimal ? 16 : 10),
      let scalar = Unicode.Scalar(code), code != 0
    else { throw failure("an unknown reference") }
    position = end + 1
    return Character(scalar)
  }

  private func decoded(_ text: [UInt8]) throws(XMLFailure) -> String {
    guard !text.contains(0) else { throw failure("a zero byte") }
    guard let text = String(validating: text, as: UTF8.self) else {
      throw failure("text that is not UTF-8")
    }
    return text
  }

  private mutating func skip(_ text: String) -> Bool {
    guard bytes[position...].starts(with: text.utf8) else { return false }
    position += text.utf8.count
    return true
  }

  private mutating func skipPast(_ text: String) throws(XMLFailure) {
    while position < bytes.count {
      if skip(text) { return }
      position += 1
    }
    throw failure("the end of the document")
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) {
      position += 1
    }
  }

  private func failure(_ reason: String) -> XMLFailure {
    XMLFailure(reason: reason, offset: position)
  }
}

private let less = UInt8(ascii: "<")
private let ampersand = UInt8(ascii: "&")
