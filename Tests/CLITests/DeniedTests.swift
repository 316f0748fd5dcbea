// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("No room and no permission")
struct DeniedTests {
  private static let isRoot = geteuid() == 0

  @Test(.notWith(.s3, because: "it is about a full disk"))
  func `a full disk fails an append, and leaves the table as it was`() async throws {
    let place = try Workplace()
    // Random digits do not compress: some 3 MB of data.
    let outcome = try await place.shell(
      """
      set -e
      awk 'BEGIN { srand(1); print "id,name"; for (i = 0; i < 200000; i++) \
        printf "%d,%d%d%d\\n", i, rand() * 1e9, rand() * 1e9, rand() * 1e9 }' > rows.csv
      mkdir warehouse
      if mount -t tmpfs -o size=1m none warehouse 2>/dev/null; then
        # A server of the catalog may have a file of it open.
        trap 'umount -l warehouse' EXIT
        limit() { :; }
      else
        limit() { ulimit -f 512; }
      fi
      lake create b.t --schema 'id long, name string' > /dev/null
      find warehouse -type f | sort > before
      set +e
      (limit; lake append b.t rows.csv); echo "status $?"
      find warehouse -type f | sort | diff before - && echo "files as before"
      lake count b.t --format table
      lake verify b.t --quiet; echo "verified $?"
      """)
    #expect(outcome.lines == ["status 1", "files as before", "0", "verified 0"], "\(outcome)")
    let lines = outcome.stderr.split(separator: "\n")
    #expect(lines.count == 1, "\(outcome)")
    #expect(lines.first?.hasPrefix("lake: append failed: ") == true, "\(outcome)")
    #expect(lines.first?.contains("no room") == true, "\(outcome)")
  }

  @Test func `a full disk under standard output fails a scan`() async throws {
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    let place = try Workplace()
    try await place.makeOrders()
    let outcome = try await place.shell("lake scan shop.orders > /dev/full; echo $?")
    #expect(outcome.stdout == "1\n")
    #expect(outcome.stderr.hasPrefix("lake: writing to standard output failed: "), "\(outcome)")
    let report = try await place.shell(
      """
      echo '{"id":9}' | lake append shop.orders - --input-format jsonl > /dev/full; echo $?
      lake count shop.orders --format table
      """)
    #expect(report.stdout == "0\n5\n", "the commit happened, and the exit code tells: \(report)")
    #expect(report.stderr.contains("done, but"), "\(report)")
  }

  @Test(.notWith(.s3, because: "it is about permissions of files"))
  func `a file that may not be read or written is named`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    try place.write("secret.csv", "id\n1\n")
    // Permissions bind no one who is root.
    let drop = "setpriv --reuid 65534 --regid 65534 --clear-groups"
    guard !Self.isRoot || FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv") else {
      print("skipped: permissions need another user than root, or setpriv")
      return
    }
    let outcome = try await place.shell(
      """
      chmod 755 .; chmod 000 secret.csv; chmod -R a+rX warehouse; chmod -R a-w warehouse
      echo 'id' > open.csv; echo 1 >> open.csv; chmod a+r open.csv
      as() { \(Self.isRoot ? drop : "") "$LAKE" "$@"; }
      as append shop.orders secret.csv; echo $?
      as append shop.orders open.csv; echo $?
      as count shop.orders --format table
      chmod -R u+w warehouse
      """, environment: ["LAKE": LakeProcess.binary.path])
    guard !outcome.stderr.contains("LAKE\"") else { return }
    let lines = outcome.stderr.split(separator: "\n")
    if TestCatalog.kind == .sqlite {
      // The catalog's file is its owner's alone: who may not read that gets at nothing.
      #expect(outcome.stdout == "1\n1\n", "\(outcome)")
      let isNamed = lines.map {
        $0.contains("no permission for") && $0.contains(TestCatalog.file)
      }
      #expect(isNamed == [true, true, true], "\(outcome)")
      return
    }
    #expect(outcome.stdout == "1\n1\n4\n", "\(outcome)")
    #expect(lines.count == 2, "\(outcome)")
    #expect(lines.first?.contains("no permission for") == true, "\(outcome)")
    #expect(lines.first?.contains("secret.csv") == true, "\(outcome)")
    #expect(lines.last?.contains("no permission for") == true, "\(outcome)")
  }
}
