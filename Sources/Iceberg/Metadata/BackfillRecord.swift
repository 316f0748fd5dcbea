// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON

/// What a table remembers of a backfill into it, as a property of its own that is set in the commits
/// of the rows: so it is true of the rows that are there, and expiry can't take it away.
///
///     lake.backfill.<id> = {"source":"<uuid>","snapshot":123,"where":"…","select":"…","mode":"append",
///                           "branch":"main","split-bytes":134217728,"splits":40,"done":"0-11,13",
///                           "rows":100,"left-alone":0,"last":456,"sequence":20}
///
/// The snapshot of each commit tells which splits it landed, under the names of ``SummaryKey``.
public struct BackfillRecord: Hashable, Sendable {
  /// What is computed of what. Two backfills of the same question and snapshot are the same one.
  public struct Question: Hashable, Sendable {
    /// The source's uuid.
    public var source: String
    /// Only rows that were added or changed after it; nil: all.
    public var from: SnapshotID?
    /// Which rows, as text.
    public var filter: String
    /// What is made of them, as text.
    public var selection: String
    public var mode: String
    /// The target's branch.
    public var branch: String

    public init(
      source: String, from: SnapshotID?, filter: String, selection: String, mode: String,
      branch: String
    ) {
      self.source = source
      self.from = from
      self.filter = filter
      self.selection = selection
      self.mode = mode
      self.branch = branch
    }

    /// The name of a backfill of this question to the state `snapshot`.
    public func id(at snapshot: SnapshotID) -> String {
      var writer = ByteWriter(capacity: 256)
      let parts = [
        source, from.map { "\($0.rawValue)" } ?? "", filter, selection, mode, branch,
        "\(snapshot.rawValue)",
      ]
      for part in parts {
        writer.write(utf8: "\(part.utf8.count):\(part)")
      }
      let hash = XXHash64.hash(writer.finish().bytes)
      let digits = String(hash, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
  }

  public var question: Question
  /// The state that is read.
  public var snapshot: SnapshotID
  /// How large splits are.
  public var splitByteCount: Int64
  public var splitCount: Int
  /// The splits that landed.
  public var done: IndexRanges
  /// Rows that landed.
  public var rowCount: Int64
  /// Rows that did not, as others had changed or deleted them.
  public var leftAlone: Int64
  /// The target's snapshot that was committed last; nil before the first.
  public var last: SnapshotID?
  public var sequenceNumber: SequenceNumber

  public init(
    question: Question, snapshot: SnapshotID, splitByteCount: Int64, splitCount: Int
  ) {
    self.question = question
    self.snapshot = snapshot
    self.splitByteCount = splitByteCount
    self.splitCount = splitCount
    done = IndexRanges()
    rowCount = 0
    leftAlone = 0
    last = nil
    sequenceNumber = SequenceNumber(0)
  }

  public var id: String { question.id(at: snapshot) }
  public var isFinished: Bool { done.count >= splitCount }

  /// The start of the names of such properties.
  public static let propertyPrefix = "lake.backfill."

  /// The name of the property of the backfill `id`.
  public static func property(of id: String) -> String { propertyPrefix + id }

  /// Names in the summaries of a backfill's snapshots.
  public enum SummaryKey {
    public static let id = "lake.backfill"
    /// The splits that the commit landed.
    public static let splits = "lake.backfill.splits"
    /// Rows that the commit left as others had made them.
    public static let leftAlone = "lake.backfill.left-alone"
    /// `true` in the first commit.
    public static let isFirst = "lake.backfill.first"
  }
}

extension BackfillRecord {
  /// - Throws: ``IcebergError/invalid(_:reason:)``.
  public init(parsing text: String, id: String) throws(IcebergError) {
    let members = try RememberedMembers(parsing: text, ofProperty: Self.property(of: id))
    question = Question(
      source: try members.string("source"), from: members["from"]?.integer.map { SnapshotID($0) },
      filter: try members.string("where"), selection: try members.string("select"),
      mode: try members.string("mode"),
      branch: try members.string("branch"))
    snapshot = SnapshotID(try members.integer("snapshot"))
    splitByteCount = try members.integer("split-bytes")
    splitCount = Int(clamping: try members.integer("splits"))
    guard let done = IndexRanges(try members.string("done")), (done.last ?? 0) < max(1, splitCount)
    else {
      throw .invalid(members.what, reason: "expected 'done' as 0-3,7 of \(splitCount) splits")
    }
    self.done = done
    rowCount = try members.integer("rows")
    leftAlone = try members.integer("left-alone")
    last = members["last"]?.integer.map { SnapshotID($0) }
    sequenceNumber = SequenceNumber(try members.integer("sequence"))
    guard self.id == id else {
      throw .invalid(members.what, reason: "it tells of the backfill \(self.id)")
    }
  }

