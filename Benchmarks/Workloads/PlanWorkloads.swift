// SPDX-License-Identifier: Apache-2.0
internal import Lake

/// Finding the files to read of a table that has very many.
enum PlanWorkloads {
  /// Loads the metadata of a table the first peer made, and lists the files of a filter; then lists
  /// them again in the same process.
  @Sendable
  static func plan(_ context: BenchContext) async throws -> Workloads.Metrics {
    let files = try context.number("files")
    let folder = "plan/b/t\(files)_\(try context.number("per_manifest"))"
    // The peers rename a table once it is whole, which leaves its files where they are.
    let metadata = try await context.newestMetadata(in: folder, folder + "_building")
    let filter = try filter(try context.text("filter"))
    var planned = 0
    var opened: Table?
    let measurement = try await Measurement.of {
      let table = try await TableAtLocation.open(metadata, store: context.store)
      planned = try await table.scan().filter(filter).plan().tasks.count
      opened = table
    }
    guard let table = opened else { throw BenchError.wrongResult("no table") }
    var again = 0
    let second = try await Measurement.of {
      again = try await table.scan().filter(filter).plan().tasks.count
    }
    guard again == planned else { throw BenchError.wrongResult("\(again) files, not \(planned)") }
    return measurement.metrics + [
      ("planned", Double(planned)), ("files_per_s", files.rate(over: measurement)),
      ("second_ms", second.wallSeconds * 1e3),
    ]
  }

  private static func filter(_ name: String) throws -> Predicate {
    switch name {
    case "none": .alwaysTrue
    case "day":
      try PredicateParser.parse(
        "event_ts >= '2025-06-01T00:00:00+00:00' AND event_ts < '2025-06-02T00:00:00+00:00'")
    case "key": try PredicateParser.parse("user_id = 4999500")
    default: throw BenchError.usage("filter none, day or key")
    }
  }
}
