// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension Value {
  /// Negative, zero or positive as `a` sorts before, with or after `b`; nil if they can't be
  /// compared: different kinds of value, or structures, lists and maps.
  ///
  /// Strings go by their UTF-8, bytes (UUIDs too) as unsigned, false before true, and floating
  /// point so: -NaN, -infinity … -0.0, 0.0 … infinity, NaN. An int is compared with a long, and a
  /// float with a double, by their numbers.
  ///
  /// Source: Iceberg spec, "Sorting".
  public static func compare(_ a: Value, _ b: Value) -> Int? {
    switch (a, b) {
    case (.boolean(let a), .boolean(let b)): order(a ? 1 : 0, b ? 1 : 0)
    case (.int(let a), .int(let b)): order(Int64(a), Int64(b))
    case (.int(let a), .long(let b)): order(Int64(a), b)
    case (.long(let a), .int(let b)): order(a, Int64(b))
    case (.long(let a), .long(let b)): order(a, b)
    case (.float(let a), .float(let b)): order(Double(a).sortKey, Double(b).sortKey)
    case (.float(let a), .double(let b)): order(Double(a).sortKey, b.sortKey)
    case (.double(let a), .float(let b)): order(a.sortKey, Double(b).sortKey)
    case (.double(let a), .double(let b)): order(a.sortKey, b.sortKey)
    case (.decimal(let a), .decimal(let b)): a < b ? -1 : a == b ? 0 : 1
    case (.string(let a), .string(let b)):
      a.utf8Span.span.rawBytes.compare(with: b.utf8Span.span.rawBytes)
    case (.bytes(let a), .bytes(let b)): unsafe a.span.bytes.compare(with: b.span.bytes)
    default: nil
    }
  }

  /// As ``compare(_:_:)``, but 0.0 and -0.0 are equal, as predicates see them.
  static func predicateOrder(_ a: Value, _ b: Value) -> Int? {
    if case .double(0) = a.asDouble, case .double(0) = b.asDouble { return 0 }
    return compare(a, b)
  }

  private var asDouble: Value {
    if case .float(let value) = self { .double(Double(value)) } else { self }
  }

  @inline(__always)
  private static func order(_ a: Int64, _ b: Int64) -> Int { a < b ? -1 : a == b ? 0 : 1 }
}

extension Double {
  /// An integer that sorts as the spec says doubles do; every NaN of one sign has the same.
  fileprivate var sortKey: Int64 {
    if isNaN { return sign == .minus ? Int64.min : Int64.max }
    let bits = Int64(bitPattern: bitPattern)
    return bits >= 0 ? bits : bits ^ Int64.max
  }
}

extension Span<UInt8> {
  /// The same bytes, untyped.
  var rawBytes: RawSpan {
    @_lifetime(copy self)
    get { unsafe bytes }
  }
}
