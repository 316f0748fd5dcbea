// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Lake

/// Rows of a source that are to be upserted.
struct SourceRows {
  /// The rows, without those that were committed before, and without a column that is none of the
  /// table's.
  let batch: RecordBatch
  /// As they were read.
  let placed: InputRows
  /// Which of the rows read these are; nil: all of them.
  let origins: [Int32]?
  /// The offsets that rows have as a column of their own.
  let offsets: Column?
  /// What was kept apart among the rows read, but for what was before.
  let rejected: ArraySlice<RejectedRow>

  /// How many rows were left out, since their offsets say that they were committed.
  var replayedCount: Int { placed.batch.rowCount - batch.rowCount }

  /// Which of the rows read row `row` is.
  func origin(_ row: Int) -> Int { origins.map { Int($0[row]) } ?? row }

  /// How many of the rows come before row `origin` of those read.
  func count(before origin: Int) -> Int {
    origins.map { $0.firstIndex { Int($0) >= origin } ?? $0.count } ?? origin
  }
}

/// A file or standard input that rows are upserted from, and what its offsets are.
final class UpsertSource {
  /// What an offset counts.
  enum Unit: Hashable {
    /// Nothing is counted.
    case none
    /// The bytes of a text file, the lines of a pipe, the rows of other files.
    case place
    /// The value of a column, by name.
    case column(String)
  }

  enum Step {
    case rows(SourceRows)
    case pause
    case end
  }

  /// What the table knows the source by.
  let partition: String
  private let unit: Unit
  private let reader: InputReader
  private let kind: Kind
  private let file: FileSource?
  /// The offset that reading began behind.
  private let start: Int64?
  /// With a column of offsets: the highest one that was met.
  private var highest = Int64.min
  /// With one: what becomes of bad rows, which have no offsets.
  var aside: AsideRows
  /// Whether the column of offsets is none of the table's.
  private let dropsOffsets: Bool
  /// How many lines come before those the reader counts; nil until it is asked.
  private var linesBefore: Int?

  private enum Kind {
    case text, lines, rows
  }

  /// What all sources of a command are read with.
  struct Settings {
    let arguments: InputArguments
    /// The table's columns, as rows must have them.
    let columns: [ColumnField]
    let unit: Unit
    let follows: Bool
    let batchRowCount: Int

    /// The column of offsets, if it is none of the table's.
    var offsetColumn: ColumnField? {
      guard case .column(let name) = unit, !columns.contains(where: { $0.name == name }) else {
        return nil
      }
      return ColumnField(name, .int64, isNullable: false)
    }

    /// What is read of text.
    var columnsRead: [ColumnField] { columns + (offsetColumn.map { [$0] } ?? []) }
  }

  /// What the table knows the source called `name` by: the absolute path of a file, or `-`.
  static func partition(of name: String) throws -> String {
    name == "-" ? name : try Location.absolute(name).text
  }

  /// Opens `name`, a path or `-`.
  ///
  /// - Parameters:
  ///   - offset: up to which the source was committed; nil: not at all.
  ///   - sample: what was read of standard input already.
  static func open(
    _ name: String, _ settings: Settings, from offsets: [String: Int64],
    sample: (any ByteSource)? = nil
  ) async throws -> UpsertSource {
    let offset = offsets[try partition(of: name)]
    var options = settings.arguments.options(columns: settings.columnsRead)
    options.badRows = .keepApart
    options.batchRowCount = settings.batchRowCount
    if name == "-" {
      guard let format = options.format else {
        throw InputError.unknownFormat(
          file: "standard input", known: ["csv", "jsonl", "arrow", "avro"])
      }
      let kind: Kind = format == .csv || format == .jsonl ? .lines : .rows
      options.start = start(kind, settings.unit, offset)
      let reader = try await InputReader.open(
        sample ?? PipeSource(), format: format, options: options)
      return UpsertSource("-", settings, reader, kind, nil, offsets)
    }
    let path = try Location.absolute(name)
    guard let format = options.format ?? InputFormat(fileName: path.name) else {
      throw InputError.unknownFormat(
        file: path.text, known: InputFormat.allCases.map(\.rawValue))
    }
    guard format == .csv || format == .jsonl, path.scheme == "file" else {
      options.start = start(.rows, settings.unit, offset)
      let reader = try await InputReader.open(path, in: Stores.reaching(path), options: options)
      return UpsertSource(path.text, settings, reader, .rows, nil, offsets)
    }
    let file = try FileSource(path.path, settings.follows ? .waits : .ends)
    options.start = start(.text, settings.unit, offset)
    if path.name.lowercased().contains(".tsv"), options.delimiter == UInt8(ascii: ",") {
      options.delimiter = 9
    }
    let reader = try await InputReader.open(file, format: format, options: options)
    return UpsertSource(path.text, settings, reader, .text, file, offsets)
  }

