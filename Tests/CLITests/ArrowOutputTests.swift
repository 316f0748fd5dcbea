// SPDX-License-Identifier: Apache-2.0
import Foundation
import LakeTestSupport
import Testing

@Suite("Rows as Arrow and Parquet")
struct ArrowOutputTests {
  /// Reads standard input as what the argument says and prints the rows as lines of JSON.
  private static let reader = """
    import sys, json, io, pyarrow.ipc as ipc, pyarrow.parquet as pq
    data = io.BytesIO(sys.stdin.buffer.read())
    table = ipc.open_stream(data).read_all() if sys.argv[1] == "arrow" else pq.read_table(data)
    table.validate(full=True)
    for row in table.to_pylist():
        print(json.dumps({k: str(v) for k, v in row.items()}, sort_keys=True))
    """

  @Test func `pyarrow reads what lake scan prints as Arrow and as Parquet`() async throws {
    guard let python = Oracles.python(of: "pyiceberg") else {
      print("skipped: pyarrow is not installed")
      return #expect(!SiblingFolder.isContinuousIntegration)
    }
    let place = try Workplace()
    try await place.makeOrders()
    let script = try place.write("read.py", Self.reader)
    for format in ["arrow", "parquet"] {
      let command = "lake scan shop.orders --select id,part --format \(format)"
      let found = try await place.shell("\(command) | \(python.path) \(script) \(format)")
      #expect(found.status == 0, "\(found)")
      let lines = try await place.lake("scan", "shop.orders", "--select", "id,part")
      let expected = lines.rows.map { row in
        row.mapValues { $0 is NSNull ? "None" : "\($0)" }
      }
      #expect(found.rows.compactMap { $0 as? [String: String] } == expected, "\(found)")
      #expect(expected.count == 4)
    }
  }

  @Test func `what is printed as Arrow is appended again`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    for format in ["arrow", "parquet"] {
      let file = place.folder.appending(path: "rows.\(format)").path
      let printed = try await place.shell(
        "lake scan shop.orders --format \(format) > '\(file)' && "
          + "lake append --create shop.\(format) '\(file)'")
      #expect(printed.status == 0, "\(printed)")
      let copy = try await place.lake("scan", "shop.\(format)")
      let original = try await place.lake("scan", "shop.orders")
      #expect(copy.lines.sorted() == original.lines.sorted())
    }
  }

  @Test func `metadata and results are printed as Arrow too`() async throws {
    guard let python = Oracles.python(of: "pyiceberg") else {
      print("skipped: pyarrow is not installed")
      return #expect(!SiblingFolder.isContinuousIntegration)
    }
    let place = try Workplace()
    try await place.makeOrders()
    let script = try place.write("read.py", Self.reader)
    for (command, count) in FormatTests.commands where command[0] != "parquet" {
      let line = "lake " + command.joined(separator: " ") + " --format arrow"
      let found = try await place.shell("\(line) | \(python.path) \(script) arrow")
      #expect(found.status == 0, "\(line): \(found)")
      #expect(found.lines.count == count, "\(line): \(found)")
    }
  }
}
