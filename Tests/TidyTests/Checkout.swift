// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The files of this checkout, by their paths in it.
enum Checkout {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: folder.appending(path: path), encoding: .utf8)
  }

  /// The plain files under `path` whose names end in `ending`, sorted.
  static func files(under path: String, ending: String = "") -> [String] {
    let start = folder.appending(path: path)
    let walk = FileManager.default.enumerator(at: start, includingPropertiesForKeys: nil)
    var found: [String] = []
    while let url = walk?.nextObject() as? URL {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      if !isFolder.boolValue, url.path.hasSuffix(ending) {
        found.append(String(url.path.dropFirst(folder.path.count + 1)))
      }
    }
    return found.sorted()
  }
}
