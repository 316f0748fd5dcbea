// SPDX-License-Identifier: Apache-2.0
public import Columnar
internal import Storage

/// What a user's file or pipe holds.
public enum InputFormat: String, Hashable, Sendable, CaseIterable {
  case csv
  /// One JSON object a line.
  case jsonl
  case parquet
  /// Arrow IPC, a stream or a file (Feather V2).
  case arrow
  /// An Avro object container file.
  case avro

  /// By the ending of a name, a compression's ending put aside; nil if it is not known.
  public init?(fileName: String) {
    var name = fileName.lowercased()
    for ending in [".gz", ".zst"] where name.hasSuffix(ending) { name.removeLast(ending.count) }
    if name.hasSuffix(".csv") || name.hasSuffix(".tsv") {
      self = .csv
    } else if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") {
      self = .jsonl
    } else if name.hasSuffix(".parquet") {
      self = .parquet
    } else if [".arrow", ".arrows", ".ipc", ".feather"].contains(where: name.hasSuffix) {
      self = .arrow
    } else if name.hasSuffix(".avro") {
      self = .avro
    } else {
      return nil
    }
  }
}

/// How an input is read.
public struct InputOptions: Sendable {
  /// Nil: by the file's ending.
  public var format: InputFormat?
  /// The columns wanted, by name; nil: those of the input, types inferred where it has none.
  public var columns: [ColumnField]?
  /// CSV: what separates fields.
  public var delimiter = UInt8(ascii: ",")
  /// CSV: whether the first line has the names. Without one, columns are called `column1` and so
  /// on, or are those wanted, in order.
  public var header = Header.present
  /// CSV: texts that, unquoted, mean null; an empty field means it in any case.
  public var nullTexts: [String] = []
  /// How many rows types are inferred from.
  public var sampleRowCount = 20_000
  /// The most rows of a batch.
  public var batchRowCount = 65_536
  /// How many tasks parse text.
  public var threads = Environment.system.processorCount
  /// How many bytes of text a task parses at a time.
  var blockByteCount = 4 << 20
  /// The most bytes a row of text may have.
  public var rowByteLimit = 64 << 20

  /// Where reading begins; what comes before must be whole rows.
  public var start = InputStart.beginning
  /// What becomes of a row of text that is not as its columns want it.
  public var badRows = BadRows.fail

  public enum BadRows: Hashable, Sendable {
    /// It ends the reading.
    case fail
    /// It is left out, and handed out apart.
    case keepApart
  }

  public enum Header: Hashable, Sendable { case present, absent }

  public init() {}
}
