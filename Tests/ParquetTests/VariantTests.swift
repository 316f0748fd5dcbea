// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Foundation
import SeededNumbers
import Testing

@testable import Parquet

@Suite("Variants")
struct VariantTests {
  /// DuckDB shreds what it writes, puts it together again by itself, and says what is in it.
  @Test func `what DuckDB shredded and Lake wrote whole, DuckDB reads as it was`() throws {
    guard OtherEngines.areThere() else { return }
    var random = Seeded(UInt64.random(in: 0..<1 << 40))
    try OtherEngines.withFolder { folder in
      let made = try OtherEngines.lines(["variants", folder.path, "\(random.next() % (1 << 40))"])
      let count = try #require(made.last.flatMap { Int($0[1]) })
      for number in 0..<count {
        let bytes = try TestFiles.bytes(folder.appending(path: "\(number).parquet"))
        let schema = try ParquetFooter.parse(wholeFile: bytes).schema
        #expect(
          schema.fields[0].type
            == .structure([
              .init("metadata", .binary, isNullable: false),
              .init("value", .binary, isNullable: false),
            ]), "\(number)")
        var options = WriterOptions()
        options.annotations["v"] = .variant
        let batches = try WholeFile.batches(bytes, limit: random.pick([3, 1000]))
        let written = try Written.file(batches, options).bytes
        let place = folder.appending(path: "\(number).written.parquet")
        try Data(written.array()).write(to: place)
      }
      let lines = try OtherEngines.lines(["compare-variants", folder.path])
      for line in lines.dropLast() { Issue.record("\(line.joined(separator: " "))") }
      #expect(lines.last?[1] == "\(count)")
    }
  }

  @Test func `variants are printed as the JSON that DuckDB says`() throws {
    guard OtherEngines.areThere() else { return }
    var random = Seeded(UInt64.random(in: 0..<1 << 40))
    try OtherEngines.withFolder { folder in
      let made = try OtherEngines.lines(["variants", folder.path, "\(random.next() % (1 << 40))"])
      let count = try #require(made.last.flatMap { Int($0[1]) })
      for number in 0..<count {
        let bytes = try TestFiles.bytes(folder.appending(path: "\(number).parquet"))
        var text = MutableBuffer()
        for batch in try WholeFile.batches(bytes, limit: random.pick([3, 1000])) {
          #expect(batch.fields[0].isVariant)
          batch.appendLines(.json, to: &text)
        }
        try Data(text.bytes.array()).write(to: folder.appending(path: "\(number).jsonl"))
      }
      let lines = try OtherEngines.lines(["compare-json", folder.path])
      for line in lines.dropLast() { Issue.record("\(line.joined(separator: " "))") }
      #expect(lines.last?[1] == "\(count)")
    }
  }

  /// A file of one column `v` of metadata, value and a typed value, annotated as a variant.
  private func file(
    _ typed: ColumnType, _ rows: [(value: [UInt8]?, typed: (ColumnBuilder) -> Void)],
    metadata: [UInt8]
  ) throws -> Buffer {
    let field = ColumnField(
      "v",
      .structure([
        .init("metadata", .binary, isNullable: false), .init("value", .binary),
        .init("typed_value", typed),
      ]), isNullable: false)
    let builder = ColumnBuilder(field.type)
    for row in rows {
      builder.children[0].append(Buffer(metadata).bytes)
      if let value = row.value {
        builder.children[1].append(Buffer(value).bytes)
      } else {
        builder.children[1].appendNull()
      }
      row.typed(builder.children[2])
      builder.endStructure()
    }
    let written = try Written.file([Written.batch(field, builder.finish())]).bytes
    return try Redeclared.file(written) { $0[1].logicalType = .variant(version: 1) }
  }

  private func values(_ file: Buffer) throws -> [[UInt8]] {
    try WholeFile.batches(file).flatMap { batch in
      (0..<batch.rowCount).map { batch.columns[0].children[1].bytes($0).array() }
    }
  }

  @Test func `measurements are put together as the specification shows`() throws {
    let text = [UInt8(3 << 2 | 1)] + [UInt8]("n/a".utf8)
    let bytes = try file(
      .int64,
      [
        (nil, { $0.append(Int64(34)) }), ([0], { $0.appendNull() }), (text, { $0.appendNull() }),
        (nil, { $0.append(Int64(100)) }), (nil, { $0.appendNull() }),
      ], metadata: [1, 0])
    let long: (UInt8) -> [UInt8] = { [6 << 2, $0, 0, 0, 0, 0, 0, 0, 0] }
    // The last one is missing where it has to be there: a null.
    #expect(try values(bytes) == [long(34), [0], text, long(100), [0]])
  }

  @Test func `objects are put together of columns and the rest`() throws {
    // Names b, a; the shredded field is b, and a is left in the value.
    let metadata: [UInt8] = [1, 2, 0, 1, 2] + [UInt8]("ba".utf8)
    let part = ColumnType.structure([.init("value", .binary), .init("typed_value", .string)])
    let typed = ColumnType.structure([.init("b", part, isNullable: false)])
    let rest: [UInt8] = [2, 1, 1, 0, 2, 3 << 2, 7]
    func object(_ value: String?) -> (ColumnBuilder) -> Void {
      return { builder in
        let field = builder.children[0]
        field.children[0].appendNull()
        if let value { field.children[1].append(value) } else { field.children[1].appendNull() }
        field.endStructure()
        builder.endStructure()
      }
    }
    let bytes = try file(
      typed, [(rest, object("x")), (nil, object("y")), (rest, object(nil)), (nil, object(nil))],
      metadata: metadata)
    #expect(
      try values(bytes) == [
        // Sorted by name: a, which is number 1, and then b, which is 0.
        [2, 2, 1, 0, 0, 2, 4, 3 << 2, 7, 1 << 2 | 1, UInt8(ascii: "x")],
        [2, 1, 0, 0, 2, 1 << 2 | 1, UInt8(ascii: "y")], rest, [2, 0, 0],
      ])
  }

  @Test func `metadata and objects of any bytes end in an error or a value`() throws {
    var random = Seeded(92)
    let part = ColumnType.structure([.init("value", .binary), .init("typed_value", .int64)])
    let typed = ColumnType.structure([.init("b", part, isNullable: false)])
    let metadata: [UInt8] = [1, 2, 0, 1, 2] + [UInt8]("ba".utf8)
    let rest: [UInt8] = [2, 1, 1, 0, 2, 3 << 2, 7]
    for _ in 0..<400 {
      var names = metadata
      var value = rest
      for _ in 0...random.below(3) {
        if random.chance(50) {
          names[random.below(names.count)] = UInt8(random.below(256))
        } else {
          value[random.below(value.count)] = UInt8(random.below(256))
        }
      }
      if random.chance(30) { names.removeLast(random.below(names.count)) }
      if random.chance(30) { value.removeLast(random.below(value.count)) }
      let bytes = try file(
        typed,
        [
          (
            value,
            {
              $0.children[0].children[0].appendNull()
              $0.children[0].children[1].append(Int64(1))
              $0.children[0].endStructure()
              $0.endStructure()
            }
          )
        ], metadata: names)
      do throws(ParquetError) {
        _ = try WholeFile.batches(bytes)
      } catch {
        guard case .malformed = error else {
          Issue.record("\(error)")
          continue
        }
      }
    }
  }

  @Test func `shapes are annotated and have no bounds, at any depth`() throws {
    let list = ColumnField("l", .list(.init("element", .binary)), isNullable: false)
    let builder = ColumnBuilder(list.type)
    for row in 0..<10 {
      builder.children[0].append(Buffer([UInt8(row), 1]).bytes)
      builder.endList()
    }
    var options = WriterOptions()
    options.annotations["l.element"] = .geography(crs: "OGC:CRS84", algorithm: "karney")
    let (bytes, file) = try Written.file([Written.batch(list, builder.finish())], options)
    let leaf = try ParquetFooter.parse(wholeFile: bytes).schema.leaves[0]
    #expect(leaf.element.annotation == .geography(crs: "OGC:CRS84", algorithm: 4))
    let chunk = try Written.chunk(bytes, 0, 0)
    #expect(chunk.statistics?.minValue == nil && chunk.statistics?.nullCount == 0)
    #expect(file.columns[0].lowerBound == nil)
    options.annotations["l.element"] = .geography(crs: nil, algorithm: "flat")
    #expect(throws: ParquetError.self) { try ParquetFileWriter(fields: [list], options: options) }
  }

  @Test func `only structures of metadata and value are written as variants`() throws {
    var options = WriterOptions()
    options.annotations["c"] = .variant
    #expect(throws: ParquetError.self) {
      try ParquetFileWriter(fields: [.init("c", .binary)], options: options)
    }
    #expect(throws: ParquetError.noSuchColumn("c")) {
      try ParquetFileWriter(fields: [.init("d", .binary)], options: options)
    }
  }
}
