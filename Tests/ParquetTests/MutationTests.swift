// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers
import Testing

@testable import Parquet

/// Damaged files: whatever the bytes are, there are rows or an error. A trap ends the test run.
@Suite("Damaged files")
struct MutationTests {
  /// Reads all there is to read, checksums ignored so that damage gets past them.
  static func readAll(_ file: Buffer) {
    let start = processorTime()
    defer { #expect(processorTime() - start < 1, "a damaged file held the reader up") }
    var options = ReadOptions()
    options.checksums = .ignored
    options.limits.blockByteCount = 16 << 20
    options.limits.documentByteCount = 1 << 20
    _ = try? WholeFile.batches(file, limit: 1000, options: options)
    guard let footer = try? ParquetFooter.parse(wholeFile: file, limits: options.limits) else {
      return
    }
    let bytes = FileBytes(wholeFile: file)
    for group in 0..<min(footer.rowGroupCount, 3) {
      var indexes: [Int: PageIndex] = [:]
      for leaf in 0..<footer.schema.leafCount {
        _ = footer.statistics(rowGroup: group, leaf: leaf)
        let filter = footer.bloomFilter(rowGroup: group, leaf: leaf, bytes: bytes)
        _ = filter?.mayContain(.integer(5))
        _ = filter?.mayContain(.bytes([1, 2]))
        indexes[leaf] = footer.pageIndex(rowGroup: group, leaf: leaf, bytes: bytes)
      }
      readSelected(footer, group, indexes, bytes, options)
    }
  }

  /// Every third row, by way of the page indexes.
  private static func readSelected(
    _ footer: ParquetFooter, _ group: Int, _ indexes: [Int: PageIndex], _ bytes: FileBytes,
    _ options: ReadOptions
  ) {
    guard let rows = Int(exactly: footer.rowCount(ofRowGroup: group)), rows < 100_000 else {
      return
    }
    let wanted = RowSelection(
      ranges: stride(from: 0, to: rows, by: 3).map { $0..<$0 + 1 }, rowCount: rows)
    for leaf in footer.schema.fields.indices {
      let plan = try? footer.readPlan(
        rowGroup: group, projection: footer.schema.projection([leaf]), selection: wanted,
        pageIndexes: indexes)
      guard let plan else { continue }
      _ = try? RowGroupDecoder(footer, plan: plan, bytes: bytes, options: options).read(wanted)
    }
  }

  private static func written(_ random: inout Seeded, depth: Int) throws -> Buffer {
    let version = random.pick([DataPageVersion.v1, .v2])
    let file = try RandomFile(random, rows: 60 + random.below(100), version: version, depth: depth)
    _ = random.next()
    return file.bytes
  }

  @Test(arguments: [0, 1, 2]) func `no flipped bits trap`(depth: Int) throws {
    var random = Seeded(UInt64(depth) + 60)
    for _ in 0..<12 {
      let file = try Self.written(&random, depth: depth).array()
      for _ in 0..<40 {
        var copy = file
        for _ in 0..<1 + random.below(4) {
          let place = random.below(copy.count)
          copy[place] =
            random.chance(50) ? UInt8(random.below(256)) : copy[place] ^ 1 << UInt8(random.below(8))
        }
        Self.readAll(Buffer(copy))
      }
    }
  }

  @Test func `no bytes left out or put in trap`() throws {
    var random = Seeded(70)
    for round in 0..<12 {
      let file = try Self.written(&random, depth: round % 3).array()
      for _ in 0..<30 {
        var copy = file
        let start = random.below(copy.count)
        let end = min(copy.count, start + random.below(20))
        let fresh = (0..<random.below(20)).map { _ in UInt8(random.below(256)) }
        copy.replaceSubrange(start..<end, with: random.chance(50) ? [] : fresh)
        Self.readAll(Buffer(copy))
      }
    }
  }

  @Test func `no cut of a written file traps`() throws {
    var random = Seeded(80)
    for depth in 0..<3 {
      let file = try Self.written(&random, depth: depth)
      for count in stride(from: 0, to: file.count, by: 31) {
        Self.readAll(file.slice(0..<count))
        Self.readAll(file.slice(count..<file.count))
      }
    }
  }

  /// Footers that parse and say other things than are true: these come further than noise does.
  @Test func `no false number in a footer traps`() throws {
    var random = Seeded(90)
    for round in 0..<12 {
      let file = try Self.written(&random, depth: round % 3)
      let footer = try ParquetFooter.parse(wholeFile: file)
      let body = file.slice(0..<Int(footer.offset))
      for _ in 0..<40 {
        var metadata = footer.metadata
        metadata.createdBy = "another program"
        FalseFooter.change(&metadata, &random)
        Self.readAll(FalseFooter.file(body, metadata))
      }
    }
  }
}

/// Footers with a number or two changed.
private enum FalseFooter {
  static func file(_ body: Buffer, _ metadata: FileMetaData) -> Buffer {
    var thrift = ThriftWriter()
    metadata.encode(into: &thrift)
    let footer = thrift.finish()
    var writer = ByteWriter()
    writer.write(body)
    writer.write(footer)
    writer.writeLE(UInt32(footer.count))
    writer.write(utf8: "PAR1")
    return writer.finish()
  }

