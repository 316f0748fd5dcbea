// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// An expression whose columns and types are known: what ``Evaluation`` walks.
struct BoundNode: Sendable {
  let kind: Kind
  let fieldType: FieldType
  /// What it was written as, for errors.
  let source: Expression

  indirect enum Kind: Sendable {
    case constant(Value?)
    case column(FieldID)
    case negated(BoundNode)
    /// Both sides of the type that the operation is done in.
    case arithmetic(ArithmeticOperator, BoundNode, BoundNode)
    /// Both sides of one type.
    case compared(ComparisonOperator, BoundNode, BoundNode)
    /// The same in every row in which the part has a value.
    case decided(BoundNode, Bool)
    case not(BoundNode)
    case and([BoundNode])
    case or([BoundNode])
    case isNull(BoundNode)
    case isNaN(BoundNode)
    /// Constants, of the type of what is looked for. `hasNull` of a list with NULL in it.
    case isIn(BoundNode, [Value], hasNull: Bool)
    case isLike(BoundNode, LikePattern)
    case cases([(condition: BoundNode, value: BoundNode)], otherwise: BoundNode?)
    case coalesced([BoundNode])
    case cast(BoundNode, CastMode)
    case concatenated([BoundNode])
    case function(ScalarFunction, [BoundNode])
  }

  init(_ kind: Kind, of type: FieldType, _ source: Expression) {
    self.kind = kind
    self.fieldType = type
    self.source = source
  }

  init(_ kind: Kind, _ type: PrimitiveType, _ source: Expression) {
    self.init(kind, of: .primitive(type), source)
  }

  /// The type of an expression that is known not to be nested.
  var type: PrimitiveType { fieldType.primitive ?? .unknown }

  var isConstant: Bool {
    if case .constant = kind { true } else { false }
  }

  /// The nodes directly within this one.
  var children: [BoundNode] {
    switch kind {
    case .constant, .column: []
    case .negated(let part), .not(let part), .isNull(let part), .isNaN(let part): [part]
    case .isIn(let part, _, _), .isLike(let part, _), .cast(let part, _), .decided(let part, _):
      [part]
    case .arithmetic(_, let left, let right), .compared(_, let left, let right): [left, right]
    case .and(let parts), .or(let parts), .coalesced(let parts), .concatenated(let parts),
      .function(_, let parts):
      parts
    case .cases(let branches, let otherwise):
      branches.flatMap { [$0.condition, $0.value] } + (otherwise.map { [$0] } ?? [])
    }
  }

  /// The columns it is computed of.
  func collectFieldIDs(_ ids: inout [FieldID]) {
    if case .column(let id) = kind, !ids.contains(id) { ids.append(id) }
    for child in children { child.collectFieldIDs(&ids) }
  }

  /// True if no row can make it fail, so that it may be computed where it is not asked for.
  var isTotal: Bool {
    let isTotalItself =
      switch kind {
      case .constant, .column, .compared, .decided, .not, .and, .or, .isNull, .isNaN, .isIn,
        .isLike,
        .cases, .coalesced, .concatenated:
        true
      case .arithmetic(let op, _, _):
        type.isFloatingPoint && op != .divide && op != .remainder
      case .negated: type.isFloatingPoint
      case .cast(_, let mode): mode == .nullOnFailure
      case .function(let function, _): function.isTotal
      }
    return isTotalItself && children.allSatisfy(\.isTotal)
  }
}

/// What a conversion does with a value that the type does not have.
enum CastMode: Hashable, Sendable {
  /// The nearest value, half away from zero; a value beyond all fails. `CAST`.
  case rounding
  /// As `rounding`, with null instead of failure. `TRY_CAST`.
  case nullOnFailure
  /// A value that is not kept fails; only doubles become the nearest float. Assignments.
  case exact
}
