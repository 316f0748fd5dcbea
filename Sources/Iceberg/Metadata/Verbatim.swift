// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A part of table metadata together with the JSON it was read from.
///
/// What does not change is written as those bytes again: so a commit costs what it changes, and
/// fields this engine does not know survive it.
struct Verbatim<Value: Sendable>: Sendable {
  let value: Value
  /// Nil of what was made here.
  let json: Buffer?

  init(_ value: Value, json: Buffer? = nil) {
    self.value = value
    self.json = json
  }
}

extension Verbatim: Equatable where Value: Equatable {
  static func == (a: Verbatim, b: Verbatim) -> Bool { a.value == b.value }
}
