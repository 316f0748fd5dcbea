// SPDX-License-Identifier: Apache-2.0

/// What a predicate says of each row: true, false or, as with nulls in SQL, unknown.
///
/// A filter keeps the rows of ``trues``.
/// Laws: a row that is unknown is not true; there are `unknowns` only where there is one.
public struct TruthMask: Sendable {
  /// 1 where the predicate is true.
  public let trues: Bitmap
  /// 1 where it is unknown; nil if nowhere.
  public let unknowns: Bitmap?

  /// - Parameter unknowns: where it is 1, `trues` does not count.
  public init(trues: Bitmap, unknowns: Bitmap? = nil) {
    if let unknowns, unknowns.countOfOnes > 0 {
      self.trues = trues.andNot(unknowns)
      self.unknowns = unknowns
    } else {
      self.trues = trues
      self.unknowns = nil
    }
  }

  /// `trues` where there is a value, unknown elsewhere.
  init(trues: Bitmap, validity: Bitmap?) {
    self.trues = validity.map { trues.and($0) } ?? trues
    self.unknowns = validity?.inverted()
  }

  /// How many rows.
  public var count: Int { trues.count }

  /// 1 where the predicate is false.
  public var falses: Bitmap {
    unknowns.map { trues.or($0).inverted() } ?? trues.inverted()
  }

  /// True, or else false, in every row.
  public static func constant(_ value: Bool, count: Int) -> TruthMask {
    TruthMask(trues: Bitmap(repeating: value, count: count))
  }

  /// Unknown in every row.
  public static func unknown(count: Int) -> TruthMask {
    TruthMask(
      trues: Bitmap(repeating: false, count: count),
      unknowns: Bitmap(repeating: true, count: count))
  }

  /// True where both are, false where one is.
  public func and(_ other: TruthMask) -> TruthMask {
    let both = trues.and(other.trues)
    if unknowns == nil, other.unknowns == nil { return TruthMask(trues: both) }
    let possible = falses.or(other.falses).inverted()
    return TruthMask(trues: both, unknowns: possible.andNot(both))
  }

  /// True where one is, false where both are.
  public func or(_ other: TruthMask) -> TruthMask {
    let either = trues.or(other.trues)
    guard
      let unknown = unknowns.map({ a in other.unknowns.map { a.or($0) } ?? a }) ?? other.unknowns
    else { return TruthMask(trues: either) }
    return TruthMask(trues: either, unknowns: unknown.andNot(either))
  }

  /// True where it is false, false where it is true; what is unknown stays so.
  public func not() -> TruthMask { TruthMask(trues: falses, unknowns: unknowns) }
}
