// SPDX-License-Identifier: Apache-2.0

/// A text that no output ever shows: a key, a token, a password.
///
/// Printing, interpolating, reflecting and encoding it give `•••`; only ``reveal()`` gives the text,
/// so that a search for its callers finds every place that could leak one.
public struct Secret: Hashable, Sendable {
  private let text: String

  public init(_ text: String) { self.text = text }

  /// The text itself, for the request that needs it and for nothing else.
  public func reveal() -> String { text }

  public var isEmpty: Bool { text.isEmpty }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "•••" }
  public var debugDescription: String { "•••" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
