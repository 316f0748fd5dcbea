// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Testing

@Suite("Partition spec and sort order text")
struct PartitionSpecTextTests {
  let schema = try! Schema(
    "id long, ts timestamptz, name string, category string, p struct<d: date>, l list<int>, "
      + "f double, ts_day int")

  @Test func `fields get the names and ids of the reference implementation`() throws {
    let spec = try PartitionSpec(
      "hour(ts), bucket(16, id), truncate(10, name), category, year(p.d), bucket(name, 4) as nb",
      schema: schema)
    #expect(
      spec.fields.map(\.name) == [
        "ts_hour", "id_bucket", "name_trunc", "category", "p.d_year", "nb",
      ])
    #expect(spec.fields.map(\.fieldID.rawValue) == [1000, 1001, 1002, 1003, 1004, 1005])
    #expect(
      spec.fields.map(\.transform)
        == [.hour, .bucket(16), .truncate(10), .identity, .year, .bucket(4)])
    #expect(
      spec.fields.map { $0.sourceIDs.first }
        == ["ts", "id", "name", "category", "p.d", "name"]
        .map { schema.field(named: $0)?.id })
    #expect(try PartitionSpec("", schema: schema) == .unpartitioned)
    #expect(try PartitionSpec("bucket[8](id)", schema: schema).fields[0].transform == .bucket(8))
    let unpartitioned = try PartitionSpec("()", schema: schema)
    #expect(unpartitioned.isUnpartitioned)
  }

  @Test(arguments: [
    "day(name)", "bucket(16, f)", "truncate(4, ts)", "hour(p.d)", "day(nope)", "l", "l.element",
    "bucket(id)", "bucket(0, id)", "day(3, ts)", "id, id", "day(ts), hour(ts)", "frob(id)",
    "day(ts)", "id as category", "day(ts", "id category", "p",
  ])
  func `a spec that can't be is refused`(text: String) {
    #expect(throws: IcebergError.self) { try PartitionSpec(text, schema: schema) }
  }

  @Test func `a sort order has its defaults for nulls`() throws {
    let order = try SortOrder(
      "id, ts desc, bucket(4, name) asc nulls last, day(ts) desc nulls first", schema: schema)
    #expect(order.id == SortOrderID(1))
    #expect(order.fields.map(\.direction) == [.ascending, .descending, .ascending, .descending])
    #expect(order.fields.map(\.nullOrder) == [.nullsFirst, .nullsLast, .nullsLast, .nullsFirst])
    #expect(order.fields.map(\.transform) == [.identity, .identity, .bucket(4), .day])
    #expect(try SortOrder("", schema: schema) == .unsorted)
    #expect(throws: IcebergError.self) { try SortOrder("id up", schema: schema) }
  }

  @Test func `terms added to a spec tell their width`() throws {
    let terms = try PartitionTerm.parse(
      "bucket(16, id), truncate(4, name), day(ts), category as c", schema: schema)
    #expect(terms.map(\.name) == ["id_bucket_16", "name_trunc_4", "ts_day", "c"])
    #expect(terms.map(\.transform) == [.bucket(16), .truncate(4), .day, .identity])
    #expect(throws: IcebergError.self) { try PartitionTerm.parse("day(id)", schema: schema) }
    #expect(throws: IcebergError.self) { try PartitionTerm.parse("nope", schema: schema) }
  }
}
