// SPDX-License-Identifier: Apache-2.0
import Foundation
import SeededNumbers
import Testing

/// System calls that fail or never return, injected by strace: the k-th of each kind, for k = 1, 2,
/// …, until a run makes fewer. With `LAKE_DEPTH=long` every k, else some of them.
///
/// Calls are counted a thread, as strace does it.
@Suite("Failing system calls", .serialized)
struct FaultTests {
  static let strace = "/usr/bin/strace"

  /// What writes: by groups that the kernel may have under several names.
  static let calls = [
    "openat", "write,pwrite64,writev,pwritev2", "fsync,fdatasync",
    "link,linkat", "rename,renameat,renameat2", "unlink,unlinkat", "mkdir,mkdirat", "ftruncate",
  ]

  /// Which calls are failed.
  private static func numbers() -> [Int] {
    Depth.isLong ? Array(1...400) : [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]
  }

  @Test(
    .notWith(.s3, because: "it is about system calls on files"),
    .notWith(.rest, because: "sockets and the loop that waits for them make the calls that fail"),
    arguments: ["signal=KILL", "error=EIO", "error=ENOSPC"])
  func `an append ends committed or not committed, and says which`(fault: String) async throws {
    guard FileManager.default.isExecutableFile(atPath: Self.strace) else {
      print("skipped: strace is missing")
      return
    }
    let place = try Workplace()
    try place.write("rows.csv", "id,part\n1,a\n2,a\n3,b\n")
    let created = try await place.lake(
      "append", "b.t", "rows.csv", "--create", "--partition-by", "part")
    guard created.status == 0 else { throw Unexpected(created) }
    var count = 3
    var fired = 0
    for call in Self.calls {
      for number in Self.numbers() {
        let what = "\(fault) at \(call) number \(number)"
        let log = place.folder.appending(path: "log").path
        let outcome = try await LakeProcess.run(
          URL(fileURLWithPath: Self.strace),
          [
            "-f", "-qq", "-o", log, "-e", "trace=\(call)", "-e",
            "inject=\(call):\(fault):when=\(number)", LakeProcess.binary.path, "append", "b.t",
            "rows.csv",
          ], in: place.folder)
        let trace = try String(contentsOfFile: log, encoding: .utf8)
        let now = try await place.count("b.t")
        guard trace.contains("INJECTED") || trace.contains("killed by SIGKILL") else {
          #expect(outcome.status == 0 && now == count + 3, "without a fault: \(outcome)")
          count = now
          break
        }
        fired += 1
        switch outcome.status {
        case 0: #expect(now == count + 3, "0 told, nothing there: \(what): \(outcome)")
        case 1: #expect(now == count, "1 told, but committed: \(what): \(outcome)")
        // Killed; or ended by libdispatch, which lives on no failed call to open.
        case 5, 129...:
          #expect(now == count || now == count + 3, "torn: \(what): \(outcome)")
        // The loader could not even start the program.
        case 127: #expect(now == count, "\(what): \(outcome)")
        default: Issue.record("exit code \(outcome.status): \(what): \(outcome)")
        }
        let verified = try await place.lake("verify", "b.t")
        #expect(verified.status == 0, "\(what): \(verified)")
        count = now
      }
    }
    print("\(fault): \(fired) faults, \(count / 3) commits")
    #expect(fired > 20, "the faults did not reach the program")
  }
}
