// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Foundation

@testable import Parquet

/// Files the tests read, found from where this source lies.
enum TestFiles {
  static let checkout = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Files that others made, beside the checkout or beside the folder it is in; nil if absent.
  static let corpora: URL? = {
    var folder = checkout.deletingLastPathComponent()
    for _ in 0..<2 {
      let found = folder.appending(path: "shared/corpora")
      if FileManager.default.fileExists(atPath: found.path) { return found }
      folder = folder.deletingLastPathComponent()
    }
    return nil
  }()

  static func fixture(_ path: String) -> URL { checkout.appending(path: "Fixtures/" + path) }

  static func bytes(_ url: URL) throws -> Buffer { Buffer([UInt8](try Data(contentsOf: url))) }

  /// The regular files under `folder`, by their paths from there.
  static func files(under folder: URL) -> [String] {
    var found: [String] = []
    let prefix = folder.path + "/"
    let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    while let url = walk?.nextObject() as? URL {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      if !isFolder.boolValue { found.append(String(url.path.dropFirst(prefix.count))) }
    }
    return found.sorted()
  }
}

/// Reading whole files, as tests do.
enum WholeFile {
  static func batches(
    _ file: Buffer, limit: Int = 1 << 16, options: ReadOptions = ReadOptions()
  ) throws(ParquetError) -> [RecordBatch] {
    let footer = try ParquetFooter.parse(wholeFile: file)
    var batches: [RecordBatch] = []
    for group in 0..<footer.rowGroupCount {
      let plan = try footer.readPlan(rowGroup: group, projection: footer.schema.all)
      let decoder = try RowGroupDecoder(
        footer, plan: plan, bytes: FileBytes(wholeFile: file), options: options)
      while let batch = try decoder.next(limit: limit) { batches.append(batch) }
    }
    return batches
  }

  /// One line a column, as `describe.py` prints them without the file's name.
  static func description(
    _ file: Buffer, limit: Int = 1 << 16, options: ReadOptions = ReadOptions()
  ) throws(ParquetError) -> [String] {
    let footer = try ParquetFooter.parse(wholeFile: file)
    let fields = footer.schema.fields
    if fields.isEmpty { return ["\(footer.rowCount)\t\t0"] }
    var sums = [UInt32](repeating: 0, count: fields.count)
    for batch in try batches(file, limit: limit, options: options) {
      for (i, column) in batch.columns.enumerated() {
        sums[i] = CanonicalText.checksum(column, continuing: sums[i])
      }
    }
    return zip(fields, sums).map { "\(footer.rowCount)\t\($0.name)\t\($1)" }
  }
}

/// Seconds this thread has been running; other load on the machine does not count.
func processorTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
