// SPDX-License-Identifier: Apache-2.0
import Testing

@Suite("Banned calls")
struct BannedCallTests {
  @Test func `no library asks the machine for time, chance or threads, or traps`() throws {
    let sources = Checkout.files(under: "Sources", ending: ".swift")
    #expect(sources.count > 100)
    for path in sources {
      for finding in BannedCall.findings(try Checkout.text(path), path: path) {
        Issue.record("\(finding)")
      }
    }
  }

  @Test(arguments: [
    "let now = Date()", "let now = Date.now", "clock_gettime(CLOCK_REALTIME, &time)",
    "let start = ContinuousClock.now", "let name = UUID().uuidString",
    "let id = Int64.random(in: 1...9)",
    "var chance = SystemRandomNumberGenerator()", "files.shuffled()",
    "try await Task.sleep(for: .seconds(1))", "Task { await work() }", "Task.detached { work() }",
    "  let task = Task(priority: .low) { work() }", "DispatchQueue.global().async { }",
    "let thread = Thread(block: work)", "import Foundation", "internal import Foundation",
    "import struct Foundation.Date", "let value = try! read()", "let text = any as! String",
    #"fatalError("never")"#, "final class Box: @unchecked Sendable {",
  ])
  func `a banned call is found`(snippet: String) {
    let found = BannedCall.findings("let a = 1\n\(snippet)\n", path: "Sources/Parquet/Bad.swift")
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.hasPrefix("Sources/Parquet/Bad.swift:2: ") == true)
  }

  @Test(arguments: [
    "// Date() is not for us", "/// as `UUID()` does", #"let text = "import Foundation""#,
    "let delay = environment.random(below: 10)", "group.addTask { work() }",
    "private struct Task {", "let tasks = [ScanTask]()", "let updated = lastDate()",
    "import FoundationDB", "let x = try? read()", "let y = z as? String", "return try !isEmpty()",
  ])
  func `what only looks like one is let be`(snippet: String) {
    #expect(BannedCall.findings(snippet, path: "Sources/Parquet/Good.swift") == [])
  }

  @Test func `a call is allowed where it has its home`() {
    let code = "try await Task.sleep(for: duration)"
    #expect(BannedCall.findings(code, path: "Sources/Storage/Environment.swift") == [])
  }
}
