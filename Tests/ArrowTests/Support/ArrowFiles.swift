// SPDX-License-Identifier: Apache-2.0
import Arrow
import Bytes
import Columnar
import Foundation
import LakeTestSupport

/// Files of Arrow that tests read and write.
enum ArrowFiles {
  static let fixtures = SiblingFolder.checkout.appending(path: "Fixtures/arrow")
  static let oracle = fixtures.appending(path: "oracle.py")

  static func bytes(_ url: URL) throws -> Buffer { Buffer([UInt8](try Data(contentsOf: url))) }

  static func fixture(_ name: String) throws -> Buffer {
    try bytes(fixtures.appending(path: name))
  }

  /// The batches of a file, or of a stream if `name` ends in "s".
  static func read(
    _ bytes: Buffer, named name: String
  ) throws(ArrowError) -> (fields: [ColumnField], batches: [RecordBatch]) {
    name.hasSuffix("s") ? try ArrowStreamReader.read(bytes) : try ArrowFileReader.read(bytes)
  }

  /// A whole file of `batches`.
  static func file(
    _ fields: [ColumnField], _ batches: [RecordBatch], _ options: ArrowWriterOptions
  ) throws(ArrowError) -> Buffer {
    var writer = ArrowFileWriter(fields: fields, options: options)
    var bytes = MutableBuffer()
    bytes.append(writer.begin().bytes)
    for batch in batches {
      for piece in try writer.write(batch) { bytes.append(piece.bytes) }
    }
    bytes.append(writer.end().bytes)
    return bytes.freeze()
  }

  /// A folder of its own, gone after `body`.
  static func withFolder<T>(_ body: (URL) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lake-arrow-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  /// Runs the oracle with the Python of `engine`; false, told so, if it is not installed.
  static func ask(_ engine: String, _ arguments: [String]) throws -> Bool {
    guard let python = Oracles.python(of: engine), let library = Oracles.library else {
      print("skipped: \(engine) is not installed")
      return false
    }
    try Oracles.run(python, [oracle.path, library.path] + arguments)
    return true
  }
}
