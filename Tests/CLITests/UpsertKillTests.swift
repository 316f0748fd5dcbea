// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

/// Real flights as a stream of events, killed again and again.
@Suite("Upserts that are killed", .serialized)
struct UpsertKillTests {
  private static let generator = FlightEvents.generator

  @Test func `the events are there, or their absence is told`() {
    guard Self.generator == nil else { return }
    print("skipped: flight events are not there")
    #expect(!SiblingFolder.isContinuousIntegration, "flight events are missing")
  }

  /// Two days of events and 12 kills; with `LAKE_DEPTH=long` the year and 200.
  @Test(.enabled(if: generator != nil))
  func `a command killed and started again leaves the newest rows, each counted once`() async throws
  {
    let place = try Workplace()
    let random = SeededRandom(printing: "upserts that are killed")
    let events = try await FlightEvents.make(in: place, days: Depth.isLong ? nil : 2)
    let kills = Depth.isLong ? 200 : 12
    let command = """
      upsert air.flights events.jsonl --create --key time_hour,carrier,flight \
      --order-by event_ts --partition-by 'day(time_hour)' --writer tower --source-offset \
      --commit-rows \(Depth.isLong ? 4000 : 250) --commit-interval 60s
      """
    var killed = 0
    for _ in 0..<kills {
      let delay = Double(random.int(in: 20..<(Depth.isLong ? 1500 : 400))) / 1000
      let outcome = try await place.shell(
        "timeout -s KILL \(delay) \(Workplace.quoted(LakeProcess.binary.path)) \(command)")
      #expect([0, 137].contains(outcome.status), "\(outcome)")
      if outcome.status == 137 { killed += 1 }
      if outcome.status == 0 { break }
    }
    let last = try await place.shell("lake \(command)")
    #expect(last.status == 0, "\(last)")
    print("\(killed) kills of \(kills)")
    let again = try await place.shell("lake \(command)")
    #expect(again.rows.first?["received"] as? Int == 0, "\(again)")
    try await check(place, events, kills: killed)
  }

  private func check(_ place: Workplace, _ events: FlightEvents, kills: Int) async throws {
    let catalog = try await TestCatalog.open(in: place.folder)
    let table = try await catalog.loadTable(TableIdentifier("air.flights"))
    let rows = try await table.scan().canonicalRows()
    let expected = try CanonicalRows.lines(in: events.final)
    #expect(rows == expected, "\(CanonicalRows.difference(rows, expected))")

    // Every event was counted once, by one commit.
    var counts = UpsertCounts()
    for snapshot in table.metadata.snapshots {
      guard let part = UpsertCounts(summary: snapshot.summary) else { continue }
      counts.received += part.received
      counts.written += part.written
      counts.superseded += part.superseded
      counts.late += part.late
      #expect(part.received == part.written + part.superseded + part.late + part.deleted)
    }
    #expect(counts.received == events.count)
    #expect(counts.written + counts.superseded + counts.late == events.count)

    let verified = try await place.lake("verify", "air.flights", "--quiet")
    #expect(verified.status == 0, "\(verified)")
    try await checkHistory(of: table)
    try await checkOrphans(place, table, kills: kills)
  }

  /// A key keeps its `_row_id`, and never goes back, from snapshot to snapshot.
  private func checkHistory(of table: Table) async throws {
    var ids: [String: Int64] = [:]
    var newest: [String: Int64] = [:]
    let snapshots = table.metadata.snapshots
    // Of a year some fifty states are looked at.
    let step = max(1, snapshots.count / 50)
    for index in stride(from: snapshots.count - 1, through: 0, by: -step).reversed() {
      let scan = table.scan().at(.id(snapshots[index].id))
        .select(["time_hour", "carrier", "flight", "event_ts", "_row_id"])
      var seen: Set<String> = []
      for try await batch in scan.batches() {
        for row in 0..<batch.rowCount {
          let columns = batch.columns
          let key =
            "\(columns[0].integer(row)) \(columns[1].string(row)) \(columns[2].integer(row))"
          #expect(seen.insert(key).inserted, "two rows of \(key)")
          let (time, id) = (columns[3].integer(row), columns[4].integer(row))
          #expect(ids[key] ?? id == id, "another _row_id of \(key)")
          #expect(newest[key] ?? time <= time, "\(key) was set back")
          ids[key] = id
          newest[key] = time
        }
      }
    }
    #expect(Set(ids.values).count == ids.count, "a _row_id was given twice")
  }

  /// What no snapshot names is of the one attempt that each kill hit.
  private func checkOrphans(_ place: Workplace, _ table: Table, kills: Int) async throws {
    var named: Set<String> = []
    for snapshot in table.metadata.snapshots {
      let list = try await ManifestFiles(table).list(of: snapshot)
      for manifest in list.manifests {
        for entry in try await ManifestFiles(table).entries(
          of: manifest, ManifestProjection(metrics: .none))
        {
          named.insert(String(entry.file.path.split(separator: "/").last ?? ""))
        }
      }
      for statistics in table.metadata.statistics {
        named.insert(String(statistics.path.split(separator: "/").last ?? ""))
      }
    }
    let left = try await place.files().filter { path in
      (path.hasSuffix(".parquet") || path.hasSuffix(".puffin"))
        && !named.contains(String(path.split(separator: "/").last ?? ""))
    }
    // A commit of two days of departures writes at most five data files, vectors and an index.
    #expect(left.count <= kills * 8, "left over of \(kills) kills: \(left)")
  }
}

/// Events made of real flights, and what the flights came to.
struct FlightEvents {
  let file: URL
  let final: URL
  let count: Int

  static let generator = SiblingFolder.shared("data/flight-events")

  /// Writes `events.jsonl`, with late ones and doubled ones, and `final.jsonl` to `place`.
  ///
  /// - Parameter days: of the year; nil: all of it.
  static func make(in place: Workplace, days: Int?, late: Double = 0.05) async throws
    -> FlightEvents
  {
    let generator = Workplace.quoted(generator?.path ?? "")
    let days = days.map { "--days \($0)" } ?? ""
    let made = try await place.shell(
      """
      python3 \(generator) \(days) --late \(late) --dup 0.02 --out events.jsonl
      python3 \(generator) \(days) --final --out final.jsonl
      wc -l < events.jsonl
      """)
    guard made.status == 0, let count = made.lines.first.flatMap({ Int($0) }) else {
      throw Unexpected(made)
    }
    return FlightEvents(
      file: place.folder.appending(path: "events.jsonl"),
      final: place.folder.appending(path: "final.jsonl"), count: count)
  }
}
