// SPDX-License-Identifier: Apache-2.0
import Arrow
import Bytes
import Columnar
import Foundation
import LakeTestSupport
import Testing

@Suite("Arrow files that pyarrow wrote")
struct FixtureTests {
  private func expectRows(_ name: String, _ rows: String) throws {
    let (_, batches) = try ArrowFiles.read(try ArrowFiles.fixture(name), named: name)
    let found = try CanonicalRows.lines(of: batches)
    let expected = try CanonicalRows.lines(in: ArrowFiles.fixtures.appending(path: rows))
    #expect(found == expected, "\(name): \(CanonicalRows.difference(found, expected))")
  }

  @Test(arguments: ["all.arrows", "all_lz4.arrow", "all_zstd.arrow"])
  func `values of every type are read`(_ name: String) throws {
    try expectRows(name, "all.rows")
  }

  @Test func `a dictionary grows by deltas`() throws {
    try expectRows("delta.arrows", "delta.rows")
  }

  @Test func `a dictionary is replaced by another`() throws {
    try expectRows("replaced.arrows", "replaced.rows")
  }

  @Test(arguments: ["duration", "interval", "union"])
  func `a type that no table has is refused by name`(_ type: String) throws {
    let bytes = try ArrowFiles.fixture("unsupported_\(type).arrows")
    #expect(throws: ArrowError.unsupported(field: "x.y", type: type)) {
      try ArrowStreamReader.read(bytes)
    }
  }

  @Test func `random tables with all that pyarrow writes are read as it reads them`() throws {
    let seed = SeededRandom(printing: "pyarrow's tables").next() % 1_000_000
    try ArrowFiles.withFolder { folder in
      guard try ArrowFiles.ask("pyiceberg", ["make", folder.path, String(seed), "150"]) else {
        return #expect(!SiblingFolder.isContinuousIntegration)
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        .filter { !$0.hasSuffix(".rows") }
      #expect(names.count == 150)
      for name in names {
        let path = folder.appending(path: name)
        let (_, batches) = try ArrowFiles.read(try ArrowFiles.bytes(path), named: name)
        let found = try CanonicalRows.lines(of: batches)
        let expected = try CanonicalRows.lines(in: path.appendingPathExtension("rows"))
        #expect(
          found == expected, "\(name) of \(seed): \(CanonicalRows.difference(found, expected))")
      }
    }
  }

  @Test func `pyarrow and polars read what is written, and pyarrow finds it valid`() throws {
    let random = SeededRandom(printing: "arrow for others")
    let make = RandomBatches(random: random)
    try ArrowFiles.withFolder { folder in
      var expected: [String: ([String], columns: Int)] = [:]
      for index in 0..<40 {
        let fields = make.fields(random.int(in: 1..<6), depth: random.int(in: 0..<4))
        let batches = (0..<random.int(in: 1..<3)).map { _ in
          make.batch(fields, rows: random.pick([0, 1, 7, 64, 200]))
        }
        var options = ArrowWriterOptions()
        options.compression = random.pick(RoundTripTests.compressions)
        let isStream = random.oneIn(2)
        let name = "t\(index).arrow" + (isStream ? "s" : "")
        let bytes =
          isStream
          ? try ArrowStreamWriter(fields: fields, options: options).stream(batches)
          : try ArrowFiles.file(fields, batches, options)
        try Data(bytes.array()).write(to: folder.appending(path: name))
        expected[name] = (try CanonicalRows.lines(of: batches), fields.count)
      }
      guard try ArrowFiles.ask("polars", ["rows", folder.path]) else {
        return #expect(!SiblingFolder.isContinuousIntegration)
      }
      for (name, (rows, columns)) in expected {
        let found = try CanonicalRows.lines(in: folder.appending(path: name + ".pyarrow"))
        #expect(found == rows, "\(name): \(CanonicalRows.difference(found, rows))")
        let polars = try String(
          contentsOf: folder.appending(path: name + ".polars"), encoding: .utf8)
        #expect(polars == "\(rows.count) \(columns)\n")
      }
    }
  }
}
