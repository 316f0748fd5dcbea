// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("Command line")
struct CommandLineTests {
  @Test func `options that all commands have may stand before the command`() async throws {
    let place = try Workplace()
    let elsewhere = place.folder.appending(path: "elsewhere").path
    let made = try await place.lake(
      "--warehouse", elsewhere, "create", "a.b", "--schema", "id long")
    #expect(made.status == 0, "\(made)")
    let set = try await place.lake(
      "--warehouse=\(elsewhere)", "--quiet", "alter", "a.b", "set", "k=v")
    #expect(set.status == 0, "\(set)")
    let before = try await place.lake(
      "--warehouse", elsewhere, "--format", "jsonl", "inspect", "a.b", "properties")
    let after = try await place.lake(
      "inspect", "a.b", "properties", "--warehouse", elsewhere, "--format", "jsonl")
    #expect(before.stdout == after.stdout && before.stdout.contains("\"k\""), "\(before)")
    // And nothing of it was made where the default is.
    #expect(try await place.lake("ls").stdout.isEmpty)
  }

  @Test func `an error names the command, not the options before it`() async throws {
    let place = try Workplace()
    let found = try await place.lake("--catalog", "nowhere", "scan", "a.b")
    #expect(found.stderr.hasPrefix("lake: scan failed: "), "\(found)")
    #expect(found.status == 3)
  }

  @Test func `a load of a name that has landed is not read again`() async throws {
    let place = try Workplace()
    let file = try place.write("rows.csv", "k\n1\n2\n")
    func load(_ file: String, _ options: String...) async throws -> LakeProcess.Outcome {
      try await place.lake(arguments: ["append", "b.t", file, "--once", "monday"] + options)
    }
    let first = try await load(file, "--create")
    #expect(first.status == 0, "\(first)")
    let second = try await load(file, "--create")
    let gone = try await load("gone.csv")
    for again in [second, gone] {
      #expect(again.status == 0, "\(again)")
      #expect(
        again.rows.first?["snapshot_id"] as? Int64 == first.rows.first?["snapshot_id"] as? Int64)
      #expect(again.rows.first?["attempts"] as? Int64 == 0)
    }
    #expect(try await place.count("b.t") == 2)
    #expect(try await place.lake("append", "b.t", file, "--once", "").status == 64)
  }
}
