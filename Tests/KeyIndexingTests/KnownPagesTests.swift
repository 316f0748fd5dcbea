// SPDX-License-Identifier: Apache-2.0
import KeyIndexing
import Lake
import LakeTestSupport
import Parquet
import Scanning
import Testing

/// Rows by position, read again and again with what was read before kept, held against a scan.
@Suite("Rows of pages that are kept")
struct KnownPagesTests {
  private static let columns = ["s", "n", "f", "t"]

  private func table(_ random: SeededRandom, codec: String) async throws -> Table {
    let environment = Environment.deterministic(seed: random.next())
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: MemoryStore(environment: environment),
      environment: environment)
    var table = try await catalog.createTable(
      "db.t", "k long not null, s string, n long, f double, t list<int>", formatVersion: .v3)
    table = try await table.commit(
      PropertyChange(set: [
        "write.parquet.page-row-limit": "\(random.int(in: 3..<40))",
        "write.parquet.row-group-limit": "\(random.int(in: 60..<400))",
        "write.parquet.compression-codec": codec,
      ])
    ).table
    for file in 0..<2 {
      let rows: [[Value?]] = (0..<random.int(in: 100..<600)).map { row in
        [
          .long(Int64(file * 10_000 + row)),
          random.oneIn(6) ? nil : .string("v\(random.int(in: 0..<(file == 0 ? 9 : 5000)))"),
          random.oneIn(3) ? nil : .long(Int64(random.int(in: 0..<1000))),
          .double(Double(random.int(in: 0..<100)) / 4), nil,
        ]
      }
      try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
      table = try await table.refreshed()
    }
    return table
  }

  @Test(arguments: ["zstd", "snappy", "uncompressed"])
  func `are those of a scan, whatever was read before and however little is kept`(
    codec: String
  ) async throws {
    let random = SeededRandom(printing: "rows of pages that are kept, \(codec)")
    let table = try await table(random, codec: codec)
    let tasks = try await table.scan().plan().tasks
    for limit in [1 << 20, 4000, 0] {
      let files = OpenFiles(byteLimit: 1 << 20, pageByteLimit: limit)
      for _ in 0..<60 {
        let task = tasks[random.int(in: 0..<tasks.count)]
        let count = Int(task.file.recordCount)
        let positions = Set((0..<random.int(in: 1..<12)).map { _ in random.int(in: 0..<count) })
          .sorted().map { Int64($0) }
        let columns = Self.columns.filter { _ in random.oneIn(2) } + ["k"]
        let wanted = [(task: task, positions: RowPositions(ascending: positions))]
        let found = try await table.rows(
          at: wanted, columns: columns, of: .current, files)
        let expected = try await table.rows(at: wanted, columns: columns, of: .current, nil)
        let (a, b) = (
          try CanonicalRows.lines(of: [found]), try CanonicalRows.lines(of: [expected])
        )
        #expect(a == b, "\(positions) of \(task.file.path)")
      }
    }
  }

  @Test func `memory is bounded, and what was used last is there`() {
    let pages = KnownPages(byteLimit: 64_000)
    let file = KnownPages.OfFile(pages, file: 1)
    for page in 0..<1000 {
      file.keep(Buffer([UInt8](repeating: 7, count: 1000)), at: Int64(page))
      // In use all the time.
      #expect(file.page(at: 0, byteCount: 1000) != nil)
      #expect(pages.byteCount <= 64_000)
    }
    #expect(file.page(at: 999, byteCount: 1000) != nil)
    #expect(file.page(at: 500, byteCount: 1000) == nil)
    #expect(KnownPages.OfFile(pages, file: 2).page(at: 999, byteCount: 1000) == nil)
    #expect(file.page(at: 999, byteCount: 999) == nil)
    // One that is too large drives no other out.
    file.keep(Buffer([UInt8](repeating: 7, count: 50_000)), at: 5000)
    #expect(file.page(at: 5000, byteCount: 50_000) == nil)
    #expect(file.page(at: 999, byteCount: 1000) != nil)
  }
}
