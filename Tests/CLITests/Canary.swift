// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import Testing

/// Secrets that every `lake` of the suite is given, and that none may let out: not in an output, not
/// in a file. (What the test run itself prints is looked through by Tools/test.)
enum Canary {
  /// Keys that the environment has where a test gives none.
  static let variables = [
    "AWS_ACCESS_KEY_ID": "AKIDOFTHESUITE", "AWS_SECRET_ACCESS_KEY": "canary-of-the-suite-7350",
    "AWS_SESSION_TOKEN": "canary-of-the-suite-9914",
  ]

  /// What secrets of tests begin with, and the one that the S3 servers of tests have.
  private static let marks = ["canary-", "CANARY", "lakesecretlakesecret"]

  /// The environment of a program, with keys that it has no use for.
  static func environment(_ given: [String: String]) -> [String: String] {
    given.keys.contains { $0.hasPrefix("AWS_") } ? [:] : variables
  }

  static func expectNone(in outcome: LakeProcess.Outcome, of arguments: [String]) {
    for (name, text) in [("stdout", outcome.stdout), ("stderr", outcome.stderr)] {
      for mark in marks where text.contains(mark) {
        Issue.record("\(mark)… is in \(name) of \(arguments.joined(separator: " "))")
      }
    }
  }

  /// Looks through all that commands wrote below `folder`, which tests write to by commands only.
  static func expectNone(inFilesOf folder: URL) {
    let secrets = marks.map { Data($0.utf8) }
    let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    while let file = walk?.nextObject() as? URL {
      guard let bytes = try? Data(contentsOf: file, options: .mappedIfSafe) else { continue }
      for secret in secrets where bytes.range(of: secret) != nil {
        Issue.record("\(String(decoding: secret, as: UTF8.self))… is in \(file.path)")
      }
    }
  }

  /// Looks through all objects of `table`'s folder, as commands left them there.
  ///
  /// - Returns: how many there are.
  static func expectNone(inObjectsOf table: Table) async throws -> Int {
    let objects = try await table.store.listAll(ObjectPath(table.metadata.location))
    for object in objects {
      let bytes = try await table.store.get(object.path, limit: 1 << 30)
      let text = String(decoding: bytes.array(), as: UTF8.self)
      for mark in marks where text.contains(mark) || "\(object.path)".contains(mark) {
        Issue.record("\(mark)… is in \(object.path)")
      }
    }
    return objects.count
  }
}
