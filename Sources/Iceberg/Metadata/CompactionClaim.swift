// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON

/// What a compaction asks of those who write to a branch while it is under way: that they do not
/// replace the data files that it may be rewriting. It is a property of the table.
///
///     lake.compaction = {"id":"6f…","branch":"main","sequence":20,"until":1763895600000}
///
/// Advice, which is lost on who does not know it: what is done against it costs time and no rows.
package struct CompactionClaim: Hashable, Sendable {
  /// Tells the run of a compaction from others.
  package let id: String
  package let branch: String
  /// That of the state that is rewritten: its data files have none above it. So has what the
  /// compaction makes of them, which is left alone as well.
  package let sequenceNumber: SequenceNumber
  /// When it ends, if no one renews it or takes it back before, in milliseconds since 1970.
  package let until: Int64

  package init(id: String, branch: String, sequenceNumber: SequenceNumber, from now: Int64) {
    self.id = id
    self.branch = branch
    self.sequenceNumber = sequenceNumber
    let (until, overflow) = now.addingReportingOverflow(Self.lifetime)
    self.until = overflow ? now : until
  }

  package static let property = "lake.compaction"

  /// How long it holds, in milliseconds.
  package static let lifetime: Int64 = 600_000
  /// One that would hold for longer is of a clock that can't be believed.
  private static let longest: Int64 = 6 * lifetime

  /// True if it holds at `now`, in milliseconds since 1970.
  package func holds(at now: Int64) -> Bool {
    let (left, overflow) = until.subtractingReportingOverflow(now)
    return !overflow && left > 0 && left <= Self.longest
  }

  /// The same from `now` on.
  package func renewed(at now: Int64) -> CompactionClaim {
    CompactionClaim(id: id, branch: branch, sequenceNumber: sequenceNumber, from: now)
  }
}

extension CompactionClaim {
  /// Nil if the property says something else.
  package init?(parsing text: String) {
    guard let members = try? RememberedMembers(parsing: text, ofProperty: Self.property),
      let id = try? members.string("id"), let branch = try? members.string("branch"),
      let sequence = try? members.integer("sequence"), let until = try? members.integer("until")
    else { return nil }
    self.id = id
    self.branch = branch
    sequenceNumber = SequenceNumber(sequence)
    self.until = until
  }

  /// The property's value.
  package var text: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.writeKey("id")
    writer.write(id)
    writer.writeKey("branch")
    writer.write(branch)
    writer.writeKey("sequence")
    writer.write(sequenceNumber.rawValue)
    writer.writeKey("until")
    writer.write(until)
    writer.endObject()
    return String(decoding: writer.finish().array(), as: UTF8.self)
  }
}

extension TableMetadata {
  /// The claim that the table has, whether it still holds or not.
  package var compactionClaim: CompactionClaim? {
    properties[CompactionClaim.property].flatMap { CompactionClaim(parsing: $0) }
  }

  /// Up to which sequence number the data files of `branch` are to be left alone at `now`, in
  /// milliseconds since 1970; nil if no one asks for that.
  package func claimedSequenceNumber(of branch: String, at now: Int64) -> SequenceNumber? {
    guard let claim = compactionClaim, claim.branch == branch, claim.holds(at: now) else {
      return nil
    }
    return claim.sequenceNumber
  }
}
