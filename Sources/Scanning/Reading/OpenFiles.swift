// SPDX-License-Identifier: Apache-2.0
internal import Parquet
internal import ParquetFiles
internal import Synchronization

/// Footers, page indexes and pages of data files that were opened, kept for whoever reads rows of
/// them next, and what it takes to decode them: they never change.
///
/// Law: memory is bounded: what was not used for longest goes first.
package final class OpenFiles: Sendable {
  private let byteLimit: Int
  private let state = Mutex(State())
  private let pages: KnownPages
  /// Working memory for decoding.
  let workspaces = WorkspacePool()

  fileprivate struct State {
    var files: [PathKey: Slot] = [:]
    var byteCount = 0
    var clock: UInt64 = 0
    var fileCount = 0
  }

  fileprivate struct Slot {
    let file: ParquetFile
    /// That no other file has.
    let number: Int
    /// By row group and leaf; a leaf without one is there with nil.
    var indexes: [Int: [Int: PageIndex?]] = [:]
    var byteCount: Int
    var lastUse: UInt64
  }

  /// - Parameters:
  ///   - byteLimit: about how much memory footers and page indexes take.
  ///   - pageByteLimit: about how much pages do.
  package init(byteLimit: Int = 64 << 20, pageByteLimit: Int = 64 << 20) {
    self.byteLimit = byteLimit
    pages = KnownPages(byteLimit: pageByteLimit)
  }

  /// The file at `path`, if it was opened before.
  func file(_ path: String) -> ParquetFile? {
    state.withLock { state in
      guard let index = state.files.index(forKey: PathKey(path)) else { return nil }
      state.clock += 1
      state.files.values[index].lastUse = state.clock
      return state.files.values[index].file
    }
  }

  /// The pages of the file at `path` that were read before; nil if it was not opened.
  func pages(_ path: String) -> KnownPages.OfFile? {
    let number = state.withLock { $0.files[PathKey(path)]?.number }
    return number.map { KnownPages.OfFile(pages, file: $0) }
  }

  func keep(_ file: ParquetFile, _ path: String) {
    // What a footer is decoded to takes some times its bytes.
    let chunks = file.footer.rowGroupCount * file.footer.schema.leaves.count
    let byteCount = file.retainedByteCount + 512 * chunks + 1024
    state.withLock { state in
      state.clock += 1
      state.fileCount += 1
      let slot = Slot(
        file: file, number: state.fileCount, byteCount: byteCount, lastUse: state.clock)
      let old = state.files.updateValue(slot, forKey: PathKey(path))
      state.byteCount += byteCount - (old?.byteCount ?? 0)
      state.shrink(to: byteLimit)
    }
  }

  /// The page indexes of `leaves` of a row group; nil if they were not all asked for before.
  func indexes(_ path: String, rowGroup: Int, _ leaves: [Int]) -> [Int: PageIndex]? {
    state.withLock { state in
      guard let known = state.files[PathKey(path)]?.indexes[rowGroup] else { return nil }
      var found: [Int: PageIndex] = [:]
      for leaf in leaves {
        guard let index = known[leaf] else { return nil }
        found[leaf] = index
      }
      return found
    }
  }

  func keep(_ indexes: [Int: PageIndex], _ path: String, rowGroup: Int, _ leaves: [Int]) {
    state.withLock { state in
      let key = PathKey(path)
      guard var slot = state.files[key] else { return }
      for leaf in leaves {
        slot.indexes[rowGroup, default: [:]][leaf] = .some(indexes[leaf])
        let byteCount = 64 + 48 * (indexes[leaf]?.rows.count ?? 0)
        slot.byteCount += byteCount
        state.byteCount += byteCount
      }
      state.files[key] = slot
      state.shrink(to: byteLimit)
    }
  }
}

extension OpenFiles.State {
  /// Lets go of a quarter of what there is, if it is more than `limit`.
  fileprivate mutating func shrink(to limit: Int) {
    guard byteCount > limit else { return }
    for (path, slot) in files.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
      if byteCount <= limit / 4 * 3 { return }
      files[path] = nil
      byteCount -= slot.byteCount
    }
  }
}
