// SPDX-License-Identifier: Apache-2.0
internal import Iceberg

/// What all entries of a manifest have in common: only manifests of one kind can become one.
struct ManifestKind: Hashable {
  let specID: PartitionSpecID
  let content: ManifestFile.Content

  init(_ manifest: ManifestFile) {
    specID = manifest.partitionSpecID
    content = manifest.content
  }
}
