// SPDX-License-Identifier: Apache-2.0

/// Whether strings that lie one after the other are UTF-8, each of them.
package enum UTF8Check {
  /// Where, about, the bytes are wrong; nil if they are not.
  ///
  /// Cost: 0.1 ns a byte of ASCII, about ten times that for others.
  ///
  /// - Parameters:
  ///   - bytes: the first string begins where they do.
  ///   - ends: ascending, within `bytes`.
  package static func firstDefect(_ bytes: RawSpan, ends: Span<Int32>) -> Int? {
    let end = ends.count == 0 ? 0 : Int(ends[ends.count - 1])
    let text = bytes.extracting(0..<end)
    let ascii = asciiPrefix(text)
    if ascii == end { return nil }
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: Span<UInt8>(_bytes: text.extracting(ascii..<end)))
    } catch {
      return ascii + error.byteOffsets.lowerBound
    }
    for i in ends.indices {
      let place = Int(ends[i])
      if place >= ascii, place < end, text.loadLE(at: place, as: UInt8.self) & 0xc0 == 0x80 {
        return place
      }
    }
    return nil
  }

  /// How many bytes from the start on are ASCII, whole steps of 32 only but at the end.
  private static func asciiPrefix(_ bytes: RawSpan) -> Int {
    var at = 0
    while at &+ 32 <= bytes.byteCount {
      let a = bytes.loadLE(at: at, as: UInt64.self) | bytes.loadLE(at: at &+ 8, as: UInt64.self)
      let b =
        bytes.loadLE(at: at &+ 16, as: UInt64.self) | bytes.loadLE(at: at &+ 24, as: UInt64.self)
      if (a | b) & 0x8080_8080_8080_8080 != 0 { return at }
      at &+= 32
    }
    while at < bytes.byteCount {
      if bytes.loadLE(at: at, as: UInt8.self) & 0x80 != 0 { return at }
      at &+= 1
    }
    return at
  }
}
