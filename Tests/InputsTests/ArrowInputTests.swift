// SPDX-License-Identifier: Apache-2.0
import Arrow
import Bytes
import Columnar
import Foundation
import LakeTestSupport
import Storage
import Testing

@testable import Inputs

@Suite("Arrow streams and files as input")
struct ArrowInputTests {
  private let folder = SiblingFolder.checkout.appending(path: "Fixtures/arrow")

  private func bytes(_ name: String) throws -> Buffer {
    Buffer([UInt8](try Data(contentsOf: folder.appending(path: name))))
  }

  private func expectAll(_ found: [RecordBatch], _ what: String) throws {
    let rows = try CanonicalRows.lines(of: found)
    let expected = try CanonicalRows.lines(in: folder.appending(path: "all.rows"))
    #expect(rows == expected, "\(what): \(CanonicalRows.difference(rows, expected))")
  }

  @Test(arguments: [1, 100, 1 << 20])
  func `a pipe may have a stream, or a file`(_ size: Int) async throws {
    for name in ["all.arrows", "all_lz4.arrow", "all_zstd.arrow"] {
      let source = Pieces(try bytes(name), of: size)
      let (_, found) = try await batches(source, .arrow, batchRowCount: 3)
      #expect(found.map(\.rowCount) == [3, 2, 3, 2, 2])
      try expectAll(found, name)
    }
  }

  @Test func `a file of a store is read by its footer, whatever its ending`() async throws {
    let store = MemoryStore()
    for (name, ending) in [
      ("all.arrows", ".arrows"), ("all.arrows", ".arrow"), ("all_zstd.arrow", ".feather"),
      ("all_lz4.arrow", ".ipc"),
    ] {
      let path = try ObjectPath("/in/data" + ending)
      _ = try await store.put(try bytes(name), to: path, if: .none)
      let reader = try await InputReader.open(path, in: store)
      #expect(reader.fields.allSatisfy { $0.fieldID == nil })
      var found: [RecordBatch] = []
      while let batch = try await reader.next() { found.append(batch) }
      try expectAll(found, ending)
    }
  }

  @Test func `an error names the file and the row where the batch begins`() async throws {
    let stream = try bytes("all.arrows")
    await #expect {
      _ = try await batches(Pieces(stream.slice(0..<stream.count - 100), of: 1 << 20), .arrow)
    } throws: { error in
      guard case InputError.arrow(.truncated, "pieces", row: 11) = error else { return false }
      return true
    }
  }

  @Test func `what is no Arrow throws`() async throws {
    for text in ["", "x", "id,name\n1,a\n", "ARROW1\0\0"] {
      await #expect(throws: InputError.self, "\(text)") {
        _ = try await batches(Pieces(Buffer(utf8: text), of: 10), .arrow)
      }
    }
  }
}
