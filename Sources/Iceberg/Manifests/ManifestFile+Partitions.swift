// SPDX-License-Identifier: Apache-2.0

extension ManifestFile {
  /// False only if it is known that no file of the manifest is in the partition `partition`.
  ///
  /// - Parameter layout: of the manifest's spec.
  public func mayHoldFiles(in partition: PartitionValues, _ layout: PartitionLayout) -> Bool {
    guard partition.specID == partitionSpecID else { return false }
    guard let summaries = partitions, summaries.count == partition.values.count,
      layout.types.count == summaries.count
    else { return true }
    for (i, summary) in summaries.enumerated() {
      guard summary.mayContain(partition.values[i], layout.types[i]) else { return false }
    }
    return true
  }
}

extension FieldSummary {
  fileprivate func mayContain(_ value: Value?, _ type: PrimitiveType) -> Bool {
    guard let value else { return containsNull }
    if value.isNaN { return containsNaN ?? true }
    if let low = Value(bound: lowerBound, as: type), (Value.predicateOrder(value, low) ?? 0) < 0 {
      return false
    }
    if let high = Value(bound: upperBound, as: type), (Value.predicateOrder(value, high) ?? 0) > 0 {
      return false
    }
    return true
  }
}
