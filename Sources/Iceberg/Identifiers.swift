// SPDX-License-Identifier: Apache-2.0

/// The id of a field of a table's schema, unique in the table for ever; by it, never by name, data
/// files are read.
public struct FieldID: RawRepresentable, Hashable, Comparable, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }
  public init(_ rawValue: Int32) { self.rawValue = rawValue }
  public static func < (a: FieldID, b: FieldID) -> Bool { a.rawValue < b.rawValue }
}

/// The id of one of a table's schemas.
public struct SchemaID: RawRepresentable, Hashable, Comparable, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }
  public init(_ rawValue: Int32) { self.rawValue = rawValue }
  public static func < (a: SchemaID, b: SchemaID) -> Bool { a.rawValue < b.rawValue }
}

/// The id of one of a table's partition specs.
public struct PartitionSpecID: RawRepresentable, Hashable, Comparable, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }
  public init(_ rawValue: Int32) { self.rawValue = rawValue }
  public static func < (a: PartitionSpecID, b: PartitionSpecID) -> Bool {
    a.rawValue < b.rawValue
  }
}

/// The id of one of a table's sort orders; 0 is the unsorted one.
public struct SortOrderID: RawRepresentable, Hashable, Comparable, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }
  public init(_ rawValue: Int32) { self.rawValue = rawValue }
  public static func < (a: SortOrderID, b: SortOrderID) -> Bool { a.rawValue < b.rawValue }
  public static let unsorted = SortOrderID(0)
}

/// The id of a snapshot: positive and random.
public struct SnapshotID: RawRepresentable, Hashable, Comparable, Sendable {
  public let rawValue: Int64
  public init(rawValue: Int64) { self.rawValue = rawValue }
  public init(_ rawValue: Int64) { self.rawValue = rawValue }
  public static func < (a: SnapshotID, b: SnapshotID) -> Bool { a.rawValue < b.rawValue }
}

/// The order of changes to a table: each commit's is higher than all before it; 0 in v1 tables.
public struct SequenceNumber: RawRepresentable, Hashable, Comparable, Sendable {
  public let rawValue: Int64
  public init(rawValue: Int64) { self.rawValue = rawValue }
  public init(_ rawValue: Int64) { self.rawValue = rawValue }
  public static func < (a: SequenceNumber, b: SequenceNumber) -> Bool { a.rawValue < b.rawValue }
}

/// Which version of the table format a table is written in.
public enum FormatVersion: Int, Hashable, Comparable, Sendable, CaseIterable {
  case v1 = 1
  case v2 = 2
  case v3 = 3
  public static func < (a: FormatVersion, b: FormatVersion) -> Bool { a.rawValue < b.rawValue }
}
