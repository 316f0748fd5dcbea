// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON
internal import Lake

/// What a command that changes something tells of it: a JSON object, or a line for people.
struct ChangeReport {
  var table: String
  var operation: String
  var snapshotID: Int64?
  var sequenceNumber: Int64?
  var addedRows: Int64 = 0
  var deletedRows: Int64 = 0
  var addedFiles: Int64 = 0
  var removedFiles: Int64 = 0
  var attempts = 1
  var duration: Duration = .zero
  /// What only some changes tell.
  var counts: [(name: String, count: Int64)] = []

  init(table: String, operation: String) {
    self.table = table
    self.operation = operation
  }

  init(table: String, _ receipt: CommitReceipt, duration: Duration) {
    self.init(table: table, operation: receipt.snapshot?.operation?.name ?? "none")
    snapshotID = receipt.snapshot?.id.rawValue
    sequenceNumber = receipt.snapshot?.sequenceNumber.rawValue
    let summary = receipt.snapshot?.summary ?? [:]
    addedRows = summary["added-records"].flatMap { Int64($0) } ?? 0
    deletedRows = Self.deletedRows(receipt, added: addedRows)
    addedFiles = summary["added-data-files"].flatMap { Int64($0) } ?? 0
    removedFiles = summary["deleted-data-files"].flatMap { Int64($0) } ?? 0
    attempts = receipt.attempts
    self.duration = duration
  }

  /// How many rows went: the removed files' and, by the totals, those that deletes took.
  private static func deletedRows(_ receipt: CommitReceipt, added: Int64) -> Int64 {
    guard let snapshot = receipt.snapshot else { return 0 }
    let parent = snapshot.parentID.flatMap { receipt.table.metadata.snapshot($0) }
    guard let now = snapshot.summary.liveRows, let before = parent?.summary.liveRows else {
      return snapshot.summary["deleted-records"].flatMap { Int64($0) } ?? 0
    }
    return max(0, before + added - now)
  }

  private var milliseconds: Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }

  func print(_ options: OutputOptions) {
    StandardOutput.writeReport(options.printsObject ? object : line)
  }

  private var object: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.writeKey("table")
    writer.write(table)
    writer.writeKey("snapshot_id")
    if let snapshotID { writer.write(snapshotID) } else { writer.writeNull() }
    writer.writeKey("operation")
    writer.write(operation)
    writer.writeKey("sequence_number")
    if let sequenceNumber { writer.write(sequenceNumber) } else { writer.writeNull() }
    let numbers = [
      ("added_rows", addedRows), ("deleted_rows", deletedRows), ("added_files", addedFiles),
      ("removed_files", removedFiles), ("attempts", Int64(attempts)),
      ("duration_ms", milliseconds),
    ]
    for (key, value) in numbers + counts.map({ ($0.name, $0.count) }) {
      writer.writeKey(key)
      writer.write(value)
    }
    writer.endObject()
    return String(decoding: writer.finish().array(), as: UTF8.self) + "\n"
  }

  private var line: String {
    var parts = ["\(table): \(operation)"]
    if addedRows > 0 { parts.append("\(addedRows) rows in \(addedFiles) files added") }
    if deletedRows > 0 { parts.append("\(deletedRows) rows in \(removedFiles) files removed") }
    for (name, count) in counts where count > 0 { parts.append("\(count) \(name)") }
    if let snapshotID { parts.append("snapshot \(snapshotID)") }
    if attempts > 1 { parts.append("\(attempts) attempts") }
    if duration > .zero { parts.append("\(milliseconds) ms") }
    return parts.joined(separator: ", ") + "\n"
  }
}

extension [String: String] {
  /// How many rows a snapshot of this summary has; nil if its totals do not tell.
  fileprivate var liveRows: Int64? {
    guard self["total-equality-deletes"] == "0",
      let records = self["total-records"].flatMap({ Int64($0) }),
      let deletes = self["total-position-deletes"].flatMap({ Int64($0) })
    else { return nil }
    return records - deletes
  }
}
