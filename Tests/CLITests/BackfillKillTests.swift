// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

/// Real flights, recomputed by a command that is killed again and again.
@Suite("Backfills that are killed", .serialized)
struct BackfillKillTests {

  @Test func `the events are there, or their absence is told`() {
    guard FlightEvents.generator == nil else { return }
    print("skipped: flight events are not there")
    #expect(!SiblingFolder.isContinuousIntegration, "flight events are missing")
  }

  /// A day and 6 kills; with `LAKE_DEPTH=long` the year and 50.
  @Test(.enabled(if: FlightEvents.generator != nil))
  func `a command killed and started again lands each flight once`() async throws {
    let place = try Workplace()
    let random = SeededRandom(printing: "backfills that are killed")
    _ = try await FlightEvents.make(in: place, days: Depth.isLong ? nil : 1)
    let made = try await place.shell(
      """
      lake upsert air.flights events.jsonl --create --key time_hour,carrier,flight \
        --order-by event_ts --partition-by 'month(time_hour)' \
        --commit-rows \(Depth.isLong ? 50_000 : 200) --commit-interval 60s
      """)
    #expect(made.status == 0, "\(made)")
    let command = """
      backfill air.flights air.delays --create --resume --split-size \
      \(Depth.isLong ? "200KB" : "8KB") --commit-size 1B --select \
      'carrier, flight, time_hour, coalesce(dep_delay, 0) / 60.0 AS hours, lower(origin) AS origin'
      """
    let kills = Depth.isLong ? 50 : 6
    var killed = 0
    while killed < kills {
      let delay = Double(random.int(in: 20..<(Depth.isLong ? 220 : 250))) / 1000
      let outcome = try await place.shell(
        "timeout -s KILL \(delay) \(Workplace.quoted(LakeProcess.binary.path)) \(command)")
      #expect([0, 137].contains(outcome.status), "\(outcome)")
      if outcome.status != 137 { break }
      killed += 1
      // Others go on with the source.
      if killed == kills / 2 {
        let other = try await place.shell(
          "lake update air.flights --set 'dep_delay = 0' --where 'flight < 100'")
        #expect(other.status == 0, "\(other)")
      }
    }
    let last = try await place.shell("lake \(command)")
    #expect(last.status == 0, "\(last)")
    print("\(killed) kills of \(kills)")
    let pinned = try #require(last.rows.first?["source_snapshot_id"] as? Int64)
    let again = try await place.shell("lake \(command) --to \(pinned)")
    #expect(again.rows.first?["operation"] as? String == "none", "\(again)")
    try await check(place, pinned)
  }

  private func check(_ place: Workplace, _ pinned: Int64) async throws {
    let catalog = try await TestCatalog.open(in: place.folder)
    let source = try await catalog.loadTable(TableIdentifier("air.flights"))
    let target = try await catalog.loadTable(TableIdentifier("air.delays"))
    var expected: [String: Int] = [:]
    let scan = source.scan().at(.id(SnapshotID(pinned)))
      .select(["carrier", "flight", "time_hour", "dep_delay", "origin"])
    for try await batch in scan.batches() {
      for row in 0..<batch.rowCount {
        let c = batch.columns
        let delay = c[3].isNull(row) ? 0 : Double(c[3].integer(row))
        let line =
          "\(c[0].string(row)) \(c[1].integer(row)) \(c[2].integer(row)) \(delay / 60) "
          + (c[4].isNull(row) ? "-" : c[4].string(row).lowercased())
        expected[line, default: 0] += 1
      }
    }
    var found: [String: Int] = [:]
    for try await batch in target.scan().batches() {
      for row in 0..<batch.rowCount {
        let c = batch.columns
        let line =
          "\(c[0].string(row)) \(c[1].integer(row)) \(c[2].integer(row)) "
          + "\(c[3].floatingPoint(row)) " + (c[4].isNull(row) ? "-" : c[4].string(row))
        found[line, default: 0] += 1
      }
    }
    #expect(found.count == expected.count)
    #expect(found == expected)
    let verified = try await place.lake("verify", "air.delays", "--quiet")
    #expect(verified.status == 0, "\(verified)")
  }
}
