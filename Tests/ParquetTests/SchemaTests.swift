// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Testing

@testable import Parquet

@Suite("Parquet schema")
struct SchemaTests {
  private func group(
    _ name: String, _ repetition: Repetition? = nil, _ type: LogicalType? = nil, count: Int32
  ) -> SchemaElement {
    var node = SchemaElement(name: name)
    node.repetition = repetition
    node.logicalType = type
    node.childCount = count
    return node
  }

  private func leaf(
    _ name: String, _ repetition: Repetition, _ type: PhysicalType = .int32,
    _ logical: LogicalType? = nil, converted: ConvertedType? = nil, length: Int32? = nil
  ) -> SchemaElement {
    var node = SchemaElement(name: name)
    node.repetition = repetition
    node.type = type
    node.logicalType = logical
    node.convertedType = converted
    node.typeLength = length
    return node
  }

  /// What the only column under a root is read as.
  private func column(_ nodes: [SchemaElement]) throws -> ColumnField {
    let schema = try ParquetSchema(elements: [group("root", count: 1)] + nodes)
    return try #require(schema.fields.first)
  }

  private func defect(_ nodes: [SchemaElement]) -> SchemaDefect? {
    do throws(ParquetError) {
      _ = try ParquetSchema(elements: nodes)
      return nil
    } catch {
      if case .invalidSchema(_, let defect) = error { return defect }
      return nil
    }
  }

