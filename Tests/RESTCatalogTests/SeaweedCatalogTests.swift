// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Network
import RESTCatalog
import S3Storage
import Testing

/// Lake and the Iceberg catalog of SeaweedFS, whose tables lie in its S3: over the network, with a
/// token got for a credential, or with signed requests.
@Suite("REST catalog of SeaweedFS", .serialized)
struct SeaweedCatalogTests {
  enum Proof: CaseIterable { case token, signature }

  private func connected(
    _ server: S3Server, _ proof: Proof, _ body: (RESTCatalog) async throws -> Void
  ) async throws {
    guard let uri = server.catalogURI else { return }
    var properties = server.properties
    properties["uri"] = uri
    properties["warehouse"] = S3Server.tableBucket
    switch proof {
    case .token: properties["credential"] = "\(server.accessKeyID):\(server.secretAccessKey)"
    case .signature:
      properties["rest.sigv4-enabled"] = "true"
      properties["rest.signing-name"] = "s3tables"
      properties["rest.signing-region"] = "us-east-1"
      properties["rest.access-key-id"] = server.accessKeyID
      properties["rest.secret-access-key"] = server.secretAccessKey
    }
    let transport = NetworkTransport()
    let store = try S3Store.make(properties: server.properties, transport: transport)
    try await body(
      try await RESTCatalog.connect(
        name: "weed", properties: properties, transport: transport,
        stores: StoreRegistry(["s3": store])))
  }

  @Test(arguments: Proof.allCases)
  func `a table is made, written, changed, read and dropped`(proof: Proof) async throws {
    guard let server = try await S3Server.running(.seaweedfs) else { return }
    try await connected(server, proof) { catalog in
      let random = SeededRandom(printing: "SeaweedFS catalog")
      let namespace = ["ns\(random.int(in: 0..<1_000_000_000))"]
      try await catalog.createNamespace(namespace, properties: [:])
      #expect(try await catalog.listNamespaces(in: []).contains(namespace))
      let identifier = try TableIdentifier(namespace: namespace, name: "t")
      let schema = try Schema("k long, s string")
      var table = try await catalog.createTable(
        identifier,
        TableDefinition(schema: schema, properties: ["write.delete.mode": "copy-on-write"]))
      for start in [0, 10] {
        let rows = (start..<start + 10).map { [Value.long(Int64($0)), .string("s\($0)")] }
        table = try #require(
          try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
        ).table
      }
      _ = try await table.deleteRows(where: PredicateParser.parse("k < 5"))
      table = try await catalog.loadTable(identifier)
      table = try await table.commit(
        SchemaChange { evolution throws(IcebergError) in try evolution.add("n", type: .int) }
      ).table
      let keys: [Int64] = try await table.scan().select("k").readAll()
        .flatMap { batch in (0..<batch.rowCount).map { batch.columns[0].integer($0) } }
      #expect(keys.sorted() == Array(5..<20))
      #expect(try await catalog.listTables(in: namespace) == [identifier])
      try await catalog.dropTable(identifier, .purge)
      #expect(try await catalog.listTables(in: namespace).isEmpty)
      try await catalog.dropNamespace(namespace)
    }
  }

  @Test func `writers at once, some answers lost: each commit once`() async throws {
    guard let server = try await S3Server.running(.seaweedfs), let uri = server.catalogURI else {
      return
    }
    let random = SeededRandom(printing: "SeaweedFS catalog, lost answers")
    let namespace = ["many\(random.int(in: 0..<1_000_000_000))"]
    let identifier = try TableIdentifier(namespace: namespace, name: "t")
    try await connected(server, .token) { catalog in
      try await catalog.createNamespace(namespace, properties: [:])
      _ = try await catalog.createTable(
        identifier, TableDefinition(schema: try Schema("k long, s string")))
      let transport = NetworkTransport()
      let store = try S3Store.make(properties: server.properties, transport: transport)
      let problems = await withTaskGroup(of: String?.self) { group in
        for writer in 0..<3 {
          let wire = FlakyTransport(transport, percent: 20, random.fork())
          group.addTask {
            do {
              let catalog = try await RESTCatalog.connect(
                name: "weed",
                properties: [
                  "uri": uri, "warehouse": S3Server.tableBucket,
                  "credential": "\(server.accessKeyID):\(server.secretAccessKey)",
                ], transport: wire, stores: StoreRegistry(["s3": store]))
              var table = try await catalog.loadTable(identifier)
              for i in 0..<3 {
                let row = Rows.batch(
                  [[.long(Int64(writer * 10 + i)), .string("w")]], table.metadata.currentSchema)
                table = try await table.append([row])?.table ?? table
              }
              return nil
            } catch {
              return "writer \(writer): \(error)"
            }
          }
        }
        return await group.reduce(into: [String]()) { if let problem = $1 { $0.append(problem) } }
      }
      #expect(problems == [])
      let table = try await catalog.loadTable(identifier)
      let keys: [Int64] = try await table.scan().select("k").readAll()
        .flatMap { batch in (0..<batch.rowCount).map { batch.columns[0].integer($0) } }
      #expect(keys.sorted() == [0, 1, 2, 10, 11, 12, 20, 21, 22])
    }
  }
}
