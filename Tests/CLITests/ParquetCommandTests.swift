// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("lake parquet")
struct ParquetCommandTests {
  private func run(_ place: Workplace, _ arguments: [String]) async throws -> LakeProcess.Outcome {
    try await LakeProcess.run(LakeProcess.binary, ["parquet"] + arguments, in: place.folder)
  }

  /// A Parquet file of some orders, by its path from the folder.
  private func file(_ place: Workplace) async throws -> String {
    try await place.makeOrders()
    let data = try #require(
      try await place.files().first { $0.contains("part=x") && $0.hasSuffix("parquet") })
    try await place.fetch("warehouse/\(data)")
    return "warehouse/\(data)"
  }

  @Test func `cat prints the rows that match, of the columns asked for`() async throws {
    let place = try Workplace()
    let file = try await file(place)
    let all = try await run(place, ["cat", file, "--select", "id,name"])
    #expect(all.status == 0 && all.lines.count == 2, "\(all)")
    let some = try await run(
      place, ["cat", file, file, "--select", "id", "--where", "id < 2 AND name = 'ann'"])
    #expect(some.stdout == "{\"id\":1}\n{\"id\":1}\n", "\(some)")
    let one = try await run(
      place, ["cat", file, file, "--select", "id", "--limit", "1", "--format", "csv"])
    #expect(one.stdout == "id\n1\n", "\(one)")
    let count = try await run(place, ["count", file, "--where", "id < 2"])
    #expect(count.stdout == "{\"file\":\"\(file)\",\"count\":1}\n", "\(count)")
    let unknown = try await run(place, ["cat", file, "--where", "nope = 1"])
    #expect(unknown.status == 1 && unknown.stderr.contains("nope"), "\(unknown)")
  }

  @Test func `pages and index tell where pages are and what they hold`() async throws {
    let place = try Workplace()
    let file = try await file(place)
    let pages = try await run(place, ["pages", file]).rows
    let ids = pages.filter {
      $0["column"] as? String == "id" && $0["kind"] as? String != "DICTIONARY_PAGE"
    }
    #expect(ids.count == 1 && ids[0]["rows"] as? Int == 2 && ids[0]["crc"] as? String == "ok")
    let index = try await run(place, ["index", file]).rows
    let bounds = try #require(index.first { $0["column"] as? String == "id" })
    #expect(bounds["lower"] as? String == "1" && bounds["upper"] as? String == "2", "\(bounds)")
    #expect(bounds["rows"] as? Int == 2 && bounds["nulls"] as? Int == 0, "\(bounds)")
  }

  @Test func `verify names the check that does not hold, and exits with 2`() async throws {
    let place = try Workplace()
    let file = try await file(place)
    let sound = try await run(place, ["verify", file])
    #expect(sound.status == 0 && sound.stdout.isEmpty, "\(sound)")
    let whole = [UInt8](try Data(contentsOf: place.folder.appending(path: file)))
    let pages = try await run(place, ["pages", file]).rows
    let page = try #require(pages.last)
    let offset = try #require(page["offset"] as? Int)
    let header = try #require(page["header_bytes"] as? Int)
    let size = try #require(page["compressed_bytes"] as? Int)
    for (place_, check) in [
      (offset + header, "pages"), (offset + header + size + 3, "column-index"),
      (whole.count - 20, "footer"),
    ] {
      var bytes = whole
      bytes[place_] ^= 0x10
      try Data(bytes).write(to: place.folder.appending(path: "damaged.parquet"))
      let outcome = try await run(place, ["verify", "damaged.parquet"])
      #expect(outcome.status == 2, "\(check): \(outcome)")
      #expect(outcome.rows.contains { $0["check"] as? String == check }, "\(check): \(outcome)")
    }
  }
}
