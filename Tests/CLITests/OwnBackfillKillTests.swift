// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

/// Real flights, recomputed in their places by a command that is killed again and again, while a
/// stream updates, deletes and adds some.
@Suite("Backfills of a table's own rows that are killed", .serialized)
struct OwnBackfillKillTests {
  private static let kills = Depth.isLong ? 50 : 4

  /// What becomes of a flight, by its number.
  private enum Fate {
    case kept, deleted, updated
    /// Kept, and one with a higher number comes.
    case joined

    init(_ flight: Int) {
      self =
        switch flight % 10 {
        case 1: .deleted
        case 2: .updated
        case 3: .joined
        default: .kept
        }
    }
  }

  private static let added = 100_000

  /// A row, as it is to be.
  private struct Row: Hashable {
    var key: String
    var delay: Int
    var status: String
  }

  @Test(.enabled(if: FlightEvents.generator != nil))
  func `no row that a stream wrote is overwritten, and none that it deleted comes back`()
    async throws
  {
    let place = try Workplace()
    let random = SeededRandom(printing: "own backfills that are killed")
    let events = try await FlightEvents.make(in: place, days: Depth.isLong ? nil : 1)
    let made = try await place.shell(
      """
      lake upsert air.flights events.jsonl --create --key time_hour,carrier,flight \
        --order-by event_ts --partition-by 'month(time_hour)' \
        --commit-rows \(Depth.isLong ? 50_000 : 300) --commit-interval 60s > /dev/null
      lake inspect air.flights refs --format jsonl
      """)
    guard made.status == 0 else { throw Unexpected(made) }
    let table = try await load(place)
    let pinned = try #require(table.metadata.currentSnapshotID)
    let ids = try await rowIDs(table)
    try writeStream(place, try flights(events), parts: Self.kills)
    let backfill = """
      backfill air.flights air.flights --resume --to \(pinned.rawValue) --commit-size 1B \
      --split-size \(Depth.isLong ? "200KB" : "8KB") \
      --select 'coalesce(dep_delay, 0) + 10000 AS dep_delay'
      """
    let program = Workplace.quoted(LakeProcess.binary.path)
    var killed = 0
    for part in 0..<Self.kills {
      let delay = Double(random.int(in: 20..<(Depth.isLong ? 400 : 300))) / 1000
      let outcome = try await place.shell(
        """
        timeout -s KILL \(delay) \(program) \(backfill) > /dev/null & backfill=$!
        lake upsert air.flights part-\(part).jsonl --order-by event_ts --commit-interval 60s \
          --delete-when "status = 'gone'" --commit-rows \(Depth.isLong ? 1000 : 40) --quiet || exit 9
        [ \(part % 5) = 3 ] && { lake compact air.flights --quiet > /dev/null || exit 8; }
        wait $backfill
        """)
      // A commit that loses often enough says so, and is made by the next run.
      #expect([0, 3, 137].contains(outcome.status), "part \(part): \(outcome)")
      if outcome.status == 137 { killed += 1 }
    }
    let last = try await place.shell("lake \(backfill)")
    #expect(last.status == 0, "\(last)")
    print("\(killed) kills of \(Self.kills)")
    let again = try await place.shell("lake \(backfill)")
    #expect(again.rows.first?["operation"] as? String == "none", "\(again)")
    try await check(place, try flights(events), ids)
  }

  // MARK: the stream

  private func flights(_ events: FlightEvents) throws -> [[String: Any]] {
    try String(contentsOf: events.final, encoding: .utf8).split(separator: "\n").compactMap {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }

  private func writeStream(
    _ place: Workplace, _ flights: [[String: Any]], parts: Int
  ) throws {
    var lines: [String] = []
    for flight in flights {
      var row = flight
      row["event_ts"] = "2031-01-01T00:00:00Z"
      let number = flight["flight"] as? Int ?? 0
      switch Fate(number) {
      case .kept: continue
      case .deleted: row["status"] = "gone"
      case .updated:
        row["status"] = "streamed"
        row["dep_delay"] = -7
      case .joined:
        row["status"] = "new"
        row["flight"] = number + Self.added
        row["dep_delay"] = 1
      }
      let data = try JSONSerialization.data(withJSONObject: row)
      lines.append(String(decoding: data, as: UTF8.self) + "\n")
    }
    for part in 0..<parts {
      let range = lines.count * part / parts..<lines.count * (part + 1) / parts
      try place.write("part-\(part).jsonl", lines[range].joined())
    }
  }

  // MARK: what is there

  private func load(_ place: Workplace) async throws -> Table {
    let catalog = try await TestCatalog.open(in: place.folder)
    return try await catalog.loadTable(TableIdentifier("air.flights"))
  }

  private func rows(_ table: Table) async throws -> [(row: Row, id: Int64)] {
    let scan = table.scan().select([
      "time_hour", "carrier", "flight", "dep_delay", "status", "_row_id",
    ])
    var rows: [(row: Row, id: Int64)] = []
    for try await batch in scan.batches() {
      let c = batch.columns
      for row in 0..<batch.rowCount {
        let delay = c[3].isNull(row) ? Int.min : Int(c[3].integer(row))
        rows.append(
          (
            Row(
              key: "\(c[0].integer(row)) \(c[1].string(row)) \(c[2].integer(row))",
              delay: delay, status: c[4].string(row)),
            Int64(c[5].integer(row))
          ))
      }
    }
    return rows
  }

  private func rowIDs(_ table: Table) async throws -> [String: Int64] {
    Dictionary(uniqueKeysWithValues: try await rows(table).map { ($0.row.key, $0.id) })
  }

  private func check(
    _ place: Workplace, _ flights: [[String: Any]], _ ids: [String: Int64]
  ) async throws {
    var expected: [String: Row] = [:]
    let format = ISO8601DateFormatter()
    for flight in flights {
      let hour = (flight["time_hour"] as? String ?? "").prefix(19) + "Z"
      let time = Int64(format.date(from: String(hour))?.timeIntervalSince1970 ?? 0) * 1_000_000
      let number = flight["flight"] as? Int ?? 0
      func expect(_ number: Int, _ delay: Int, _ status: String) {
        let key = "\(time) \(flight["carrier"] as? String ?? "") \(number)"
        expected[key] = Row(key: key, delay: delay, status: status)
      }
      let status = flight["status"] as? String ?? ""
      let computed = (flight["dep_delay"] as? Int ?? 0) + 10000
      switch Fate(number) {
      case .deleted: break
      case .updated: expect(number, -7, "streamed")
      case .kept: expect(number, computed, status)
      case .joined:
        expect(number, computed, status)
        expect(number + Self.added, 1, "new")
      }
    }
    let found = try await rows(try await load(place))
    #expect(found.count == expected.count)
    let wrong = found.filter { expected[$0.row.key] != $0.row }.map(\.row)
    #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(5))")
    let moved = found.filter { ids[$0.row.key] ?? $0.id != $0.id }
    #expect(moved.isEmpty, "another _row_id: \(moved.prefix(5))")
    #expect(Set(found.map(\.id)).count == found.count, "a _row_id twice")
    let verified = try await place.lake("verify", "air.flights", "--deep", "--quiet")
    #expect(verified.status == 0, "\(verified)")
  }
}
