// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import RESTCatalog
import Storage
import Testing

/// Where tables of a REST catalog may lie, and have files.
@Suite("Locations of REST tables")
struct LocationTests {
  /// What opening a table says that a server puts at `location`, the user's warehouse being
  /// `warehouse`.
  private func opening(
    _ location: String, warehouse: String?, allowing: [String] = [],
    serverSays configuration: String = "{}", properties: [String: String] = [:]
  ) async throws -> Table {
    let world = try RESTWorld()
    await world.server.update { $0.configuration = configuration }
    let metadata = try TableMetadata.create(
      schema: try Schema("k int"), location: location, properties: TableProperties(properties),
      formatVersion: .v2, uuid: TableUUID(world.environment.uuid()), at: 0)
    await world.server.update { server in
      server.tables[world.identifier] = .init(
        metadata: metadata, location: "\(location)/metadata/00000-x.metadata.json", version: 0)
    }
    var settings = ["uri": "https://catalog.example/"]
    settings["warehouse"] = warehouse
    let stores = StoreRegistry([
      "file": world.memory, "s3": world.memory, "memory": world.memory,
    ])
    let catalog = try await RESTCatalog.connect(
      name: "test", properties: settings, environment: world.environment, transport: world.server,
      stores: stores, allowing: try allowing.map { try ObjectPath($0) })
    return try await catalog.loadTable(world.identifier)
  }

  @Test func `files of this machine are opened within the user's own local warehouse alone`()
    async throws
  {
    _ = try await opening("/data/wh/db/t", warehouse: "/data/wh")
    _ = try await opening("file:///data/wh/db/t", warehouse: "file:/data/wh")
    _ = try await opening("/elsewhere/t", warehouse: nil, allowing: ["/elsewhere"])
    for (location, warehouse, configuration) in [
      ("/etc", nil, "{}"), ("/data/wh2/t", "/data/wh", "{}"), ("/data", "/data/wh", "{}"),
      ("/etc/t", "s3://bucket/wh", "{}"), ("/etc/t", "prod", "{}"),
      ("/etc/t", nil, #"{"overrides":{"warehouse":"/etc"}}"#),
    ] as [(String, String?, String)] {
      do {
        _ = try await opening(location, warehouse: warehouse, serverSays: configuration)
        Issue.record("\(location) was opened")
      } catch CatalogError.storage(.refused, _) {
      }
    }
  }

  @Test func `a table has files in its own place, and where its properties say in the warehouse`()
    async throws
  {
    let table = try await opening(
      "s3://bucket/wh/db/t", warehouse: "s3://bucket/wh",
      properties: [
        "write.data.path": "s3://bucket/wh/data/t", "write.metadata.path": "s3://other/x",
      ])
    func isAllowed(_ text: String) async throws -> Bool {
      do throws(StorageError) {
        _ = try await table.store.get(try ObjectPath(text), range: 0..<1)
        return true
      } catch {
        if case .refused = error { return false }
        return true
      }
    }
    #expect(try await isAllowed("s3://bucket/wh/db/t/data/a.parquet"))
    #expect(try await isAllowed("s3a://bucket/wh/db/t/data/a.parquet"))
    #expect(try await isAllowed("s3://bucket/wh/data/t/a.parquet"))
    for text in [
      "s3://bucket/wh/db/t2/a", "s3://bucket/wh/db", "s3://other/x/a", "/etc/passwd",
      "s3://bucket2/wh/db/t/a", "memory://bucket/wh/db/t/a",
    ] {
      #expect(try await !isAllowed(text), "\(text)")
    }
  }

  @Test(arguments: [
    TableUpdate.setLocation("s3://elsewhere/t"), .setLocation("/etc"),
    .setProperties(["write.data.path": "s3://elsewhere/x"]),
    .setProperties(["write.metadata.path": "file:///tmp/x"]),
  ])
  func `a commit that moves a table out of the warehouse is refused before it is sent`(
    update: TableUpdate
  ) async throws {
    let table = try await opening("s3://bucket/wh/db/t", warehouse: "s3://bucket/wh")
    do {
      _ = try await table.commit(MoveAnywhere(update: update))
      Issue.record("accepted")
    } catch CommitError.catalog(.storage(.refused, _)) {
    }
  }

  @Test func `a scheme without a store says so`() async throws {
    await #expect(throws: CatalogError.self) {
      try await opening("http://169.254.169.254/latest", warehouse: nil)
    }
    await #expect(throws: CatalogError.self) {
      try await opening("abfs://c@a/t", warehouse: nil)
    }
  }
}

private struct MoveAnywhere: TableChange {
  let update: TableUpdate

  func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    ChangePlan(requirements: [], updates: [update])
  }
}
