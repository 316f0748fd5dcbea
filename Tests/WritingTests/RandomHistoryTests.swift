// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

/// Random histories of changes of all kinds, each state held against lists of rows.
@Suite("Random histories")
struct RandomHistoryTests {

  @Test(arguments: [FormatVersion.v1, .v2, .v3])
  func `a history of changes leaves the rows that lists of rows have`(
    version: FormatVersion
  ) async throws {
    let random = SeededRandom(printing: "random histories, v\(version.rawValue)")
    for round in 0..<(Depth.isLong ? 300 : 12) {
      var history = try await RandomHistory(random, version)
      for _ in 0..<random.int(in: 4..<18) {
        try await history.step(random)
        if let difference = try await history.difference() {
          Issue.record("round \(round), \(history.log.joined(separator: "; ")): \(difference)")
          return
        }
      }
      let violations = try await history.invariants.violations()
      #expect(violations == [], "round \(round): \(history.log.joined(separator: "; "))")
    }
  }
}
