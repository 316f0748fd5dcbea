// SPDX-License-Identifier: Apache-2.0
internal import Lake

/// A line on a terminal's standard error that tells how far long work has come.
final class Progress {
  private let activity: String
  private let environment: Environment
  private let start: Duration
  private let isShown: Bool
  private var rows = 0
  private var remark = ""
  private var lastShown: Duration

  init(_ options: OutputOptions, _ activity: String, _ environment: Environment) {
    self.activity = activity
    self.environment = environment
    start = environment.uptime()
    lastShown = start
    isShown = StandardError.isTerminal && !options.quiet
  }

  func add(rows count: Int) {
    rows += count
    guard isShown else { return }
    let now = environment.uptime()
    // Work that is done within a second needs no line, and more than a few a second no one reads.
    guard now - start > .seconds(1), now - lastShown > .milliseconds(200) else { return }
    lastShown = now
    let seconds = Double((now - start).components.seconds) + 0.5
    StandardError.write(
      "\r\(activity): \(rows) rows, \(Int(Double(rows) / seconds)) rows/s\(remark)\u{1b}[K")
  }

  /// Says `text` at the line's end from now on.
  func note(_ text: String) { remark = ", " + text }

  /// Clears the line.
  func finish() {
    if isShown, lastShown > start { StandardError.write("\r\u{1b}[K") }
  }
}