  private static func start(_ kind: Kind, _ unit: Unit, _ offset: Int64?) -> InputStart {
    guard unit == .place, let offset else { return .beginning }
    return switch kind {
    case .text: .bytes(offset)
    case .lines: .lines(offset)
    case .rows: .rows(offset)
    }
  }

  private init(
    _ partition: String, _ settings: Settings, _ reader: InputReader, _ kind: Kind,
    _ file: FileSource?, _ offsets: [String: Int64]
  ) {
    let start = offsets[partition]
    self.partition = partition
    aside = AsideRows(of: partition, offsets)
    self.reader = reader
    self.kind = kind
    self.file = file
    self.start = start
    unit = settings.unit
    dropsOffsets = settings.offsetColumn != nil
    if case .column = unit, let start { highest = start }
  }

  /// Whether offsets are the values of a column.
  var hasOffsetColumn: Bool {
    if case .column = unit { true } else { false }
  }

  /// What errors call it.
  var name: String { partition == "-" ? "standard input" : partition }

  /// The names in a CSV file's header.
  var header: [String]? { reader.header }

  /// The next rows that were not committed yet.
  func next() async throws -> Step {
    do throws(InputError) {
      switch try await reader.step() {
      case .pause: return .pause
      case .end: return .end
      case .rows(let rows):
        guard case .column(let name) = unit else {
          return .rows(
            SourceRows(
              batch: rows.batch, placed: rows, origins: nil, offsets: nil,
              rejected: rows.rejected[...]))
        }
        return .rows(try unreplayed(rows, name))
      }
    } catch {
      throw located(error)
    }
  }

  /// `rows` without those whose offsets are not above all before them.
  private func unreplayed(
    _ rows: InputRows, _ name: String
  ) throws(InputError) -> SourceRows {
    let index = rows.batch.fields.firstIndex { $0.name == name }
    guard let index, [.int64, .int32].contains(rows.batch.columns[index].type) else {
      throw .columnType(
        file: partition, column: name, expected: "whole numbers, to be offsets",
        found: index.map { "\(rows.batch.columns[$0].type)" } ?? "nothing")
    }
    let column = rows.batch.columns[index]
    var kept: [Int32] = []
    var bad = rows.rejected[...]
    var rejected: [RejectedRow] = []
    for row in 0..<column.count {
      while let next = bad.first, next.precedingRowCount <= row {
        aside.meet(bad.removeFirst(), &rejected)
      }
      guard !column.isNull(row) else {
        throw .missingValue(file: partition, line: line(of: row, in: rows), column: name)
      }
      let value = column.integer(row)
      aside.meet(offset: value, &rejected)
      guard value > highest else { continue }
      highest = value
      kept.append(Int32(truncatingIfNeeded: row))
    }
    for row in bad { aside.meet(row, &rejected) }
    var batch = rows.batch
    if dropsOffsets { batch = batch.selecting(batch.columns.indices.filter { $0 != index }) }
    guard kept.count < column.count else {
      return SourceRows(
        batch: batch, placed: rows, origins: nil, offsets: column, rejected: rejected[...])
    }
    do throws(ColumnarError) {
      return SourceRows(
        batch: try batch.gather(kept), placed: rows, origins: kept,
        offsets: try column.gather(kept), rejected: rejected[...])
    } catch {
      throw .refused(file: partition, line: line(of: 0, in: rows), reason: "\(error)")
    }
  }

  /// The offset right behind row `row` of `rows`; nil if none is moved.
  func offset(afterRow row: Int, of rows: SourceRows) -> Int64? {
    if let offsets = rows.offsets { return offsets.integer(row) }
    return count(rows.placed.place(afterRow: rows.origin(row)))
  }

  /// The offset behind all that was read for `rows`; nil if none is moved.
  func offset(afterAllOf rows: SourceRows) -> Int64? {
    guard let offsets = rows.offsets else { return count(rows.placed.end) }
    return offsets.count > 0 ? offsets.integer(offsets.count - 1) : nil
  }

  private func count(_ place: InputPlace) -> Int64? {
    guard unit == .place else { return nil }
    return switch kind {
    case .text: place.byteCount
    case .lines: place.lineCount
    case .rows: place.rowCount
    }
  }

  /// The number of the line that row `row` of those read ends on; for what is no text its own.
  func line(of row: Int, in rows: InputRows) -> Int {
    let place = rows.place(afterRow: row)
    return kind == .rows ? Int(place.rowCount) : Int(place.lineCount) + before
  }

  /// `error` with the number that its line has in the file.
  func located(_ error: InputError) -> InputError { error.movedDown(by: before) }

  /// How many lines come before those the reader counts.
  private var before: Int {
    guard kind == .text, unit == .place, let start, start > 0, let file else { return 0 }
    if let linesBefore { return linesBefore }
    let count = (try? file.lineCount(before: start)) ?? 0
    linesBefore = count
    return count
  }
}
