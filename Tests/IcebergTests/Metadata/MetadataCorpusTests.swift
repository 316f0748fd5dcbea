// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import JSON
import Testing

@testable import Iceberg

/// The table metadata of the reference implementation's own tests, good and bad.
@Suite("Corpus of table metadata")
struct MetadataCorpusTests {
  enum Verdict {
    case valid
    case refused(IcebergError)
  }

  static let expected: [String: Verdict] = [
    "TableMetadataPartitionStatisticsFiles.json": .valid,
    "TableMetadataStatisticsFiles.json": .valid,
    "TableMetadataV1Valid.json": .valid,
    "TableMetadataV2Valid.json": .valid,
    "TableMetadataV2ValidMinimal.json": .valid,
    "TableMetadataV3ValidMinimal.json": .valid,
    "TableMetadataUnsupportedVersion.json": .refused(.unsupported("format version 42")),
    "TableMetadataV1MissingSchemaType.json":
      .refused(.malformed("schema", at: "type", expected: "'struct'", found: "nothing")),
    "TableMetadataV2CurrentSchemaNotFound.json": .refused(
      .inconsistent(.missingCurrentSchema(SchemaID(2)))),
    "TableMetadataV2MissingLastPartitionId.json":
      .refused(
        .malformed(
          "table metadata", at: "last-partition-id", expected: "a partition field id",
          found: "nothing")),
    "TableMetadataV2MissingPartitionSpecs.json":
      .refused(
        .malformed(
          "table metadata", at: "partition-specs", expected: "a list of partition specs",
          found: "nothing")),
    "TableMetadataV2MissingSchemas.json":
      .refused(
        .malformed(
          "table metadata", at: "schemas", expected: "a list of schemas", found: "nothing")),
    "TableMetadataV2MissingSortOrder.json":
      .refused(
        .malformed(
          "table metadata", at: "sort-orders", expected: "a list of sort orders", found: "nothing")),
  ]

  static let files: [String] = {
    guard let folder = Corpus.folder("corpora/iceberg/metadata") else { return [] }
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    return (names ?? []).sorted()
  }()

  @Test func `every file of the corpus is known here`() {
    for file in Self.files { #expect(Self.expected[file] != nil, "\(file)") }
  }

  @Test(arguments: files)
  func `what is valid is read and written, what is not is refused with the reason`(
    name: String
  ) throws {
    let folder = try #require(Corpus.folder("corpora/iceberg/metadata"))
    let file = try Corpus.read(folder.appendingPathComponent(name))
    if case .refused(let error) = try #require(Self.expected[name]) {
      #expect(throws: error) { try TableMetadata(file: file) }
      return
    }
    let metadata = try TableMetadata(file: file)
    #expect(metadata.validate() == [])
    #expect(try Samples.reread(metadata) == metadata)
    // All that was in the document is in ours; v1 and minimal documents get what they left out.
    let before = try JSONValue(parsing: file.bytes)
    let after = try metadata.tree
    guard case .object(let members) = before else { return }
    for member in members where member.key != "schema" {
      #expect(after[member.key]?.sorted() == member.value.sorted(), "\(member.key)")
    }
  }
}
