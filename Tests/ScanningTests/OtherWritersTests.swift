// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

@testable import Scanning

/// Files of another writer, with its statistics and indexes: pruned and unpruned they are the same.
@Suite("Pruned reads of PyArrow's files")
struct OtherWritersTests {
  /// Writes files of random rows, sorted by `k` and not, in the ways PyArrow has.
  private static let script = """
    import sys, math, random, decimal, datetime
    import pyarrow as pa, pyarrow.parquet as pq
    folder, seed = sys.argv[1], int(sys.argv[2])
    r = random.Random(seed)
    def some(f): return None if r.random() < 0.15 else f()
    n = 4000
    ks = [r.randrange(-500, 500) for _ in range(n)]
    for is_sorted in (False, True):
        k = sorted(ks) if is_sorted else ks
        t = pa.table({
            'k': pa.array(k, pa.int64()),
            'd': pa.array([some(lambda: r.choice([0.0, -0.0, math.nan, math.inf, -math.inf, r.uniform(-9, 9)])) for _ in k], pa.float64()),
            's': pa.array([some(lambda: r.choice(['a', 'ab', 'b', 'é', 'z' * 70, '']) + str(r.randrange(30))) for _ in k], pa.string()),
            'n': pa.array([some(lambda: decimal.Decimal(r.randrange(-9999, 9999)).scaleb(-2)) for _ in k], pa.decimal128(9, 2)),
            't': pa.array([some(lambda: datetime.date(2020, 1, 1) + datetime.timedelta(days=x // 10)) for x in k], pa.date32()),
            'b': pa.array([some(lambda: r.random() < 0.5) for _ in k], pa.bool_()),
            'l': pa.array([some(lambda: [r.randrange(5) for _ in range(r.randrange(4))]) for _ in k], pa.list_(pa.int32())),
        })
        for index in (False, True):
            for version, dictionary in (('1.0', True), ('2.0', False)):
                pq.write_table(t, f'{folder}/{int(is_sorted)}{int(index)}{version[0]}.parquet',
                    row_group_size=1500, data_page_size=400, write_batch_size=50, write_page_index=index,
                    data_page_version=version, use_dictionary=dictionary, compression='zstd')
    """

  @Test func `what pages and statistics rule out never shows`() async throws {
    // Its environment has PyArrow.
    guard let python = Oracles.python(of: "polars") else {
      print("skipped, as PyArrow is not installed: pruned reads of its files")
      #expect(!SiblingFolder.isContinuousIntegration)
      return
    }
    let random = SeededRandom(printing: "PyArrow's files")
    let folder = FileManager.default.temporaryDirectory.appending(path: "lake-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Oracles.run(python, ["-c", Self.script, folder.path, "\(random.next() >> 33)"])
    var sorted = ScanCounts()
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
      let path = try ObjectPath("file://" + folder.appending(path: name).path)
      let file = try await ParquetFile.open(path, in: LocalStore())
      let scan = try ParquetScan(file)
      let (all, _) = try await scan.lines()
      let rows = try await scan.readAll()
      // What lies in lists can't be asked about.
      let asked = try Schema(fields: scan.schema.fields.filter { $0.name != "l" })
      for _ in 0..<5 {
        let predicate = Generators.predicate(random, on: asked)
        let bound = try predicate.bound(to: scan.schema)
        // The same answer without anything that rules rows out: all rows, asked afterwards.
        var expected: [String] = []
        for batch in rows {
          let ids = batch.fields.map { field in
            scan.schema.fields.first { $0.name == field.name }?.id.rawValue
          }
          let fields = zip(batch.fields, ids).map { field, id in
            var field = field
            field.fieldID = id
            return field
          }
          let named = RecordBatch(fields: fields, columns: batch.columns, rowCount: batch.rowCount)
          expected += named.filter(by: RowFilter(bound).matching(named)).jsonLines
        }
        let (found, _) = try await scan.filter(predicate).tuned(.random(random)).lines()
        #expect(found == expected, "\(name), where \(predicate)")
      }
      #expect(all.count == 4000)
      let (_, counts) = try await scan.filter("k >= 100 AND k < 120").tuned(.eager).lines()
      if name.hasPrefix("11") { sorted += counts }
    }
    // What chance asks for may rule nothing out; what is asked of the sorted files does.
    #expect(sorted.pagesRead * 5 < sorted.pages, "\(sorted)")
    #expect(sorted.bytesRead * 3 < sorted.bytes, "\(sorted)")
  }
}
