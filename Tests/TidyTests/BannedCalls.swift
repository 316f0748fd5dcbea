// SPDX-License-Identifier: Apache-2.0

/// Calls that library code must not make, since a promise would break: that everything runs under a
/// virtual clock and a seed, and that no input makes the program stop.
struct BannedCall: Sendable {
  /// Tokens that follow each other, separated by spaces here.
  let patterns: [String]
  /// A token that makes it another thing where it comes right before.
  var unlessAfter: Set<String> = []
  let name: String
  let instead: String
  /// Beginnings of paths where it may be made.
  var allowed: [String] = []

  private static let environment = ["Sources/Storage/Environment.swift"]

  static let all: [BannedCall] = [
    BannedCall(
      patterns: ["Date ( )", "Date . now", "clock_gettime", "gettimeofday"],
      name: "the wall clock", instead: "environment.now()", allowed: environment),
    BannedCall(
      patterns: ["ContinuousClock", "SuspendingClock"], name: "a clock",
      instead: "environment.uptime()"),
    BannedCall(patterns: ["UUID ( )"], name: "UUID()", instead: "environment.uuid()"),
    BannedCall(
      patterns: [". random (", ". shuffled ( )", "SystemRandomNumberGenerator"],
      unlessAfter: ["environment"], name: "chance", instead: "environment.random",
      allowed: environment),
    BannedCall(
      patterns: ["Task . sleep", "usleep (", "nanosleep ("], name: "a sleep",
      instead: "environment.sleep(for:)", allowed: environment),
    BannedCall(
      patterns: ["Task {", "Task ( priority", "Task . detached"],
      unlessAfter: ["struct", "class", "enum", "extension"], name: "a task of its own",
      instead: "a task group",
      allowed: ["Sources/LakeCLI/Main.swift", "Sources/Storage/Uncancelled.swift"]),
    BannedCall(
      patterns: ["DispatchQueue", "Thread ("], name: "a queue or thread",
      instead: "BlockingThreads"),
    BannedCall(
      patterns: ["import Foundation", "import struct Foundation", "import class Foundation"],
      name: "import Foundation", instead: "Glibc and Musl"),
    BannedCall(
      patterns: ["try!", "as!", "fatalError ("], name: "a trap", instead: "a typed error"),
    BannedCall(
      patterns: ["@ unchecked Sendable"], name: "@unchecked Sendable", instead: "Mutex"),
  ]

  private static let sequences = all.map { call in
    (call, call.patterns.map { $0.split(separator: " ").map { Array($0.utf8)[...] } })
  }

  /// The lines of `source` that make a banned call, as `path:line: what; instead`.
  static func findings(_ source: String, path: String) -> [String] {
    var found: [String] = []
    let lines = Array(source.utf8).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let tokens = Tokens.of(line)
      for (call, patterns) in sequences
      where patterns.contains(where: { call.occurs($0, in: tokens) }) {
        if call.allowed.contains(where: { path.hasPrefix($0) }) { continue }
        found.append("\(path):\(index + 1): \(call.name); instead: \(call.instead)")
      }
    }
    return found
  }

  private func occurs(_ pattern: [ArraySlice<UInt8>], in tokens: [ArraySlice<UInt8>]) -> Bool {
    guard tokens.count >= pattern.count else { return false }
    for start in 0...tokens.count - pattern.count where tokens[start] == pattern[0] {
      guard tokens[start..<start + pattern.count].elementsEqual(pattern) else { continue }
      if start > 0, unlessAfter.contains(String(decoding: tokens[start - 1], as: UTF8.self)) {
        continue
      }
      return true
    }
    return false
  }
}

/// The words and signs of a line of Swift, without comments and what is in string literals.
enum Tokens {
  static func of(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var tokens: [ArraySlice<UInt8>] = []
    var index = line.startIndex
    while index < line.endIndex {
      let start = index
      let byte = line[index]
      index += 1
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"): continue
      case UInt8(ascii: "/") where index < line.endIndex && line[index] == byte: return tokens
      case UInt8(ascii: "\""): index = endOfText(line, index)
      case _ where isWord(byte):
        while index < line.endIndex, isWord(line[index]) { index += 1 }
        // `try! a` is another thing than `try !a`.
        if index < line.endIndex, line[index] == UInt8(ascii: "!") { index += 1 }
        tokens.append(line[start..<index])
      default: tokens.append(line[start..<index])
      }
    }
    return tokens
  }

  /// The index after the quote that ends the text which `start` is in.
  private static func endOfText(_ line: ArraySlice<UInt8>, _ start: Int) -> Int {
    var index = start
    while index < line.endIndex, line[index] != UInt8(ascii: "\"") {
      index += line[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(index + 1, line.endIndex)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: byte >= 0x80
    }
  }
}
