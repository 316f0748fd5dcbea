// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

@testable import S3Storage

/// Other engines read, by their own clients of S3, what Lake wrote to a bucket.
@Suite("Other engines on S3")
struct OtherEnginesTests {
  enum Reader: String, CaseIterable, Sendable { case pyiceberg, duckdb }

  @Test(arguments: Reader.allCases, [FormatVersion.v2, .v3])
  func `another engine reads of a bucket what Lake does, after upserts`(
    reader: Reader, format: FormatVersion
  ) async throws {
    guard let server = try await S3Server.running(.seaweedfs) else { return }
    guard let python = Oracles.python(of: reader.rawValue) else {
      print("skipped: \(reader.rawValue) is not installed")
      #expect(!SiblingFolder.isContinuousIntegration, "\(reader.rawValue) is not installed")
      return
    }
    let store = try S3Store.make(
      properties: server.properties, transport: S3StoreContractTests.transport)
    let warehouse = try ObjectPath(
      "s3://\(server.bucket)/engines-\(reader.rawValue)-\(UInt64.random(in: 0..<1 << 40))")
    let catalog = FilesystemCatalog(warehouse: warehouse, store: store)
    let table = try await Self.upserted(catalog, format)

    var expected: [String] = []
    for try await batch in table.scan().batches() {
      for row in 0..<batch.rowCount {
        expected.append("\(batch.columns[0].integer(row))|\(batch.columns[1].string(row))")
      }
    }
    #expect(expected.count == 350)
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-engines-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let script = folder.appending(path: "read.py")
    try Data(Self.script.utf8).write(to: script)
    let output = try await Oracles.runAside(
      python,
      [
        script.path, reader.rawValue, table.metadataLocation.text, server.endpoint,
        server.accessKeyID, server.secretAccessKey,
      ])
    let found = output.split(separator: "\n").map(String.init).filter { $0.contains("|") }
    #expect(found.sorted() == expected.sorted(), "\(reader.rawValue): \(output.prefix(2000))")
  }

  /// A table of files appended, and rows upserted over them, in several commits.
  private static func upserted(
    _ catalog: FilesystemCatalog, _ format: FormatVersion
  ) async throws -> Table {
    var table = try await catalog.createTable(
      "db.t", "k long not null, v string", formatVersion: format)
    let schema = table.metadata.currentSchema
    func batch(_ keys: Range<Int64>, _ text: String) -> RecordBatch {
      Rows.batch(keys.map { [.long($0), .string("\(text) é \($0)")] }, schema)
    }
    for round in Int64(0)..<3 {
      let rows = batch(round * 100..<(round + 1) * 100, "appended")
      table = try #require(try await table.append([rows])).table
    }
    var options = UpsertOptions()
    options.key = ["k"]
    options.writer = "w"
    let writer = try await UpsertWriter.open(table, options)
    for round in Int64(0)..<4 {
      try await writer.upsert(batch(round * 70..<round * 70 + 60, "upserted \(round)"))
      try await writer.upsert(batch(290 + round * 15..<305 + round * 15, "new \(round)"))
      _ = try await writer.commit(["source": round])
    }
    try await writer.close()
    return try await table.refreshed()
  }

  private static let script = """
    import sys
    engine, location, endpoint, key, secret = sys.argv[1:]
    if engine == "pyiceberg":
        from pyiceberg.table import StaticTable
        table = StaticTable.from_metadata(location, {
            "s3.endpoint": endpoint, "s3.access-key-id": key, "s3.secret-access-key": secret,
            "s3.region": "us-east-1"})
        rows = table.scan().to_arrow().to_pylist()
        rows = [(row["k"], row["v"]) for row in rows]
    else:
        import duckdb
        con = duckdb.connect()
        con.execute("LOAD iceberg")
        con.execute("LOAD httpfs")
        host = endpoint.split("://")[1]
        con.execute(f"CREATE SECRET (TYPE s3, KEY_ID '{key}', SECRET '{secret}', ENDPOINT '{host}', "
                    "URL_STYLE 'path', USE_SSL false, REGION 'us-east-1')")
        rows = con.execute(f"SELECT k, v FROM iceberg_scan('{location}')").fetchall()
    for k, v in rows:
        print(f"{k}|{v}")
    """
}
