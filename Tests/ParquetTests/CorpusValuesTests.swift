// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Foundation
import Testing

@testable import Parquet

/// The files of apache/parquet-testing, read by Lake and at the same time by pyarrow and DuckDB.
@Suite("Parquet corpus beside other engines")
struct CorpusValuesTests {
  private enum Followed {
    case pyarrow
    case duckDB
    /// What the file's own description says, which `Fixtures/parquet/corpus.tsv` has.
    case description
    /// Neither: the error Lake ends in.
    case error(String)
  }

  /// Where the engines differ from each other or only some of them read a file, whose reading counts
  /// and why.
  private static let differences: [String: (Followed, why: String)] = [
    "int96_from_spark.parquet": (
      .description,
      "days beyond 64 bits of nanoseconds wrap around in pyarrow, and are cut off in DuckDB"
    ),
    "byte_stream_split_extended.gzip.parquet": (
      .pyarrow, "DuckDB has BYTE_STREAM_SPLIT for floats only"
    ),
    "non_hadoop_lz4_compressed.parquet": (.pyarrow, "DuckDB has no LZ4 of the older kind"),
    "datapage_v1-corrupt-checksum.parquet": (
      .error("checksumMismatch"), "DuckDB does not look at checksums; pyarrow refuses, too"
    ),
    "rle-dict-uncompressed-corrupt-checksum.parquet": (
      .error("checksumMismatch"), "DuckDB does not look at checksums; pyarrow refuses, too"
    ),
    "large_string_map.brotli.parquet": (
      .error("unsupported"), "Brotli is not among the codecs; pyarrow and DuckDB refuse the 2 GiB"
    ),
  ]

  /// What is left out of the question: 2 GiB of text, which takes other engines a minute.
  private static let unasked: Set = ["large_string_map.brotli.parquet"]

  private static func names() throws -> [String] {
    let corpora = try #require(TestFiles.corpora)
    let folder = corpora.appending(path: "parquet-testing")
    return TestFiles.files(under: folder).filter {
      $0.hasSuffix(".parquet") && !$0.hasPrefix("bad_data/")
    }
  }

  /// Rows and checksum of each column, by engine and file; none where the engine refuses.
  private static func readings(_ names: [String]) throws -> [String: [String: [String]]] {
    let folder = try #require(TestFiles.corpora).appending(path: "parquet-testing").path
    var readings: [String: [String: [String]]] = [:]
    for line in try OtherEngines.lines(["describe", folder] + names) where line[2] != "error" {
      readings[line[0], default: [:]][line[1], default: []].append("\(line[2]) \(line[4])")
    }
    return readings
  }

  private static func described(_ name: String) throws -> [String] {
    let text = try String(contentsOf: TestFiles.fixture("parquet/corpus.tsv"), encoding: .utf8)
    return text.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
      .filter { $0[0] == "parquet-testing/" + name }.map { "\($0[1]) \($0[3])" }
  }

  @Test func `every valid file has the values that pyarrow and DuckDB read`() throws {
    guard TestFiles.corpora != nil else { return print("skipped: the corpora are not there") }
    guard OtherEngines.areThere() else { return }
    let names = try Self.names()
    #expect(names.count >= 50)
    let readings = try Self.readings(names.filter { !Self.unasked.contains($0) })
    for name in names {
      let corpora = try #require(TestFiles.corpora)
      let file = try TestFiles.bytes(corpora.appending(path: "parquet-testing/" + name))
      let (pyarrow, duckDB) = (readings["pyarrow"]?[name], readings["duckdb"]?[name])
      do throws(ParquetError) {
        let found = try WholeFile.description(file).map { line in
          let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
          return "\(parts[0]) \(parts[2])"
        }
        try? Self.check(name, found, pyarrow, duckDB)
      } catch {
        guard case .error(let wanted)? = Self.differences[name]?.0 else {
          Issue.record("\(name): \(error)")
          continue
        }
        #expect(Mirror(reflecting: error).children.first?.label == wanted, "\(name)")
      }
    }
  }

  private static func check(
    _ name: String, _ found: [String], _ pyarrow: [String]?, _ duckDB: [String]?
  ) throws {
    switch differences[name]?.0 {
    case nil:
      #expect(found == pyarrow, "\(name), beside pyarrow")
      #expect(found == duckDB, "\(name), beside DuckDB")
    case .pyarrow:
      #expect(found == pyarrow, "\(name), beside pyarrow")
      #expect(duckDB != found, "\(name): DuckDB reads the same now")
    case .duckDB:
      #expect(found == duckDB, "\(name), beside DuckDB")
      #expect(pyarrow != found, "\(name): pyarrow reads the same now")
    case .description:
      #expect(try found == described(name), "\(name), beside its description")
      #expect(pyarrow != found && duckDB != found, "\(name): another engine reads the same now")
    case .error(let wanted): Issue.record("\(name) was read, expected \(wanted)")
    }
  }

  @Test func `an encrypted file is refused, and of some columns the others are read`() throws {
    let closed = try TestFiles.bytes(TestFiles.fixture("parquet/encrypted-footer.parquet"))
    #expect(throws: ParquetError.encrypted(.footer)) { try WholeFile.batches(closed) }
    let open = try TestFiles.bytes(TestFiles.fixture("parquet/encrypted-column.parquet"))
    #expect(throws: ParquetError.encrypted(.columnChunk(path: "secret", rowGroup: 0))) {
      try WholeFile.batches(open)
    }
    let footer = try ParquetFooter.parse(wholeFile: open)
    let projection = try footer.schema.projection(named: ["plain"])
    let decoder = try RowGroupDecoder(
      footer, plan: try footer.readPlan(rowGroup: 0, projection: projection),
      bytes: FileBytes(wholeFile: open), options: ReadOptions())
    let batch = try #require(try decoder.next())
    #expect((0..<3).map { batch.columns[0].integer($0) } == [1, 2, 3])
  }
}
