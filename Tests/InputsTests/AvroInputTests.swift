// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import Columnar
import Foundation
import LakeTestSupport
import Storage
import Testing

@testable import Inputs

/// Bytes handed out in pieces.
struct Pieces: ByteSource {
  let name = "pieces"
  private var rest: Buffer
  private let size: Int

  init(_ bytes: Buffer, of size: Int) {
    rest = bytes
    self.size = size
  }

  mutating func read() async throws(InputError) -> Buffer? {
    if rest.isEmpty { return nil }
    let count = min(size, rest.count)
    defer { rest = rest.slice(count..<rest.count) }
    return rest.slice(0..<count)
  }
}

/// All batches of a source.
func batches(
  _ source: any ByteSource, _ format: InputFormat, batchRowCount: Int = 65_536
) async throws(InputError) -> (fields: [ColumnField], batches: [RecordBatch]) {
  var options = InputOptions()
  options.batchRowCount = batchRowCount
  let reader = try await InputReader.open(source, format: format, options: options)
  var batches: [RecordBatch] = []
  while let batch = try await reader.next() { batches.append(batch) }
  return (reader.fields, batches)
}

@Suite("Avro files as input")
struct AvroInputTests {
  private let folder = SiblingFolder.checkout.appending(path: "Fixtures/avro")

  private func bytes(_ name: String) throws -> Buffer {
    Buffer([UInt8](try Data(contentsOf: folder.appending(path: name))))
  }

  @Test(arguments: [1, 7, 1000, 1 << 20])
  func `values of logical types are those that another reader sees`(_ size: Int) async throws {
    let source = Pieces(try bytes("logical.avro"), of: size)
    let (fields, found) = try await batches(source, .avro, batchRowCount: 17)
    #expect(found.map(\.rowCount) == [17, 17, 17, 9])
    #expect(fields[0] == ColumnField("id", .int64, isNullable: false))
    let types = Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.type) })
    #expect(types["d_bytes"] == .decimal(precision: 30, scale: 3))
    #expect(types["u"] == .uuid && types["suit"] == .string && types["wide"] == .int64)
    #expect(types["ts_ms"] == .timestamp(.microseconds, zoned: true))
    #expect(types["local_us"] == .timestamp(.microseconds, zoned: false))
    let rows = try CanonicalRows.lines(of: found)
    let expected = try CanonicalRows.lines(in: folder.appending(path: "logical.rows"))
    #expect(rows == expected, "\(CanonicalRows.difference(rows, expected))")
  }

  @Test func `a union of several types is refused by the column's name`() async throws {
    let file = try bytes("all_types_deflate.avro")
    await #expect {
      _ = try await batches(Pieces(file, of: 1 << 20), .avro)
    } throws: { error in
      guard case InputError.columnType(_, "either", _, "union of null, int, string, fixed") = error
      else { return false }
      return true
    }
  }

  @Test func `a file without records has columns and no rows`() async throws {
    let schema = AvroSchema.record("r", [AvroField("a", .long)])
    let writer = try AvroFileWriter(schema: schema, syncMarker: AvroSyncMarker(seed: 1))
    let file = try writer.finish()
    let (fields, found) = try await batches(Pieces(file, of: 5), .avro)
    #expect(fields.map(\.name) == ["a"] && found.isEmpty)
  }

  @Test func `a file that is cut throws and names the row`() async throws {
    let file = try bytes("logical.avro")
    var rows: Set<Int> = []
    for count in stride(from: 0, to: file.count, by: 29) {
      do {
        let (_, found) = try await batches(Pieces(file.slice(0..<count), of: 512), .avro)
        // A file may end where a block does.
        #expect(found.reduce(0) { $0 + $1.rowCount } < 60)
      } catch {
        switch error {
        case .avro(.truncated, "pieces", let row): rows.insert(row)
        // Within the header, a count of entries may be more than is left.
        case .avro(.malformed, "pieces", row: 1) where count < 20: break
        default: Issue.record("\(count) bytes: \(error)")
        }
      }
    }
    #expect(rows.count > 2 && rows.allSatisfy { (1...60).contains($0) }, "\(rows)")
  }

  @Test func `changed bytes throw or are read, and never trap`() async throws {
    let random = SeededRandom(printing: "avro input")
    let file = try bytes("logical.avro").array()
    for _ in 0..<500 {
      var bytes = file
      for _ in 0..<random.int(in: 1..<3) {
        bytes[random.int(in: 0..<bytes.count)] = UInt8(truncatingIfNeeded: random.next())
      }
      guard
        let (_, found) = try? await batches(Pieces(Buffer(bytes), of: 4096), .avro)
      else { continue }
      _ = try CanonicalRows.lines(of: found)
    }
  }

  @Test func `few bytes that stand for much memory are refused`() async throws {
    let wide = AvroSchema(.fixed(AvroFixed(name: "w", byteCount: 1 << 20)))
    let schema = AvroSchema.record("r", [AvroField("a", .array(.optional(wide)))])
    var writer = try AvroFileWriter(schema: schema, syncMarker: AvroSyncMarker(seed: 1))
    let nulls = [AvroValue](repeating: .union(index: 0, .null), count: 5000)
    try writer.encoder.write(.record([AvroValue.Entry("a", .array(nulls))]), as: schema)
    try writer.endRecord()
    let file = try writer.finish()
    await #expect {
      _ = try await batches(Pieces(file, of: 1 << 20), .avro)
    } throws: { error in
      guard case InputError.avro(.limitExceeded, "pieces", row: 1) = error else { return false }
      return true
    }
  }
}
