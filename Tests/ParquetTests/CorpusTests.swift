// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import Testing

@testable import Parquet

/// Files of many writers, and files that fuzzers found, beside the checkout.
///
/// `Fixtures/parquet/corpus.tsv` says what pyarrow reads of each valid one (for INT96 days that are
/// off its range: what the file's own description says); `corpus-errors.tsv` which error each
/// other one ends in.
@Suite("Parquet corpora")
struct CorpusTests {
  /// What is no Parquet file, by the end of its name.
  private static let others = [".md", ".csv", ".json"]

  /// The lines of a table, by the file they are about.
  private static func table(_ name: String) throws -> [String: [String]] {
    var lines: [String: [String]] = [:]
    let text = try String(contentsOf: TestFiles.fixture("parquet/" + name), encoding: .utf8)
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "\t", maxSplits: 1).map(String.init)
      lines[parts[0], default: []].append(parts[1])
    }
    return lines
  }

  private static func files() -> [String] {
    guard let corpora = TestFiles.corpora else {
      print("skipped: the corpora are not there")
      if ProcessInfo.processInfo.environment["LAKE_CI"] == "1" {
        Issue.record("the corpora are not beside the checkout")
      }
      return []
    }
    return TestFiles.files(under: corpora).filter { name in
      guard name.hasPrefix("parquet-testing/") || name.hasPrefix("arrow-testing/") else {
        return false
      }
      return !others.contains { name.hasSuffix($0) }
    }
  }

  private static func read(_ name: String) throws -> Buffer {
    let corpora = try #require(TestFiles.corpora)
    return try TestFiles.bytes(corpora.appending(path: name))
  }

  private static func caseName(_ error: ParquetError) -> String {
    Mirror(reflecting: error).children.first?.label ?? "\(error)"
  }

  @Test func `every file reads as another engine does or ends in its typed error`() throws {
    let valid = try Self.table("corpus.tsv")
    let bad = try Self.table("corpus-errors.tsv")
    for name in Self.files() {
      let file = try Self.read(name)
      let start = processorTime()
      _ = try? WholeFile.batches(file)
      let time = processorTime() - start
      #expect(time < 1, "\(name) took \(time) s")
      do throws(ParquetError) {
        let lines = try WholeFile.description(file)
        #expect(lines == valid[name], "\(name)")
      } catch {
        #expect([Self.caseName(error)] == bad[name], "\(name): \(error)")
      }
    }
  }

  /// In a process of its own that may not have more: it would end at the allocation that fails.
  /// Not under sanitizers, which map much more for themselves.
  @Test func `no file of the corpora takes 256 MB of memory`() throws {
    let environment = ProcessInfo.processInfo.environment
    guard TestFiles.corpora != nil, environment["LAKE_SANITIZER"] == nil else { return }
    let child = Process()
    child.executableURL = URL(filePath: "/bin/bash")
    child.arguments = [
      "-c", #"ulimit -d 262144 && exec "$0" "$@""#, CommandLine.arguments[0], "--testing-library",
      "swift-testing", "--filter", "every file reads as another engine does",
    ]
    child.standardOutput = FileHandle.nullDevice
    child.standardError = FileHandle.nullDevice
    try child.run()
    child.waitUntilExit()
    #expect(child.terminationReason == .exit && child.terminationStatus == 0)
  }

  /// So that batches that begin and end anywhere in pages and runs are seen, too.
  @Test(arguments: [1, 7, 100])
  func `the size of batches changes nothing`(limit: Int) throws {
    let valid = try Self.table("corpus.tsv")
    for name in Self.files() where valid[name] != nil {
      let file = try Self.read(name)
      let rows = try? ParquetFooter.parse(wholeFile: file).rowCount
      guard let rows, rows < 3000, let expected = valid[name] else { continue }
      let lines = try? WholeFile.description(file, limit: limit)
      if lines == nil { continue }  // a damaged one, which the test above looks at
      #expect(lines == expected, "\(name) by \(limit) rows")
    }
  }

  @Test func `damaged pages are read where checksums are ignored`() throws {
    var options = ReadOptions()
    options.checksums = .ignored
    let valid = try Self.table("corpus.tsv")
    for name in Self.files() where name.contains("corrupt-checksum") {
      let lines = try WholeFile.description(try Self.read(name), options: options)
      #expect(lines == valid[name], "\(name)")
    }
  }

  @Test func `no cut of a file traps`() throws {
    let valid = try Self.table("corpus.tsv")
    for name in Self.files() where valid[name] != nil {
      let file = try Self.read(name)
      guard file.count < 20_000 else { continue }
      for count in stride(from: 0, to: file.count, by: max(1, file.count / 40)) {
        _ = try? WholeFile.description(file.slice(0..<count))
        _ = try? WholeFile.description(file.slice(count..<file.count))
      }
    }
  }
}