  @Test func `lists that are no tree are refused`() {
    let one = leaf("a", .required)
    #expect(defect([]) == .noRoot)
    #expect(defect([one]) == .noRoot)
    #expect(defect([group("root", count: 2), one]) == .wrongNodeCount)
    #expect(defect([group("root", count: 1), one, one]) == .wrongNodeCount)
    #expect(defect([group("root", count: -1)]) == .wrongNodeCount)
    #expect(defect([group("root", count: 1), group("g", .optional, count: 0)]) == .emptyGroup)
    #expect(
      defect([group("root", count: 1), SchemaElement(name: "x")]) == .noRepetition)
    #expect(
      defect([group("root", count: 1), leaf("f", .required, .fixedLenByteArray, length: 0)])
        == .badTypeLength(0))
    #expect(
      defect([group("root", count: 1), leaf("f", .required, .fixedLenByteArray, length: -3)])
        == .badTypeLength(-3))
  }

  @Test func `nesting ends at its limit`() {
    func nested(_ depth: Int) -> [SchemaElement] {
      [group("root", count: 1)]
        + (1..<depth).map { group("g\($0)", .optional, count: 1) } + [leaf("leaf", .optional)]
    }
    #expect(defect(nested(64)) == nil)
    #expect(defect(nested(65)) == .tooDeep)
    let wide = [SchemaElement](repeating: leaf("a", .required), count: 100_000)
    #expect(defect([group("root", count: 100_000)] + wide) == .tooManyNodes)
  }

  @Test(arguments: [
    (PhysicalType.int32, LogicalType.integer(bitWidth: 8, isSigned: false), ColumnType.int32),
    (.int32, .integer(bitWidth: 16, isSigned: true), .int32),
    (.int32, .integer(bitWidth: 32, isSigned: false), .int64),
    (.int64, .integer(bitWidth: 64, isSigned: false), .decimal(precision: 20, scale: 0)),
    (.int32, .date, .date), (.int32, .time(isAdjustedToUTC: false, .millis), .time),
    (.int64, .time(isAdjustedToUTC: true, .micros), .time),
    (.int64, .time(isAdjustedToUTC: true, .nanos), .int64),
    (.int64, .timestamp(isAdjustedToUTC: true, .millis), .timestamp(.microseconds, zoned: true)),
    (.int64, .timestamp(isAdjustedToUTC: false, .nanos), .timestamp(.nanoseconds, zoned: false)),
    (.int32, .decimal(scale: 2, precision: 5), .decimal(precision: 5, scale: 2)),
    (.int64, .decimal(scale: 0, precision: 30), .decimal(precision: 30, scale: 0)),
    (.byteArray, .decimal(scale: 1, precision: 2), .decimal(precision: 2, scale: 1)),
    (.byteArray, .string, .string), (.byteArray, .enumeration, .string),
    (.byteArray, .json, .string), (.byteArray, .bson, .binary),
    (.byteArray, .geometry(crs: nil), .binary),
    (.int96, .unrecognized, .timestamp(.microseconds, zoned: true)),
    // Annotations that their physical type can't carry are ignored.
    (.int32, .string, .int32), (.double, .date, .double), (.boolean, .uuid, .boolean),
    (.int32, .decimal(scale: 9, precision: 2), .int32),
    (.byteArray, .decimal(scale: 0, precision: 39), .binary),
    (.float, .unknown, .null),
  ])
  func `leaves are read by their annotation`(
    type: PhysicalType, logical: LogicalType, expected: ColumnType
  ) throws {
    #expect(try column([leaf("a", .optional, type, logical)]).type == expected)
  }

  @Test func `fixed-length leaves are read by annotation and length`() throws {
    func fixed(_ logical: LogicalType?, _ length: Int32) throws -> ColumnType {
      try column([leaf("a", .optional, .fixedLenByteArray, logical, length: length)]).type
    }
    #expect(try fixed(.uuid, 16) == .uuid)
    #expect(try fixed(.uuid, 15) == .fixed(byteCount: 15))
    #expect(try fixed(.float16, 2) == .float)
    #expect(try fixed(nil, 12) == .fixed(byteCount: 12))
    #expect(try fixed(.decimal(scale: 3, precision: 20), 9) == .decimal(precision: 20, scale: 3))
  }

  @Test func `older annotations stand for the newer ones`() throws {
    let millis = leaf("a", .required, .int64, converted: .timestampMillis)
    #expect(try column([millis]).type == .timestamp(.microseconds, zoned: true))
    #expect(try column([leaf("a", .required, .byteArray, converted: .utf8)]).type == .string)
    var both = leaf("a", .required, .byteArray, .unrecognized, converted: .utf8)
    #expect(try column([both]).type == .string)
    both.logicalType = .bson
    #expect(try column([both]).type == .binary)
  }

  private static let element = ColumnField("element", .int32, isNullable: true)

  // The examples of LogicalTypes.md, "Lists".

  @Test func `a list of three levels has the innermost as element`() throws {
    let field = try column([
      group("l", .optional, .list, count: 1), group("list", .repeated, count: 1),
      leaf("element", .optional),
    ])
    #expect(field.type == .list(Self.element))
    #expect(field.isNullable)
  }

  @Test func `a repeated leaf in a list is its element`() throws {
    let field = try column([group("l", .required, .list, count: 1), leaf("item", .repeated)])
    #expect(field.type == .list(ColumnField("item", .int32, isNullable: false)))
    #expect(!field.isNullable)
  }

  @Test func `a repeated group of several fields is the element`() throws {
    let field = try column([
      group("l", .optional, .list, count: 1), group("pair", .repeated, count: 2),
      leaf("a", .required), leaf("b", .optional),
    ])
    let pair = ColumnType.structure([
      ColumnField("a", .int32, isNullable: false), ColumnField("b", .int32),
    ])
    #expect(field.type == .list(ColumnField("pair", pair, isNullable: false)))
  }

  @Test(arguments: ["array", "l_tuple"])
  func `a repeated group of an old name is the element`(name: String) throws {
    let field = try column([
      group("l", .optional, .list, count: 1), group(name, .repeated, count: 1),
      leaf("a", .required),
    ])
    let inner = ColumnType.structure([ColumnField("a", .int32, isNullable: false)])
    #expect(field.type == .list(ColumnField(name, inner, isNullable: false)))
  }

  @Test func `lists of two levels nest`() throws {
    let field = try column([
      group("l", .optional, .list, count: 1), group("array", .repeated, .list, count: 1),
      leaf("array", .repeated),
    ])
    let inner = ColumnType.list(ColumnField("array", .int32, isNullable: false))
    #expect(field.type == .list(ColumnField("array", inner, isNullable: false)))
  }

  @Test func `a repeated field without annotation is a list of required elements`() throws {
    let field = try column([leaf("a", .repeated)])
    #expect(field.type == .list(ColumnField("a", .int32, isNullable: false)))
    #expect(!field.isNullable)
  }

  @Test func `maps are read under either annotation`() throws {
    for converted in [ConvertedType.map, .mapKeyValue] {
      var outer = group("m", .optional, count: 1)
      outer.convertedType = converted
      let field = try column([
        outer, group("map", .repeated, count: 2), leaf("k", .required), leaf("v", .optional),
      ])
      #expect(
        field.type
          == .map(
            key: ColumnField("k", .int32, isNullable: false), value: ColumnField("v", .int32)))
    }
  }

  @Test func `groups not shaped as annotated are structures`() throws {
    let field = try column([
      group("l", .optional, .list, count: 2), leaf("a", .optional), leaf("b", .optional),
    ])
    #expect(field.type == .structure([ColumnField("a", .int32), ColumnField("b", .int32)]))
  }

  @Test func `levels count the nodes that may be missing or many`() throws {
    let schema = try ParquetSchema(elements: [
      group("root", count: 1), group("s", .optional, count: 2),
      group("l", .required, .list, count: 1), group("list", .repeated, count: 1),
      leaf("element", .optional), leaf("x", .required),
    ])
    #expect(schema.leaves.map(\.maxDefinitionLevel) == [3, 1])
    #expect(schema.leaves.map(\.maxRepetitionLevel) == [1, 0])
    #expect(schema.leaves.map(\.path) == [["s", "l", "list", "element"], ["s", "x"]])
  }

  @Test func `what is written is read as it was`() throws {
    let fields: [ColumnField] = [
      ColumnField("i", .int32, isNullable: false, fieldID: 1),
      ColumnField("d", .decimal(precision: 19, scale: 4), fieldID: 2),
      ColumnField("t", .timestamp(.nanoseconds, zoned: true), fieldID: 3),
      ColumnField(
        "l", .list(ColumnField("element", .string, isNullable: false, fieldID: 5)), fieldID: 4),
      ColumnField(
        "m",
        .map(
          key: ColumnField("key", .uuid, isNullable: false, fieldID: 7),
          value: ColumnField(
            "value", .structure([ColumnField("x", .fixed(byteCount: 3), fieldID: 9)]), fieldID: 8)),
        fieldID: 6),
    ]
    let schema = try ParquetSchema(fields: fields)
    #expect(schema.fields == fields)
    #expect(try ParquetSchema(elements: schema.elements).fields == fields)
    #expect(try schema.fieldIndex(fieldID: 4) == 3)
    #expect(schema.leafIndex(fieldID: 9) == 5)
    #expect(schema.leafIndex(path: ["m", "key_value", "key"]) == 4)
    #expect(throws: ParquetError.noSuchColumn("z")) { try schema.projection(named: ["z"]) }
  }

  @Test func `a projection keeps what carries an id and what is around it`() throws {
    let inner = ColumnField(
      "inner",
      .structure([
        ColumnField("a", .int32, fieldID: 3), ColumnField("b", .string, fieldID: 4),
      ]), fieldID: 2)
    let schema = try ParquetSchema(fields: [
      ColumnField("outer", .list(ColumnField("element", inner.type, fieldID: 2)), fieldID: 1),
      ColumnField("other", .int64, fieldID: 9),
    ])
    let one = schema.projection(fieldIDs: [4, 77])
    #expect(one.leafIndices == [1])
    #expect(
      one.fields.first?.type
        == .list(
          ColumnField("element", .structure([ColumnField("b", .string, fieldID: 4)]), fieldID: 2)))
    #expect(schema.projection(fieldIDs: [1, 9]).leafIndices == [0, 1, 2])
  }

  @Test func `decimals take the fewest bytes that hold their precision`() {
    for (precision, bytes) in [(1, 1), (2, 1), (3, 2), (4, 2), (9, 4), (18, 8), (19, 9), (38, 16)] {
      #expect(SchemaElement.leastByteCount(forPrecision: precision) == bytes, "\(precision)")
    }
  }
}
