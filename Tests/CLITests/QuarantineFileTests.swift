// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import Lake
import Testing

@testable import LakeCLI

@Suite("Files of rows put aside")
struct QuarantineFileTests {
  private static let writer = QuarantineNote.Owner(table: "t", writer: "tower of a, b")

  /// A folder of its own, gone at the end.
  private final class Place {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    var path: String { folder.appending(path: "aside").path }
    var notePath: String { path + ".uncommitted" }
    init() throws {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: folder) }

    func text() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
    var hasNote: Bool { FileManager.default.fileExists(atPath: notePath) }

    /// What a command does that ends before its commit of `epoch`, with `rows` in front of it.
    func append(_ rows: String, epoch: Int64, of owner: QuarantineNote.Owner? = writer) async throws
    {
      let file = try QuarantineFile(path)
      _ = try await file.claim(for: owner, committed: epoch - 1, .system)
      try file.append(Buffer(utf8: rows), epoch: epoch)
    }
  }

  @Test func `what was not committed is cut off, whole or torn, and what was stays`() async throws {
    for (committed, left) in [(Int64(4), "one\n"), (5, nil), (6, nil)] {
      for cut in 0...9 {
        let place = try Place()
        try Data("one\n".utf8).write(to: URL(fileURLWithPath: place.path))
        try await place.append("two\nthree", epoch: 5)
        let torn = try FileHandle(forWritingTo: URL(fileURLWithPath: place.path))
        try torn.truncate(atOffset: UInt64(4 + cut))
        let before = try place.text()
        let file = try QuarantineFile(place.path)
        let count = try await file.claim(for: Self.writer, committed: committed, .system)
        #expect(try place.text() == left ?? before)
        #expect(count == (left == nil ? 0 : cut))
        #expect(!place.hasNote)
      }
    }
  }

  @Test func `the note goes when its commit is there, and no sooner`() async throws {
    let place = try Place()
    let file = try QuarantineFile(place.path)
    _ = try await file.claim(for: Self.writer, committed: 7, .system)
    try file.append(Buffer(utf8: "x\n"), epoch: 8)
    try file.end(committed: 7)
    #expect(place.hasNote)
    try file.end(committed: 8)
    #expect(!place.hasNote)
  }

  @Test func `every note that is cut short is none, and so is one with another byte`() throws {
    let note = QuarantineNote(Self.writer, epoch: 3, file: 9, start: 10, end: 12)
    #expect(QuarantineNote(parsing: note.text) == note)
    let bytes = Array(note.text.utf8)
    for count in 0..<bytes.count {
      #expect(QuarantineNote(parsing: String(decoding: bytes[..<count], as: UTF8.self)) == nil)
      var other = bytes
      other[count] ^= 1
      #expect(QuarantineNote(parsing: String(decoding: other, as: UTF8.self)) == nil)
    }
  }

  @Test func `what another writer left open, or others wrote behind, is not touched`() async throws
  {
    let place = try Place()
    try await place.append("mine\n", epoch: 1)
    for owner in [nil, QuarantineNote.Owner(table: "t", writer: "x")] {
      let file = try QuarantineFile(place.path)
      await #expect(throws: CommandError.self) {
        _ = try await file.claim(for: owner, committed: 9, .system)
      }
      #expect(try place.text() == "mine\n")
      #expect(place.hasNote)
    }
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: place.path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("others\n".utf8))
    let file = try QuarantineFile(place.path)
    #expect(try await file.claim(for: Self.writer, committed: 0, .system) == 0)
    #expect(try place.text() == "mine\nothers\n")
  }

  @Test func `a file in another one's place is not cut`() async throws {
    let place = try Place()
    try await place.append("mine\n", epoch: 1)
    try FileManager.default.moveItem(atPath: place.path, toPath: place.path + ".old")
    try Data("123456789\n".utf8).write(to: URL(fileURLWithPath: place.path))
    let file = try QuarantineFile(place.path)
    #expect(try await file.claim(for: Self.writer, committed: 0, .system) == 0)
    #expect(try place.text() == "123456789\n")
  }

  @Test func `two streams that keep offsets don't have one file, others share it`() async throws {
    let place = try Place()
    let first = try QuarantineFile(place.path)
    let second = try QuarantineFile(place.path)
    _ = try await first.claim(for: nil, committed: 0, .system)
    _ = try await second.claim(for: nil, committed: 0, .system)
    let third = try QuarantineFile(place.path, patience: .milliseconds(100))
    await #expect(throws: CommandError.self) {
      _ = try await third.claim(for: Self.writer, committed: 0, .system)
    }
  }
}
