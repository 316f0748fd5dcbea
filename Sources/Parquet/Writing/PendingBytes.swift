// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Byte strings of a page that is being filled, back to back.
struct PendingBytes: ~Copyable {
  private var ends = MutableBuffer()
  private var content = MutableBuffer()

  init() { ends.append(value: Int32(0)) }

  var count: Int { ends.count / 4 - 1 }
  var byteCount: Int { content.count }

  /// String i is bytes `offsets[i]..<offsets[i + 1]` of ``bytes``.
  var offsets: Span<Int32> {
    @_lifetime(borrow self)
    get { ends.values(as: Int32.self) }
  }

  var bytes: RawSpan {
    @_lifetime(borrow self)
    get { content.bytes }
  }

  mutating func removeAll() {
    ends.resize(to: 4)
    content.removeAll()
  }

  /// Adds all strings that `offsets` mark in `bytes`.
  mutating func append(_ offsets: Span<Int32>, _ bytes: RawSpan) {
    let added = offsets.count - 1
    guard added > 0 else { return }
    let shift = Int32(truncatingIfNeeded: content.count) &- offsets[0]
    content.append(bytes.extracting(Int(offsets[0])..<Int(offsets[added])))
    let start = count + 1
    ends.resize(to: (start + added) * 4)
    var target = ends.mutableValues(as: Int32.self)
    for i in 0..<added { target[start &+ i] = offsets[i &+ 1] &+ shift }
  }

  /// Adds the strings in the rows `codes` of a dictionary.
  mutating func append(_ codes: Span<Int32>, of offsets: Span<Int32>, _ bytes: RawSpan) {
    for i in codes.indices {
      let code = Int(codes[i])
      content.append(bytes.extracting(Int(offsets[code])..<Int(offsets[code &+ 1])))
      ends.append(value: Int32(truncatingIfNeeded: content.count))
    }
  }

  /// Adds the strings that `codes` stand for.
  mutating func append(
    _ codes: borrowing MutableBuffer, of dictionary: borrowing BytesDictionaryEncoder
  ) {
    append(
      codes.values(as: Int32.self), of: dictionary.offsets.values(as: Int32.self),
      dictionary.bytes.bytes)
  }
}
