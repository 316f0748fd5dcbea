// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import Synchronization

/// How manifests are decoded that were written with the same schema, as those of a table are: it
/// takes longer to find out than to decode a hundred entries.
public final class ManifestDecoders: Sendable {
  private let known = Mutex<[Known]>([])
  private static let limit = 8

  struct Known {
    let header: AvroFileHeader
    let layout: PartitionLayout
    let metrics: ManifestProjection.Metrics
    let decoder: EntryDecoder
  }

  public init() {}

  /// What was kept last for `layout` and `metrics`: of files whose schema is that of its header.
  func last(
    _ layout: PartitionLayout, _ metrics: ManifestProjection.Metrics
  ) -> Known? {
    known.withLock { known in known.last { $0.metrics == metrics && $0.layout == layout } }
  }

  func keep(_ new: Known) {
    known.withLock { known in
      known.removeAll { $0.metrics == new.metrics && $0.layout == new.layout }
      if known.count == Self.limit { known.removeFirst() }
      known.append(new)
    }
  }
}
