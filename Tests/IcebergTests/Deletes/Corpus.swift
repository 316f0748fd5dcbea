// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation

extension Corpus {
  /// The files of `folder` by name, ascending; a test that knows them fails on one it does not.
  static func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  static func bytes(_ name: String, in folder: URL) throws -> [UInt8] {
    try read(folder.appendingPathComponent(name)).array()
  }
}
