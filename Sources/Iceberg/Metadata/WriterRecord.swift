// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON

/// What a table remembers of a named writer, as a property of its own that is set in the commits of
/// the writer's rows: so it is true of the rows that are there, and expiry can't take it away.
///
///     lake.writer.<name> = {"fence":3,"epoch":17,"offsets":{"<partition>":12345},
///                           "branch":"main","snapshot":123,"sequence":20}
///
/// The snapshot of each commit tells it again, with the offsets that the commit moved, under the
/// names of ``SummaryKey``; the snapshot that raises the fence tells all offsets.
public struct WriterRecord: Hashable, Sendable {
  /// How often a writer of the name was opened. Only the one that raised it last may commit.
  public var fence: Int64
  /// How often one has committed.
  public var epoch: Int64
  /// For each source partition the last offset that was committed.
  public var offsets: [String: Int64]
  public var branch: String
  /// The snapshot that was committed with it.
  public var snapshot: SnapshotID
  /// That snapshot's sequence number.
  public var sequenceNumber: SequenceNumber

  public init(
    fence: Int64, epoch: Int64, offsets: [String: Int64], branch: String, snapshot: SnapshotID,
    sequenceNumber: SequenceNumber
  ) {
    self.fence = fence
    self.epoch = epoch
    self.offsets = offsets
    self.branch = branch
    self.snapshot = snapshot
    self.sequenceNumber = sequenceNumber
  }

  /// The name of the property of `writer`.
  public static func property(of writer: String) -> String { propertyPrefix + writer }

  /// The start of the names of such properties.
  public static let propertyPrefix = "lake.writer."

  /// Names in the summaries of a writer's snapshots.
  public enum SummaryKey {
    public static let writer = "lake.writer"
    public static let fence = "lake.writer.fence"
    public static let epoch = "lake.writer.epoch"
    /// The offsets that moved, as a JSON object; all of them where ``isOpening`` is there.
    public static let offsets = "lake.writer.offsets"
    /// `true` in the snapshot that raises the fence.
    public static let isOpening = "lake.writer.opened"
  }
}

extension WriterRecord {
  /// - Throws: ``IcebergError/invalid(_:reason:)``.
  public init(parsing text: String, writer: String) throws(IcebergError) {
    let members = try RememberedMembers(parsing: text, ofProperty: Self.property(of: writer))
    guard let offsets = members["offsets"].flatMap(Self.told),
      let branch = members["branch"]?.string
    else {
      throw .invalid(members.what, reason: "expected 'offsets' and 'branch'")
    }
    fence = try members.integer("fence")
    epoch = try members.integer("epoch")
    self.offsets = offsets
    self.branch = branch
    snapshot = SnapshotID(try members.integer("snapshot"))
    sequenceNumber = SequenceNumber(try members.integer("sequence"))
  }

  /// The numbers of an object; nil if it is none, or of something else.
  fileprivate static func told(_ value: JSONValue) -> [String: Int64]? {
    guard let members = value.members else { return nil }
    var offsets: [String: Int64] = [:]
    for member in members {
      guard let offset = member.value.integer else { return nil }
      offsets[member.key] = offset
    }
    return offsets
  }

  /// The property's value.
  public var text: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.writeKey("fence")
    writer.write(fence)
    writer.writeKey("epoch")
    writer.write(epoch)
    writer.writeKey("offsets")
    Self.write(offsets, to: &writer)
    writer.writeKey("branch")
    writer.write(branch)
    writer.writeKey("snapshot")
    writer.write(snapshot.rawValue)
    writer.writeKey("sequence")
    writer.write(sequenceNumber.rawValue)
    writer.endObject()
    return String(decoding: writer.finish().array(), as: UTF8.self)
  }

  private static func write(_ offsets: [String: Int64], to writer: inout JSONWriter) {
    writer.beginObject()
    for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
      writer.writeKey(partition)
      writer.write(offset)
    }
    writer.endObject()
  }

  /// What the snapshot of a commit of `writer` tells of it.
  ///
  /// - Parameter moved: the offsets that the commit moved.
  public func summary(of writer: String, moved: [String: Int64]) -> [String: String] {
    var text = JSONWriter()
    Self.write(moved, to: &text)
    return [
      SummaryKey.writer: writer, SummaryKey.fence: "\(fence)", SummaryKey.epoch: "\(epoch)",
      SummaryKey.offsets: String(decoding: text.finish().array(), as: UTF8.self),
    ]
  }
}