  private static func number(_ old: Int64, _ random: inout Seeded) -> Int64 {
    switch random.below(6) {
    case 0: old &+ Int64(random.below(5)) - 2
    case 1: 0
    case 2: -1
    case 3: old &* 2
    case 4: Int64.max &- Int64(random.below(2))
    default: Int64(random.below(1 << 40))
    }
  }

  private static func narrow(_ old: Int32, _ random: inout Seeded) -> Int32 {
    Int32(truncatingIfNeeded: number(Int64(old), &random))
  }

  static func change(_ metadata: inout FileMetaData, _ random: inout Seeded) {
    for _ in 0..<1 + random.below(2) {
      let group = random.below(metadata.rowGroups.count)
      switch random.below(4) {
      case 0: changeSchema(&metadata.schema[random.below(metadata.schema.count)], &random)
      case 1:
        // Both, so that they still agree with each other.
        let rows = number(metadata.rowGroups[group].rowCount, &random)
        metadata.rowCount = metadata.rowCount &- metadata.rowGroups[group].rowCount &+ rows
        metadata.rowGroups[group].rowCount = rows
      default:
        let column = random.below(metadata.rowGroups[group].columns.count)
        changeChunk(&metadata.rowGroups[group].columns[column], &random)
      }
    }
  }

  private static func changeSchema(_ node: inout SchemaElement, _ random: inout Seeded) {
    switch random.below(7) {
    case 0: node.type = PhysicalType(rawValue: Int32(random.below(8)))
    case 1: node.typeLength = narrow(node.typeLength ?? 0, &random)
    case 2: node.repetition = Repetition(rawValue: Int32(random.below(3)))
    case 3: node.childCount = narrow(node.childCount ?? 0, &random)
    case 4:
      node.convertedType = ConvertedType(rawValue: Int32(random.below(23)))
      node.logicalType = nil
    case 5:
      node.logicalType = random.pick([
        .list, .map, .uuid, .float16, .unknown, .decimal(scale: 2, precision: 38),
        .decimal(scale: 0, precision: 5), .string, .timestamp(isAdjustedToUTC: true, .millis),
        .integer(bitWidth: 64, isSigned: false), .time(isAdjustedToUTC: true, .millis),
      ])
    default:
      node.precision = narrow(node.precision ?? 0, &random)
      node.scale = narrow(node.scale ?? 0, &random)
    }
  }

  private static func changeChunk(_ chunk: inout ColumnChunk, _ random: inout Seeded) {
    guard var metadata = chunk.metaData else { return }
    switch random.below(10) {
    case 0: metadata.valueCount = number(metadata.valueCount, &random)
    case 1: metadata.totalCompressedSize = number(metadata.totalCompressedSize, &random)
    case 2: metadata.totalUncompressedSize = number(metadata.totalUncompressedSize, &random)
    case 3: metadata.dataPageOffset = number(metadata.dataPageOffset, &random)
    case 4: metadata.dictionaryPageOffset = number(metadata.dataPageOffset, &random)
    case 5: metadata.codec = CompressionCodec(rawValue: Int32(random.below(9)))
    case 6: metadata.type = PhysicalType(rawValue: Int32(random.below(8))) ?? .int32
    case 7: metadata.bloomFilterOffset = number(metadata.dataPageOffset, &random)
    case 8: chunk.offsetIndexOffset = number(chunk.offsetIndexOffset ?? 0, &random)
    default: chunk.columnIndexLength = narrow(chunk.columnIndexLength ?? 0, &random)
    }
    chunk.metaData = metadata
  }
}
