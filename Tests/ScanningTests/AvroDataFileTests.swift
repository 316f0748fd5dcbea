// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import JSON
import Lake
import LakeTestSupport
import Testing

/// Tables with data files that are no Parquet.
@Suite("Data files of other formats")
struct AvroDataFileTests {
  private static let columns = """
    id long, name string, at timestamptz, day date, price decimal(9, 2), place struct<lat double>, \
    tags list<int>, ages map<string, int>, added int
    """

  /// The ids are those the table gives its columns: 1 to 9, then level by level.
  private static func record(ids: Bool) -> AvroSchema {
    func id(_ id: Int32) -> Int32? { ids ? id : nil }
    let decimal = AvroSchema(
      .bytes,
      attributes: [
        JSONMember("logicalType", .string("decimal")), JSONMember("precision", .integer(9)),
        JSONMember("scale", .integer(2)),
      ])
    let moment = AvroSchema(
      .long,
      attributes: [
        JSONMember("logicalType", .string("timestamp-millis")),
        JSONMember("adjust-to-utc", .boolean(true)),
      ])
    let day = AvroSchema(.int, attributes: [JSONMember("logicalType", .string("date"))])
    let place = AvroRecord(
      name: "r6", fields: [AvroField("lat", .optional(.double), id: id(10))])
    return AvroSchema(
      .record(
        AvroRecord(
          name: "row",
          fields: [
            // Written when the column was an int.
            AvroField("id", .int, id: id(1)),
            AvroField("unknown", .string, id: id(99)),
            AvroField("name", .optional(.string), id: id(2)),
            AvroField("at", moment, id: id(3)), AvroField("day", day, id: id(4)),
            AvroField("price", decimal, id: id(5)),
            AvroField("place", .optional(AvroSchema(.record(place))), id: id(6)),
            AvroField("tags", AvroSchema(.array(.int)), id: id(7)),
            AvroField("ages", AvroSchema(.map(.int)), id: id(8)),
          ])))
  }

  /// A file of `count` rows, some in a block.
  private static func file(count: Int, ids: Bool) throws -> Buffer {
    var writer = try AvroFileWriter(
      schema: record(ids: ids), codec: .deflate, blockByteCount: 100,
      syncMarker: AvroSyncMarker(seed: 1))
    for row in 0..<count {
      writer.encoder.writeInt(Int32(row))
      writer.encoder.writeString("x")
      writer.encoder.writeBranch(row % 3 == 0 ? 0 : 1)
      if row % 3 != 0 { writer.encoder.writeString("name \(row)") }
      writer.encoder.writeLong(Int64(row) * 1000)
      writer.encoder.writeInt(Int32(row))
      writer.encoder.writeBytes([0xff, UInt8(row)])
      writer.encoder.writeBranch(1)
      writer.encoder.writeBranch(1)
      writer.encoder.write(1.5)
      writer.encoder.writeBlockCount(1)
      writer.encoder.writeInt(7)
      writer.encoder.endBlocks()
      writer.encoder.endBlocks()
      try writer.endRecord()
    }
    return try writer.finish()
  }

