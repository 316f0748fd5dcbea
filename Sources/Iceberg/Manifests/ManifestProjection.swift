// SPDX-License-Identifier: Apache-2.0

/// What of a manifest's entries is decoded; the rest is passed over, and stays unknown.
public struct ManifestProjection: Hashable, Sendable {
  /// Of which columns metrics are decoded.
  public enum Metrics: Hashable, Sendable {
    case none
    /// Counts and bounds of these columns, as pruning needs them; sizes are left out.
    case of(Set<FieldID>)
    case all
  }

  public var metrics: Metrics
  /// Leaves deleted entries out.
  public var liveOnly: Bool

  public init(metrics: Metrics, liveOnly: Bool = false) {
    self.metrics = metrics
    self.liveOnly = liveOnly
  }

  /// Everything, as it takes to write entries again.
  public static let all = ManifestProjection(metrics: .all)
  /// Live files without metrics.
  public static let liveFiles = ManifestProjection(metrics: .none, liveOnly: true)

  /// Live files with the metrics of the columns a scan has predicates on.
  public static func planning(_ columns: Set<FieldID>) -> ManifestProjection {
    ManifestProjection(metrics: columns.isEmpty ? .none : .of(columns), liveOnly: true)
  }
}
