// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON

/// What a compaction asks of those who write to a branch while it is under way: that they do not
/// replace the data files that it may be rewriting. It is a property of the table.
///
///     lake.compaction = {"id":"6f…","branch":"main","sequence":20,"until":1763895600000}
///
/// Where it lost to them a few times it also asks for a turn (`"turn":1763895005000`): that they hold
/// their commits back for a moment.
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
  /// Until when commits are to be held back; nil: they are not.
  package let turn: Int64?

  package init(id: String, branch: String, sequenceNumber: SequenceNumber, from now: Int64) {
    self.id = id
    self.branch = branch
    self.sequenceNumber = sequenceNumber
    let (until, overflow) = now.addingReportingOverflow(Self.lifetime)
    self.until = overflow ? now : until
    turn = nil
  }

  private init(_ other: CompactionClaim, turn: Int64) {
    id = other.id
    branch = other.branch
    sequenceNumber = other.sequenceNumber
    until = other.until
    self.turn = turn
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

  /// How long a turn is, in milliseconds: it ends before that with the commit it was for.
  package static let turnLength: Int64 = 5_000

  /// True if commits are to be held back at `now`.
  package func hasTurn(at now: Int64) -> Bool {
    guard let turn else { return false }
    let (left, overflow) = turn.subtractingReportingOverflow(now)
    return !overflow && left > 0 && left <= 2 * Self.turnLength
  }

  /// The same with a turn from `now` on.
  package func takingTurn(at now: Int64) -> CompactionClaim {
    let (turn, overflow) = now.addingReportingOverflow(Self.turnLength)
    return CompactionClaim(renewed(at: now), turn: overflow ? now : turn)
  }

  /// The same from `now` on, without a turn.
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
    turn = try? members.integer("turn")
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
    if let turn {
      writer.writeKey("turn")
      writer.write(turn)
    }
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

  /// True if commits to `branch` are to be held back at `now`, in milliseconds since 1970.
  package func isCompactionsTurn(on branch: String, at now: Int64) -> Bool {
    compactionClaim.map { $0.branch == branch && $0.hasTurn(at: now) } ?? false
  }
}
