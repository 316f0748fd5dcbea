// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// Which state of a table is read, as every reading command has it.
struct StateOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Read the snapshot with this id.", valueName: "id"))
  var snapshot: Int64?

  @Option(
    help: ArgumentHelp(
      "Read the state at a time: 2026-01-31T00:00:00Z, a date, or how long ago (2h, 7d).",
      valueName: "time"))
  var asOf: String?

  @Option(help: ArgumentHelp("Read a branch or tag.", valueName: "name"))
  var ref: String?

  func validate() throws {
    if [snapshot != nil, asOf != nil, ref != nil].filter({ $0 }).count > 1 {
      throw ValidationError("--snapshot, --as-of and --ref exclude each other.")
    }
    if let asOf, Moment.parse(asOf, now: Environment.system.now()) == nil {
      throw ValidationError(
        "Expected a time such as 2026-01-31T00:00:00Z, 2026-01-31, 2h or 7d, found '\(asOf)'.")
    }
  }

  var selection: SnapshotSelection {
    if let snapshot { return .id(SnapshotID(snapshot)) }
    if let ref { return .reference(ref) }
    if let asOf, let time = Moment.parse(asOf, now: Environment.system.now()) {
      return .asOf(time)
    }
    return .current
  }
}

/// Times as people type them.
enum Moment {
  /// An RFC 3339 time, a date (its midnight, UTC), or how long before `now`: 30s, 15m, 2h, 7d.
  static func parse(_ text: String, now: Timestamp) -> Timestamp? {
    if let time = Timestamp(rfc3339: text) { return time }
    if let midnight = Timestamp(rfc3339: text + "T00:00:00Z") { return midnight }
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
      count >= 0, count < 1 << 32
    else { return nil }
    return now.adding(.seconds(-count * unit))
  }
}
