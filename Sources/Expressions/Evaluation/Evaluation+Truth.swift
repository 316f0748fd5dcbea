// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Iceberg

extension Evaluation {
  /// What a boolean `node` says of each row.
  func truth(_ node: BoundNode) throws(ExpressionError) -> TruthMask {
    switch node.kind {
    case .not(let part): return try truth(part).not()
    case .and(let parts): return try chain(parts, isConjunction: true)
    case .or(let parts): return try chain(parts, isConjunction: false)
    case .compared(let op, let left, let right): return try compared(op, left, right)
    case .decided(let part, let value):
      let unknowns = try column(part).unknowns
      return TruthMask(trues: Bitmap(repeating: value, count: rowCount), unknowns: unknowns)
    case .isNull(let part): return TruthMask(trues: try column(part).nulls)
    case .isNaN(let part):
      let column = try column(part)
      if column.isAllNull { return .constant(false, count: rowCount) }
      // Null is not NaN, as in filters.
      return TruthMask(trues: column.nans)
    case .isIn(let part, let values, let hasNull):
      let found = try column(part).isIn(values.compactMap(\.columnValue))
      // What is not found might be the one that is not known.
      return hasNull ? found.or(.unknown(count: rowCount)) : found
    case .isLike(let part, let pattern): return try matching(pattern, try column(part))
    default: return try column(node).truth
    }
  }

  /// All of `parts`, or one of them. What the parts before one decide, it is not asked for if it
  /// could fail there.
  private func chain(
    _ parts: [BoundNode], isConjunction: Bool
  ) throws(ExpressionError) -> TruthMask {
    var result = TruthMask.constant(isConjunction, count: rowCount)
    for (index, part) in parts.enumerated() {
      let next: TruthMask
      if index == 0 || part.isTotal {
        next = try truth(part)
      } else {
        let open = (isConjunction ? result.falses : result.trues).inverted()
        next = try filtered(by: open, for: [part]).truth(part).spread(to: open)
      }
      result = isConjunction ? result.and(next) : result.or(next)
    }
    return result
  }

  private func compared(
    _ op: ComparisonOperator, _ left: BoundNode, _ right: BoundNode
  ) throws(ExpressionError) -> TruthMask {
    if case .constant(let value) = right.kind {
      guard let value = value?.columnValue else { return .unknown(count: rowCount) }
      return try column(left).compare(op, to: value)
    }
    return try column(left).compare(op, to: try column(right))
  }

  private func matching(
    _ pattern: LikePattern, _ column: Column
  ) throws(ExpressionError) -> TruthMask {
    if column.isAllNull { return .unknown(count: rowCount) }
    guard case .dictionary(let codes, let dictionary) = column.values, dictionary.count > 0 else {
      return TruthMask(trues: TextRows(column).bits(pattern.matches), unknowns: column.unknowns)
    }
    let entries = TextRows(dictionary).bits(pattern.matches)
    let matches = Column(
      type: .boolean, count: column.count, validity: column.validity,
      values: .dictionary(
        codes: codes,
        Column(type: .boolean, count: dictionary.count, validity: nil, values: .bits(entries))))
    return matches.truth
  }
}

extension Column {
  /// 1 where there is no value; nil if nowhere.
  var unknowns: Bitmap? { validity?.inverted() }

  /// The booleans of this column as truths.
  var truth: TruthMask {
    switch values {
    case .bits(let bits): return TruthMask(trues: bits, unknowns: unknowns)
    case .dictionary(_, let dictionary) where dictionary.count > 0:
      return compare(.equal, to: .boolean(true))
    default: return .unknown(count: count)
    }
  }
}

extension TruthMask {
  /// As a column of booleans.
  var column: Column {
    Column(
      type: .boolean, count: count, validity: unknowns?.inverted(), values: .bits(trues))
  }

  /// These truths at the places of the 1s of `mask`; unknown, though never asked for, elsewhere.
  fileprivate func spread(to mask: Bitmap) -> TruthMask {
    if count == mask.count { return self }
    var trues = BitmapBuilder(capacity: mask.count)
    var unknowns = BitmapBuilder(capacity: mask.count)
    var next = 0
    for row in 0..<mask.count {
      let isOpen = mask[row]
      trues.append(isOpen && self.trues[next])
      unknowns.append(isOpen ? self.unknowns?[next] ?? false : true)
      next += isOpen ? 1 : 0
    }
    return TruthMask(trues: trues.finish(), unknowns: unknowns.finish())
  }
}
