// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// Columns that rows have beside the table's own.
@Suite("Metadata columns")
struct MetadataColumnTests {
  private func table(_ schema: String, by spec: String = "", version: FormatVersion = .v3)
    async throws -> Table
  {
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: MemoryStore(),
      environment: .deterministic(seed: 1))
    let table = try await catalog.createTable(
      "db.t", schema, partitionedBy: spec, formatVersion: version)
    let rows: [[Value?]] = (0..<4).map { [.int(Int32($0 % 2)), .string("r\($0)")] }
    let batch = Rows.batch(rows, table.metadata.currentSchema)
    return try #require(try await table.append([batch])).table
  }

  @Test func `a star leaves metadata columns out, and they stand beside it`() async throws {
    let table = try await table("a int, b string")
    #expect(try table.scan().select("*").outputFields().map(\.name) == ["a", "b"])
    let found = try await table.scan().select("*", "_row_id").filter("_pos = 2").canonicalRows()
    #expect(found == [#"{"_row_id":2,"a":0,"b":"r2"}"#])
  }

  @Test func `the partition is a structure of the fields of all specs`() async throws {
    let table = try await table("a int, b string", by: "a")
    let scan = try table.scan().select("b", "_partition", "_spec_id").filter("_partition.a = 1")
    #expect(
      try await scan.canonicalRows() == [
        #"{"_partition":{"a":1},"_spec_id":0,"b":"r1"}"#,
        #"{"_partition":{"a":1},"_spec_id":0,"b":"r3"}"#,
      ])
  }

  @Test func `partition fields of different specs may have one name`() async throws {
    var table = try await table("a int, b string", by: "bucket(2, a)")
    let source = try #require(table.metadata.currentSchema.field(named: "b")).id
    let other = try table.metadata.partitionSpec(of: [
      PartitionTerm(sourceIDs: [source], transform: .identity, name: "a_bucket")
    ])
    table = try await table.commit(
      MetadataEdit(.addPartitionSpec(other), .setDefaultPartitionSpec(PartitionSpecID(-1)))
    ).table
    let fields = try table.scan().select("_partition").outputFields().map(\.columnField)
    #expect(fields[0].type.children.map(\.name) == ["a_bucket", "a_bucket_1001"])
    #expect(try await table.scan().select("_partition").canonicalRows().count == 4)
  }

  @Test func `a column of the table hides the metadata column of its name`() async throws {
    let table = try await table("_pos int, b string")
    #expect(try await table.scan().select("_pos").filter("_pos = 1").canonicalRows().count == 2)
    #expect(
      try await table.scan().select("_pos").canonicalRows() == [
        #"{"_pos":0}"#, #"{"_pos":0}"#, #"{"_pos":1}"#, #"{"_pos":1}"#,
      ])
  }

  @Test func `rows of a table without row ids have none`() async throws {
    let table = try await table("a int, b string", version: .v2)
    let scan = table.scan().select("_row_id", "_last_updated_sequence_number").limit(1)
    #expect(
      try await scan.canonicalRows()
        == [#"{"_last_updated_sequence_number":null,"_row_id":null}"#])
    #expect(try await table.scan().filter("_row_id IS NULL").count() == 4)
  }

  @Test func `a file is left out by its path before it is opened`() async throws {
    let table = try await table("a int, b string", by: "a")
    let all = try await table.scan().plan()
    let path = try #require(all.tasks.first?.file.path)
    let scan = try table.scan().filter("_file = '\(path)'")
    #expect(try await scan.plan().tasks.map(\.file.path) == [path])
    #expect(try await scan.count() == 2)
    #expect(try await table.scan().filter("_pos > 1").plan().tasks.isEmpty)
  }
}
