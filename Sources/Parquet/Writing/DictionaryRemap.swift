// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Codes of a dictionary that came with the data, in codes of the column chunk's.
struct DictionaryRemap: ~Copyable {
  private var source: Column?
  /// -1 for entries that were not met yet.
  private var codes: [Int32] = []

  /// Forgets everything: the chunk's dictionary is a new one.
  mutating func reset() { source = nil }

  /// Makes ready for codes into `source`.
  mutating func use(_ source: Column, entryCount: Int) {
    if let known = self.source, known.hasSameMemory(as: source) { return }
    self.source = source
    codes = [Int32](repeating: -1, count: entryCount)
  }

  /// Appends the chunk's code of each row; new entries are added to `dictionary`.
  mutating func encode(
    _ rows: Span<Int32>, _ offsets: Span<Int32>, _ bytes: RawSpan,
    _ dictionary: inout BytesDictionaryEncoder, into output: inout MutableBuffer
  ) {
    let start = output.count / 4
    output.resize(to: (start + rows.count) * 4)
    var target = output.mutableValues(as: Int32.self)
    for i in rows.indices {
      let row = Int(rows[i])
      if codes[row] < 0 {
        let code = dictionary.code(of: bytes, Int(offsets[row])..<Int(offsets[row &+ 1]))
        codes[row] = Int32(truncatingIfNeeded: code)
      }
      target[start &+ i] = codes[row]
    }
  }
}