  /// The property's value.
  public var text: String {
    var writer = JSONWriter()
    writer.beginObject()
    let texts = [
      ("source", question.source), ("where", question.filter), ("select", question.selection),
      ("mode", question.mode), ("branch", question.branch), ("done", done.text),
    ]
    for (name, text) in texts {
      writer.writeKey(name)
      writer.write(text)
    }
    let numbers = [
      ("from", question.from?.rawValue), ("snapshot", snapshot.rawValue),
      ("split-bytes", splitByteCount), ("splits", Int64(splitCount)), ("rows", rowCount),
      ("left-alone", leftAlone), ("last", last?.rawValue), ("sequence", sequenceNumber.rawValue),
    ]
    for (name, number) in numbers {
      guard let number else { continue }
      writer.writeKey(name)
      writer.write(number)
    }
    writer.endObject()
    return String(decoding: writer.finish().array(), as: UTF8.self)
  }
}

extension TableMetadata {
  /// What the table remembers of backfills, by their ids; what is no record is left out.
  public var backfillRecords: [String: BackfillRecord] {
    var records: [String: BackfillRecord] = [:]
    for (id, text) in properties.values(withPrefix: BackfillRecord.propertyPrefix) {
      if let record = try? BackfillRecord(parsing: text, id: id) { records[id] = record }
    }
    return records
  }

  /// `record` as the rows of its branch have it: where the last commit of the backfill was taken off
  /// its branch, by a rollback, only what the snapshots up to the head tell.
  ///
  /// - Returns: nil if that can't be told any more.
  public func backfillRecord(asOf record: BackfillRecord) -> BackfillRecord? {
    guard let last = record.last else { return record }
    let head = references[record.question.branch]?.snapshotID
    var told = record
    (told.done, told.rowCount, told.leftAlone, told.last) = (IndexRanges(), 0, 0, nil)
    guard let head else { return told }
    var oldest: Snapshot?
    for ancestor in ancestry(of: head) {
      if ancestor.id == last { return record }
      oldest = ancestor
      guard ancestor.summary[BackfillRecord.SummaryKey.id] == record.id else { continue }
      if told.last == nil { told.last = ancestor.id }
      told.done.formUnion(
        ancestor.summary[BackfillRecord.SummaryKey.splits].flatMap { IndexRanges($0) }
          ?? IndexRanges())
      told.rowCount += ancestor.summary["added-records"].flatMap { Int64($0) } ?? 0
      told.leftAlone +=
        ancestor.summary[BackfillRecord.SummaryKey.leftAlone].flatMap { Int64($0) } ?? 0
      if ancestor.summary[BackfillRecord.SummaryKey.isFirst] != nil { return told }
    }
    // All that is left is newer than the last commit, which expired: it is below.
    if snapshot(last) == nil, let oldest, oldest.parentID != nil,
      oldest.sequenceNumber > record.sequenceNumber
    {
      return record
    }
    // Back to the table's first snapshot nothing tells of more.
    return oldest?.parentID == nil ? told : nil
  }
}
