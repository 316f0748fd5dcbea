// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import KeyIndexing
internal import Scanning

/// Which rows of a lost data file went: what the table still knows of them.
public struct LostRows: Hashable, Sendable {
  /// Where they were in the file, ascending: all its rows but those that were deleted by position.
  public let positions: [Range<Int64>]
  /// Their `_row_id`s, ascending: as a key index has them, or counted from the file's first where the
  /// manifest tells that no row was moved there. Nil where that is not known, and before v3.
  public let rowIDs: [Range<Int64>]?
  /// Between which values they lay: of the identifier fields, or all columns where there are none, as
  /// far as the manifest tells.
  public let bounds: [Bounds]
  /// True if delete files about the file can't be read either, or delete by value: then some of the
  /// rows were deleted before.
  public let mayHaveBeenDeleted: Bool

  /// What the values of a column lay between, as text; they need not be values of it.
  public struct Bounds: Hashable, Sendable {
    public let column: String
    public let lower: String
    public let upper: String
  }

  /// How many rows those are.
  public var count: Int64 { positions.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }

  /// Of each data file among `files`, which are gone, by its path. What can't be found out is left
  /// open: a repair goes on without.
  static func find(
    in files: [DataFile], of table: Table, branch: String
  ) async -> [String: LostRows] {
    let data = files.filter { $0.content == .data }
    guard !data.isEmpty else { return [:] }
    let state = try? await TableState(of: table, at: .reference(branch))
    var indexed: [String: [Int64: Int64?]] = [:]
    if let state, table.metadata.formatVersion >= .v3 {
      indexed = (try? await KeyIndex.keptRows(ofFiles: data.map(\.path), of: state)) ?? [:]
    }
    var found: [String: LostRows] = [:]
    for file in data {
      found[file.path] = await LostRows(
        file, state, indexed[file.path], table.metadata.currentSchema)
    }
    return found
  }

  private init(
    _ file: DataFile, _ state: TableState?, _ indexed: [Int64: Int64?]?, _ schema: Schema
  ) async {
    let live = state.flatMap { state in state.index(of: file.path).map { (state, $0) } }
    var dead: DeletionVector?
    if let (state, index) = live {
      dead = try? await state.positionDeletes(of: [index]).first
      mayHaveBeenDeleted =
        dead == nil || state.files[index].task.deletes.contains { $0.kind == .equality }
    } else {
      mayHaveBeenDeleted = true
    }
    positions = (dead ?? DeletionVector()).otherRanges(below: file.recordCount)
    rowIDs = Self.rowIDs(of: positions, in: file, indexed)
    bounds = Self.bounds(of: file, schema)
  }

  /// - Parameter indexed: what an index has of each position.
  private static func rowIDs(
    of positions: [Range<Int64>], in file: DataFile, _ indexed: [Int64: Int64?]?
  ) -> [Range<Int64>]? {
    guard let first = file.firstRowID, first >= 0, first <= .max - max(0, file.recordCount) else {
      return nil
    }
    guard let indexed else {
      // Who writes a file with ids of its own tells of that column as of others.
      let hasOwn = file.metrics[MetadataColumn.rowID.fieldID] != nil
      guard !file.metrics.isEmpty, !hasOwn else { return nil }
      return positions.map { first + $0.lowerBound..<first + $0.upperBound }
    }
    var ids: [Int64] = []
    for position in positions.joined() {
      // A row without a key is in no index.
      guard let stored = indexed[position] else { return nil }
      ids.append(stored ?? first + position)
    }
    var ranges: [Range<Int64>] = []
    for id in ids.sorted() where id >= 0 && id < .max {
      if let last = ranges.last, last.upperBound == id {
        ranges[ranges.count - 1] = last.lowerBound..<id + 1
      } else {
        ranges.append(id..<id + 1)
      }
    }
    return ranges
  }

  private static func bounds(of file: DataFile, _ schema: Schema) -> [Bounds] {
    let keys = schema.identifierFieldIDs
    return schema.allFields.compactMap { field in
      guard keys.isEmpty || keys.contains(field.id), let type = field.type.primitive,
        let metrics = file.metrics[field.id],
        let lower = Value(bound: metrics.lowerBound, as: type),
        let upper = Value(bound: metrics.upperBound, as: type)
      else { return nil }
      return Bounds(
        column: schema.name(of: field.id) ?? field.name, lower: lower.text(as: type),
        upper: upper.text(as: type))
    }
  }
}