// MARK: - As of a snapshot

/// How far a writer was when some snapshot was its branch's head.
public struct WriterOffsets: Hashable, Sendable {
  public var offsets: [String: Int64]
  /// The partitions of which no snapshot that is left tells whether, and how far, they had been
  /// committed.
  public var unknown: [String]
}

extension TableMetadata {
  /// What the table remembers of `writer`; nil if nothing.
  ///
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if it is no record.
  public func writerRecord(_ writer: String) throws(IcebergError) -> WriterRecord? {
    guard let text = properties[WriterRecord.property(of: writer)] else { return nil }
    return try WriterRecord(parsing: text, writer: writer)
  }

  /// What the table remembers of writers, by their names; what is no record is left out.
  public var writerRecords: [String: WriterRecord] {
    var records: [String: WriterRecord] = [:]
    for (name, text) in properties.values(withPrefix: WriterRecord.propertyPrefix) {
      if let record = try? WriterRecord(parsing: text, writer: name) { records[name] = record }
    }
    return records
  }

  /// The offsets of `writer` in the state of `snapshot`, by what the snapshots up to it tell.
  ///
  /// Cost: a summary for each snapshot back to the one where the writer was opened.
  public func offsets(
    of writer: String, _ record: WriterRecord, at snapshot: SnapshotID?
  ) -> WriterOffsets {
    var offsets: [String: Int64] = [:]
    var end: SnapshotID?
    if let snapshot {
      end = snapshot
      for ancestor in ancestry(of: snapshot) {
        if ancestor.id == record.snapshot {
          offsets.merge(record.offsets) { newer, _ in newer }
          return WriterOffsets(offsets: offsets, unknown: [])
        }
        let summary = ancestor.summary
        end = ancestor.parentID
        guard summary[WriterRecord.SummaryKey.writer] == writer,
          let text = summary[WriterRecord.SummaryKey.offsets],
          let value = try? JSONValue(parsing: text), let told = WriterRecord.told(value)
        else { continue }
        offsets.merge(told) { newer, _ in newer }
        if summary[WriterRecord.SummaryKey.isOpening] != nil { end = nil }
        if end == nil { break }
      }
    }
    guard end != nil else { return WriterOffsets(offsets: offsets, unknown: []) }
    let unknown = record.offsets.keys.filter { offsets[$0] == nil }.sorted()
    return WriterOffsets(offsets: offsets, unknown: unknown)
  }

  /// The properties of the writers of `branch` whose offsets change when it is set back to its
  /// ancestor `snapshot`: those as of then, the fences as they are. Where nothing tells them any
  /// more, the property stays, and the writer finds that out.
  public func writerRecords(of branch: String, backTo snapshot: SnapshotID) -> [String: String] {
    guard let target = self.snapshot(snapshot) else { return [:] }
    var properties: [String: String] = [:]
    for (name, record) in writerRecords where record.branch == branch {
      if isAncestor(record.snapshot, of: snapshot) { continue }
      let isExpired = self.snapshot(record.snapshot) == nil
      if isExpired, record.sequenceNumber <= target.sequenceNumber { continue }
      let told = offsets(of: name, record, at: snapshot)
      guard told.unknown.isEmpty else { continue }
      var old = record
      old.offsets = told.offsets
      old.snapshot = snapshot
      old.sequenceNumber = target.sequenceNumber
      properties[WriterRecord.property(of: name)] = old.text
    }
    return properties
  }

  /// True if the snapshot of `record` was taken off its branch: by a rollback, or a branch put in
  /// another's place. One that is no longer there because it expired was not.
  ///
  /// Cost: O(1) if it is the head; else the snapshots after it.
  public func isRolledBack(_ record: WriterRecord) -> Bool {
    guard let head = references[record.branch]?.snapshotID else { return true }
    var oldest: Snapshot?
    for ancestor in ancestry(of: head) {
      if ancestor.id == record.snapshot { return false }
      oldest = ancestor
    }
    // It expired if all that is left is newer, and goes back no further.
    guard snapshot(record.snapshot) == nil, let oldest, oldest.parentID != nil else { return true }
    return oldest.sequenceNumber <= record.sequenceNumber
  }
}
