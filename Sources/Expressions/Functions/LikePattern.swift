// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A pattern of `LIKE`, ready to be matched with UTF-8.
struct LikePattern: Hashable, Sendable {
  private enum Step: Hashable {
    case byte(UInt8)
    /// `_`
    case anyOne
    /// `%`
    case anyMany
  }
  private let steps: [Step]

  /// Nil if the escape is the last character.
  init?(_ pattern: String, escape: Unicode.Scalar?) {
    var steps: [Step] = []
    var rest = pattern.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      if scalar == escape {
        guard let escaped = rest.popFirst() else { return nil }
        steps += UTF8.encode(escaped).map { $0.map { .byte($0) } } ?? []
      } else if scalar == "%" {
        if steps.last != .anyMany { steps.append(.anyMany) }
      } else if scalar == "_" {
        steps.append(.anyOne)
      } else {
        steps += UTF8.encode(scalar).map { $0.map { .byte($0) } } ?? []
      }
    }
    self.steps = steps
  }

  /// True if all of `text` fits. Cost: O(steps × bytes) at worst, mostly O(bytes).
  func matches(_ text: RawSpan) -> Bool {
    var step = 0
    var at = 0
    // Where to go on if what follows the last `%` does not fit: one code point further.
    var retry: (step: Int, at: Int)?
    while at < text.byteCount {
      if step < steps.count {
        switch steps[step] {
        case .anyMany:
          step += 1
          retry = (step, at)
          continue
        case .anyOne:
          at = text.codePointEnd(at)
          step += 1
          continue
        case .byte(let byte):
          if text.loadLE(at: at, as: UInt8.self) == byte {
            at += 1
            step += 1
            continue
          }
        }
      }
      guard let last = retry else { return false }
      at = text.codePointEnd(last.at)
      step = last.step
      retry = (step, at)
    }
    while step < steps.count, steps[step] == .anyMany { step += 1 }
    return step == steps.count
  }
}
