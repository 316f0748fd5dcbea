// SPDX-License-Identifier: Apache-2.0
internal import Columnar

/// What a column's values mean beyond its type in memory, for other readers.
public enum ColumnAnnotation: Hashable, Sendable {
  /// Of a structure of binary fields `metadata` and `value`.
  case variant
  /// Of a binary column of shapes in WKB; nil is the standard reference system.
  case geometry(crs: String?)
  /// As ``geometry(crs:)``, edges following the globe; `algorithm` is `spherical`, `vincenty`,
  /// `thomas`, `andoyer` or `karney`, nil the first.
  case geography(crs: String?, algorithm: String?)

  private static let algorithms: [String: Int32] = [
    "spherical": 0, "vincenty": 1, "thomas": 2, "andoyer": 3, "karney": 4,
  ]

  /// The logical type; nil if the algorithm is not one of those.
  var logicalType: LogicalType? {
    switch self {
    case .variant: return .variant(version: 1)
    case .geometry(let crs): return .geometry(crs: crs)
    case .geography(let crs, nil): return .geography(crs: crs, algorithm: nil)
    case .geography(let crs, let algorithm?):
      return Self.algorithms[algorithm].map { .geography(crs: crs, algorithm: $0) }
    }
  }

  private func fits(_ type: ColumnType) -> Bool {
    guard self == .variant else { return type == .binary }
    guard case .structure(let parts) = type else { return false }
    return parts.map(\.name) == ["metadata", "value"] && parts.allSatisfy { $0.type == .binary }
      && !parts[0].isNullable
  }

  /// Checks that each annotation has its column, and one it can be of.
  ///
  /// - Throws: ``ParquetError/noSuchColumn(_:)``, ``ParquetError/unwritable(path:what:)``.
  static func check(
    _ annotations: [String: ColumnAnnotation], _ fields: [ColumnField]
  ) throws(ParquetError) {
    for (path, annotation) in annotations.sorted(by: { $0.key < $1.key }) {
      guard let type = ColumnPaths.type(at: path, fields) else { throw .noSuchColumn(path) }
      guard annotation.fits(type), annotation.logicalType != nil else {
        throw .unwritable(path: path, what: "\(type) can't be \(annotation)")
      }
    }
  }
}
