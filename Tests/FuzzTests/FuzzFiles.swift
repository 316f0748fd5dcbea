// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Files that targets begin from, and the inputs that were saved for them.
enum FuzzFiles {
  static let checkout = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static let saved = checkout.appending(path: "Fixtures/fuzz")

  /// Every fixture and every file of the corpora beside the checkout, if they are there.
  static let all: [URL] = {
    var folders = [checkout.appending(path: "Fixtures")]
    var folder = checkout.deletingLastPathComponent()
    for _ in 0..<2 {
      folders.append(folder.appending(path: "shared/corpora"))
      folder = folder.deletingLastPathComponent()
    }
    return folders.flatMap { files(under: $0) }
  }()

  /// The plain files under `folder`, sorted.
  static func files(under folder: URL) -> [URL] {
    let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    var found: [URL] = []
    while let url = walk?.nextObject() as? URL {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      if !isFolder.boolValue { found.append(url) }
    }
    return found.sorted { $0.path < $1.path }
  }
}
