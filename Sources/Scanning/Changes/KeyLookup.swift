// SPDX-License-Identifier: Apache-2.0
public import Columnar
public import Iceberg

/// Who knows where rows of keys are: an index of them, say, which is none of this module's business.
///
/// With one, the rows that an equality delete by its columns takes are found without reading those
/// columns of every file that may have some.
public protocol KeyLookup: Sendable {
  /// The fields of the key, by ascending id.
  var keyFieldIDs: [FieldID] { get }

  /// For each of the data files at `paths` the positions of all its rows that have one of `keys`,
  /// dead ones too, in any order; more than those do no harm. Nil for a file of which that is not
  /// known, or where some of `keys` are none that the lookup knows of.
  ///
  /// - Parameter keys: a column for each field.
  func positions(of keys: [Column], in paths: [String]) -> [[Int64]?]
}
