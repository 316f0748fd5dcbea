// SPDX-License-Identifier: Apache-2.0

public enum SortDirection: Hashable, Sendable { case ascending, descending }
public enum NullOrder: Hashable, Sendable { case nullsFirst, nullsLast }

/// One key of a sort order.
public struct SortField: Hashable, Sendable {
  public let sourceIDs: [FieldID]
  public let transform: Transform
  public let direction: SortDirection
  public let nullOrder: NullOrder

  public init(
    sourceIDs: [FieldID], transform: Transform, direction: SortDirection, nullOrder: NullOrder
  ) {
    self.sourceIDs = sourceIDs
    self.transform = transform
    self.direction = direction
    self.nullOrder = nullOrder
  }
}

/// How rows are sorted within a data file: keys, the most significant first.
///
/// Source: Iceberg spec, "Sorting".
public struct SortOrder: Hashable, Sendable {
  public let id: SortOrderID
  public let fields: [SortField]

  public init(id: SortOrderID, fields: [SortField]) {
    self.id = id
    self.fields = fields
  }

  public static let unsorted = SortOrder(id: .unsorted, fields: [])
  public var isUnsorted: Bool { fields.isEmpty }
}
