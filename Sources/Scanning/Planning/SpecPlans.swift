// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg

/// What a filter asks of partitions, for each partition spec that manifests of a snapshot have.
struct SpecPlans: Sendable {
  private var plans: [PartitionSpecID: SpecPlan] = [:]

  init(
    _ manifests: [ManifestFile], _ metadata: TableMetadata, _ filter: BoundPredicate
  ) throws(ScanError) {
    for manifest in manifests
    where manifest.mayHaveLiveFiles && plans[manifest.partitionSpecID] == nil {
      do throws(IcebergError) {
        plans[manifest.partitionSpecID] = SpecPlan(
          try metadata.partitionLayout(manifest.partitionSpecID), filter)
      } catch {
        throw .invalidRequest(error)
      }
    }
  }

  /// The plan for `manifest`, which must be one of those it was made for, with live files maybe.
  subscript(manifest: ManifestFile) -> SpecPlan {
    guard let plan = plans[manifest.partitionSpecID] else {
      preconditionFailure("a manifest of another snapshot")
    }
    return plan
  }

  /// False only if no live file of `manifest` can have a matching row.
  func mightMatch(_ manifest: ManifestFile) -> Bool {
    manifest.mayHaveLiveFiles && self[manifest].mightMatch(manifest)
  }
}

/// What a filter asks of the partitions of one spec.
struct SpecPlan: Sendable {
  let layout: PartitionLayout
  private let predicate: BoundPredicate
  private let takesAll: Bool

  init(_ layout: PartitionLayout, _ filter: BoundPredicate) {
    self.layout = layout
    predicate = layout.spec.inclusiveProjection(of: filter)
    takesAll = predicate == .alwaysTrue
  }

  func mightMatch(_ partition: PartitionValues) -> Bool {
    takesAll || predicate.mightMatch(PartitionFacts(partition.values, of: layout.spec))
  }

  func mightMatch(_ manifest: ManifestFile) -> Bool {
    guard let summaries = manifest.partitions, summaries.count == layout.spec.fields.count else {
      return true
    }
    return predicate.mightMatch(
      SummaryFacts(summaries, types: layout.types, of: layout.spec))
  }
}

/// What the manifest list tells of the partitions of a manifest's files.
private struct SummaryFacts: ColumnFactsSource {
  private let summaries: [FieldSummary]
  private let types: [PrimitiveType]
  private let spec: PartitionSpec

  init(_ summaries: [FieldSummary], types: [PrimitiveType], of spec: PartitionSpec) {
    self.summaries = summaries
    self.types = types
    self.spec = spec
  }

  func facts(of column: BoundColumn) -> ColumnFacts? {
    guard let index = spec.fields.firstIndex(where: { $0.fieldID == column.id }),
      index < types.count
    else { return nil }
    let summary = summaries[index]
    return ColumnFacts(
      containsNull: summary.containsNull, containsNaN: summary.containsNaN,
      lower: summary.lowerBound, upper: summary.upperBound, type: types[index])
  }
}
