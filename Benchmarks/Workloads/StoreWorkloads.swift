// SPDX-License-Identifier: Apache-2.0
#if Network
  internal import Lake
  internal import S3Storage

  #if canImport(Glibc)
    internal import Glibc
  #elseif canImport(Musl)
    internal import Musl
  #endif

  /// Tables and objects on a server that speaks S3, told by `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`,
  /// `AWS_SECRET_ACCESS_KEY` and `LAKE_S3_BUCKET`.
  enum StoreWorkloads {
    private static func variable(_ name: String) throws -> String {
      guard let value = unsafe getenv(name) else { throw BenchError.usage("set \(name)") }
      return unsafe String(cString: value)
    }

    private static func store() throws -> S3Store {
      try .make(properties: [
        "s3.endpoint": try variable("AWS_ENDPOINT_URL"),
        "s3.access-key-id": try variable("AWS_ACCESS_KEY_ID"),
        "s3.secret-access-key": try variable("AWS_SECRET_ACCESS_KEY"),
        "s3.region": "us-east-1",
      ])
    }

    private static func folder(_ name: String) throws -> ObjectPath {
      try ObjectPath("s3://\(try variable("LAKE_S3_BUCKET"))/bench/\(name)-\(getpid())")
    }

    /// Objects written and read whole, `objects` of `bytes` each, `threads` at a time.
    static func throughput(_ context: BenchContext) async throws -> Workloads.Metrics {
      let (count, byteCount) = (try context.number("objects"), try context.number("bytes"))
      let store = try store()
      let folder = try folder("objects")
      var random = SystemRandomNumberGenerator()
      let block = (0..<(1 << 16)).map { _ in UInt8.random(in: 0...255, using: &random) }
      var content = MutableBuffer(capacity: byteCount)
      while content.count < byteCount {
        content.append(Buffer(block).slice(0..<min(block.count, byteCount - content.count)).bytes)
      }
      let bytes = content.freeze()
      let paths = try (0..<count).map { try folder.appending("\($0)") }
      let put = try await Measurement.of {
        try await each(paths, context.threads) { path in
          _ = try await store.put(bytes, to: path, if: .none)
        }
      }
      let get = try await Measurement.of {
        try await each(paths, context.threads) { path in
          let found = try await store.get(path, range: 0..<Int64(byteCount))
          guard found.count == byteCount else { throw BenchError.wrongResult("\(path)") }
        }
      }
      _ = await store.delete(paths)
      let total = Double(count * byteCount) / 1e6
      return [
        ("put_s", put.wallSeconds), ("put_mb_s", total / put.wallSeconds),
        ("put_cpu_s", put.processorSeconds), ("get_s", get.wallSeconds),
        ("get_mb_s", total / get.wallSeconds), ("get_cpu_s", get.processorSeconds),
      ]
    }

    private static func each(
      _ paths: [ObjectPath], _ limit: Int,
      _ work: @escaping @Sendable (ObjectPath) async throws -> Void
    ) async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, path) in paths.enumerated() {
          if index >= limit { try await group.next() }
          group.addTask { try await work(path) }
        }
        try await group.waitForAll()
      }
    }

    /// Requests, bytes and time of an append, a plan, a scan and a lookup, on a table of `files`
    /// files of `rows` rows.
    static func costs(_ context: BenchContext) async throws -> Workloads.Metrics {
      let (fileCount, rowCount) = (try context.number("files"), try context.number("rows"))
      let store = try store()
      let warehouse = try folder("costs")
      let schema = try Schema("k long not null, v string")
      let identifier = try TableIdentifier("bench.t")
      func catalog() -> FilesystemCatalog { FilesystemCatalog(warehouse: warehouse, store: store) }
      var table = try await catalog().createTable(identifier, TableDefinition(schema: schema))
      func batch(_ start: Int, _ count: Int) -> RecordBatch {
        let builder = BatchBuilder(schema.columnFields)
        for key in start..<start + count {
          builder.columns[0].append(.long(Int64(key)))
          builder.columns[1].append(.string("text of row \(key)"))
        }
        return builder.finish()
      }
      var metrics: Workloads.Metrics = []
      func measure(_ name: String, _ work: () async throws -> Void) async throws {
        let before = store.counts
        let measured = try await Measurement.of(work)
        let change = store.counts.since(before)
        metrics += [
          ("\(name)_requests", Double(change.requests)),
          ("\(name)_bytes_in", Double(change.bytesReceived)),
          ("\(name)_bytes_out", Double(change.bytesSent)), ("\(name)_s", measured.wallSeconds),
        ]
      }
      for file in 0..<fileCount {
        let rows = batch(file * rowCount, rowCount)
        table = try await table.append([rows])?.table ?? table
      }
      let small = batch(fileCount * rowCount, 100)
      try await measure("append_held") { table = try await table.append([small])?.table ?? table }
      try await measure("append_new") {
        _ = try await catalog().loadTable(identifier).append([small])
      }
      try await measure("plan_cold") {
        _ = try await catalog().loadTable(identifier).scan().plan()
      }
      var cold = try await catalog().loadTable(identifier)
      try await measure("scan") {
        var count = 0
        for try await found in cold.scan().batches() { count += found.rowCount }
        guard count == fileCount * rowCount + 200 else {
          throw BenchError.wrongResult("\(count) rows")
        }
      }
      try await measure("plan_warm") { _ = try await cold.scan().plan() }
      cold = try await catalog().loadTable(identifier)
      let index = try await KeyIndex.build(try await TableState(of: cold), key: ["k"])
      let key = batch(fileCount * rowCount / 2, 1).selecting([0])
      try await measure("lookup_cold") { _ = try await cold.get(key, index: index) }
      try await measure("lookup_warm") { _ = try await cold.get(key, index: index) }
      try await catalog().dropTable(identifier, .purge)
      return metrics
    }
  }
#endif