  private static func table(
    count: Int, ids: Bool = true, format: FileFormat = .avro, properties: [String: String] = [:]
  ) async throws -> Table {
    let store = MemoryStore()
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store,
      environment: .deterministic(seed: 1))
    let table = try await catalog.createTable("db.t", columns, properties: properties)
    let bytes = try file(count: count, ids: ids)
    let path = "memory://w/house/db/t/data/rows.avro"
    _ = try await store.put(bytes, to: ObjectPath(path), if: .absent)
    let file = DataFile(
      path: path, format: format, partition: .unpartitioned(), recordCount: Int64(count),
      byteCount: Int64(bytes.count))
    var edit = TableEdit()
    edit.added = [(file, nil)]
    return try await table.commit(edit).table
  }

  private static func line(_ row: Int) -> String {
    let cents = -256 + row
    let price = "-\(-cents / 100).\(-cents % 100 < 10 ? "0" : "")\(-cents % 100)"
    let name = row % 3 == 0 ? "null" : "\"name \(row)\""
    let two = row < 10 ? "0\(row)" : "\(row)"
    return """
      {"added":null,"ages":[],"at":"1970-01-01T00:00:\(two).000000Z","day":"1970-\
      \(row < 31 ? "01" : "02")-\(row % 31 < 9 ? "0" : "")\(row % 31 + 1)","id":\(row),\
      "name":\(name),"place":{"lat":1.5},"price":"\(price)","tags":[7]}
      """
  }

  @Test func `rows of an Avro data file are found by field id`() async throws {
    let table = try await Self.table(count: 40)
    let expected = try CanonicalRows.lines((0..<40).map(Self.line).joined(separator: "\n"))
    #expect(try await table.scan().canonicalRows() == expected)
    #expect(try await table.scan().count() == 40)
    let scan = try table.scan().select("id", "_pos").filter("id >= 38 AND price < 0")
    #expect(try await scan.canonicalRows() == [#"{"_pos":38,"id":38}"#, #"{"_pos":39,"id":39}"#])
    #expect(try await scan.count() == 2)
  }

  /// As Iceberg writes Avro: moments say by `adjust-to-utc` what they are, nanoseconds too; decimals
  /// are fixed of as few bytes as their digits need; elements, keys and values have ids.
  @Test func `rule 103: Avro data is what Iceberg's attributes say of it`() async throws {
    let store = MemoryStore()
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store,
      environment: .deterministic(seed: 1))
    let table = try await catalog.createTable(
      "db.t",
      """
      tz timestamptz, ts timestamp, tzn timestamptz_ns, tsn timestamp_ns, price decimal(9, 2), \
      tags list<int>, ages map<string, long>, pairs map<int, long>
      """, formatVersion: .v3)
    let schema = try AvroSchema(
      parsing: #"""
        {"type":"record","name":"table","fields":[
          {"name":"a","type":{"type":"long","logicalType":"timestamp-micros","adjust-to-utc":true},"field-id":1},
          {"name":"b","type":{"type":"long","logicalType":"timestamp-micros","adjust-to-utc":false},"field-id":2},
          {"name":"c","type":{"type":"long","logicalType":"timestamp-nanos","adjust-to-utc":true},"field-id":3},
          {"name":"d","type":{"type":"long","logicalType":"timestamp-nanos","adjust-to-utc":false},"field-id":4},
          {"name":"e","type":{"type":"fixed","name":"decimal_9_2","size":4,"logicalType":"decimal","precision":9,"scale":2},"field-id":5},
          {"name":"f","type":{"type":"array","items":"int","element-id":9},"field-id":6},
          {"name":"g","type":{"type":"map","values":"long","key-id":10,"value-id":11},"field-id":7},
          {"name":"h","type":{"type":"array","logicalType":"map","items":{"type":"record","name":"k12_v13","fields":[
            {"name":"key","type":"int","field-id":12},{"name":"value","type":"long","field-id":13}]}},"field-id":8}]}
        """#)
    var writer = try AvroFileWriter(schema: schema, syncMarker: AvroSyncMarker(seed: 1))
    for moment in [1_000_001, -1, 1_000_000_001, -1] as [Int64] { writer.encoder.writeLong(moment) }
    let price: [UInt8] = [0xff, 0xff, 0xff, 0x85]
    writer.encoder.writeRaw(price.span.bytes)
    writer.encoder.writeBlockCount(1)
    writer.encoder.writeInt(7)
    writer.encoder.endBlocks()
    writer.encoder.writeBlockCount(1)
    writer.encoder.writeString("x")
    writer.encoder.writeLong(8)
    writer.encoder.endBlocks()
    writer.encoder.writeBlockCount(1)
    writer.encoder.writeInt(5)
    writer.encoder.writeLong(6)
    writer.encoder.endBlocks()
    try writer.endRecord()
    let bytes = try writer.finish()
    let path = "memory://w/house/db/t/data/rows.avro"
    _ = try await store.put(bytes, to: ObjectPath(path), if: .absent)
    var edit = TableEdit()
    edit.added = [
      (
        DataFile(
          path: path, format: .avro, partition: .unpartitioned(), recordCount: 1,
          byteCount: Int64(bytes.count)), nil
      )
    ]
    let now = try await table.commit(edit).table
    #expect(
      try await now.scan().canonicalRows()
        == CanonicalRows.lines(
          """
          {"tz":"1970-01-01T00:00:01.000001Z","ts":"1969-12-31T23:59:59.999999",\
          "tzn":"1970-01-01T00:00:01.000000001Z","tsn":"1969-12-31T23:59:59.999999999",\
          "price":"-1.23","tags":[7],"ages":[["x",8]],"pairs":[[5,6]]}
          """))
  }

  @Test func `rows of an Avro data file are deleted by position and by value`() async throws {
    var table = try await Self.table(count: 30)
    let random = SeededRandom(seed: 1)
    let path = "memory://w/house/db/t/data/rows.avro"
    let files = DeleteFiles(table, random)
    var edit = TableEdit()
    edit.added = [
      (try await files.positions([(path, 3), (path, 4)], in: .unpartitioned()), nil),
      (
        try await files.equality(
          [FieldID(2)], [[.string("name 7")], [nil]],
          [try #require(table.metadata.currentSchema.field(FieldID(2)))], in: .unpartitioned()),
        nil
      ),
    ]
    table = try await table.commit(edit).table
    let left = (0..<30).filter { $0 % 3 != 0 && $0 != 4 && $0 != 7 }
    let expected = left.map { #"{"id":\#($0)}"# }.sorted()
    #expect(try await table.scan().select("id").canonicalRows() == expected)
    #expect(try await table.scan().count() == Int64(left.count))
  }

  @Test func `an Avro data file without ids is read by the name mapping, or refused`() async throws
  {
    let mapping = """
      [{"field-id": 1, "names": ["id"]}, {"field-id": 6, "names": ["place"], "fields": [
        {"field-id": 10, "names": ["lat"]}]}]
      """
    let table = try await Self.table(
      count: 2, ids: false, properties: ["schema.name-mapping.default": mapping])
    #expect(
      try await table.scan().select("id", "name", "place").canonicalRows() == [
        #"{"id":0,"name":null,"place":{"lat":1.5}}"#,
        #"{"id":1,"name":null,"place":{"lat":1.5}}"#,
      ])
    let other = try await Self.table(count: 2, ids: false)
    await #expect(throws: ScanError.self) { try await other.scan().canonicalRows() }
  }

  @Test func `ORC data files are refused by name, with what reads them`() async throws {
    let table = try await Self.table(count: 1, format: .orc)
    do {
      _ = try await table.scan().canonicalRows()
      Issue.record("an ORC file was read")
    } catch {
      #expect("\(error)".contains("ORC data files, which Spark"))
    }
  }

  @Test func `an Avro data file of another number of rows is an error`() async throws {
    let store = MemoryStore()
    let path = "memory://w/house/db/t/data/rows.avro"
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store,
      environment: .deterministic(seed: 1))
    let table = try await catalog.createTable("db.t", Self.columns)
    let bytes = try Self.file(count: 3, ids: true)
    _ = try await store.put(bytes, to: ObjectPath(path), if: .absent)
    var edit = TableEdit()
    edit.added = [
      (
        DataFile(
          path: path, format: .avro, partition: .unpartitioned(), recordCount: 4,
          byteCount: Int64(bytes.count)), nil
      )
    ]
    let broken = try await table.commit(edit).table
    await #expect(throws: ScanError.self) { try await broken.scan().canonicalRows() }
  }
}
