// SPDX-License-Identifier: Apache-2.0

/// How a partition or sort value is made of a source value.
///
/// Source: Iceberg spec, "Partition Transforms".
public enum Transform: Hashable, Sendable {
  case identity
  /// Hash of the value, modulo the number of buckets.
  case bucket(Int)
  /// The value cut to a width.
  case truncate(Int)
  case year
  case month
  case day
  case hour
  /// Always null.
  case void
  /// One this engine does not know; kept as it is spelled, and ignored when files are filtered.
  case unknown(String)
}
