// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Folders that tests find from where this source lies.
public enum SiblingFolder {
  /// The checkout these tests are in.
  public static let checkout = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// `shared/<path>`, beside the checkout or beside the folder it is in; nil if it is not there.
  public static func shared(_ path: String) -> URL? {
    var folder = checkout.deletingLastPathComponent()
    for _ in 0..<2 {
      let found = folder.appending(path: "shared/" + path)
      if FileManager.default.fileExists(atPath: found.path) { return found }
      folder = folder.deletingLastPathComponent()
    }
    return nil
  }

  /// True where a missing tool is a failure and no skip.
  public static let isContinuousIntegration =
    ProcessInfo.processInfo.environment["LAKE_CI"] == "1"
}
