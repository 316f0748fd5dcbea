// SPDX-License-Identifier: Apache-2.0
internal import Bytes
package import Parquet
internal import ParquetFiles
internal import Synchronization

/// Footers, page indexes and pages of data files that were opened, kept for whoever reads rows of
/// them next, and what it takes to decode them: they never change.
///
/// Law: memory is bounded: what was not used for longest goes first.
package final class OpenFiles: Sendable {
  private let state: Mutex<State>
  private let pages: KnownPages
  /// Working memory for decoding.
  let workspaces = WorkspacePool()

  private struct State {
    var files: RecentlyUsed<PathKey, Slot>
    var fileCount = 0
  }

  private struct Slot {
    let file: ParquetFile
    /// That no other file has.
    let number: Int
    /// By row group and leaf; a leaf without one is there with nil.
    var indexes: [Int: [Int: PageIndex?]] = [:]
  }

  /// - Parameters:
  ///   - pages: what is kept of pages.
  ///   - byteLimit: about how much memory footers and page indexes take.
  ///   - pageByteLimit: about how much pages do.
  package init(
    _ pages: KnownPages.Content = .all, byteLimit: Int = 64 << 20, pageByteLimit: Int = 64 << 20
  ) {
    state = Mutex(State(files: RecentlyUsed(byteLimit: byteLimit)))
    self.pages = KnownPages(byteLimit: pageByteLimit, pages)
  }

  /// The file at `path`, if it was opened before.
  func file(_ path: String) -> ParquetFile? {
    state.withLock { $0.files.use(PathKey(path))?.file }
  }

  /// The pages of the file at `path` that were read before; nil if it was not opened.
  func pages(_ path: String) -> KnownPages.OfFile? {
    let number = state.withLock { $0.files.peek(PathKey(path))?.number }
    return number.map { KnownPages.OfFile(pages, file: $0) }
  }

  func keep(_ file: ParquetFile, _ path: String) {
    // What a footer is decoded to takes some times its bytes.
    let chunks = file.footer.rowGroupCount * file.footer.schema.leaves.count
    let byteCount = file.retainedByteCount + 512 * chunks + 1024
    state.withLock { state in
      state.fileCount += 1
      let slot = Slot(file: file, number: state.fileCount)
      state.files.keep(slot, byteCount: byteCount, for: PathKey(path))
    }
  }

  /// The page indexes of `leaves` of a row group; nil if they were not all asked for before.
  func indexes(_ path: String, rowGroup: Int, _ leaves: [Int]) -> [Int: PageIndex]? {
    state.withLock { state in
      guard let known = state.files.peek(PathKey(path))?.indexes[rowGroup] else { return nil }
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
      state.files.change(PathKey(path)) { slot in
        var growth = 0
        for leaf in leaves {
          slot.indexes[rowGroup, default: [:]][leaf] = .some(indexes[leaf])
          growth += 64 + 48 * (indexes[leaf]?.rows.count ?? 0)
        }
        return growth
      }
    }
  }
}
