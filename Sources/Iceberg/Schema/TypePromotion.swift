// SPDX-License-Identifier: Apache-2.0

extension PrimitiveType {
  /// True if a column of this type may become one of `newType`, without a file being rewritten.
  ///
  /// Source: Iceberg spec, "Schema Evolution", "Valid primitive type promotions".
  public func canBePromoted(to newType: PrimitiveType, version: FormatVersion) -> Bool {
    switch (self, newType) {
    case _ where self == newType: true
    case (.int, .long), (.float, .double): true
    case (.decimal(let precision, let scale), .decimal(let newPrecision, let newScale)):
      newScale == scale && newPrecision > precision
    case (.date, .timestamp), (.date, .timestampNs), (.unknown, _): version >= .v3
    default: false
    }
  }

  /// True if promoting to `newType` changes what transforms make of values.
  var promotionMovesPartitions: Bool { self == .date || self == .unknown }
}

extension PartitionSpec {
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if this spec partitions by column `id`, whose
  ///   rows would lie in other partitions once its type is `newType`.
  func checkPromotion(
    of id: FieldID, from type: PrimitiveType, to newType: PrimitiveType
  ) throws(IcebergError) {
    guard type.promotionMovesPartitions, type != newType else { return }
    for field in fields where field.sourceIDs.contains(id) && field.transform != .void {
      throw .invalid(
        "a change of type from \(type) to \(newType)",
        reason: "partition field '\(field.name)' of spec \(self.id.rawValue) is made of the column")
    }
  }
}
