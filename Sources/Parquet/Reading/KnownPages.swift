// SPDX-License-Identifier: Apache-2.0
package import Bytes
internal import Columnar
internal import Synchronization

/// Pages that were inflated before, and dictionaries that were decoded, of files that never change:
/// kept for whoever reads single rows of them next, to whom they are nearly all of the work.
///
/// Laws: what is kept was held against its checksum; memory is bounded: what was not used for longest
/// goes first.
package final class KnownPages: Sendable {
  private let byteLimit: Int
  private let content: Content
  private let state: Mutex<RecentlyUsed<Place, Kept>>

  fileprivate struct Place: Hashable {
    let file: Int
    /// Where the page begins in the file.
    let offset: Int64
  }

  /// What is kept.
  package enum Content: Sendable {
    case all
    /// Where each page is read once, that spares the memory of them all.
    case dictionaries
  }

  private enum Kept {
    case page(Buffer)
    case dictionary(Column)
  }

  /// - Parameter byteLimit: about how much memory is kept.
  package init(byteLimit: Int, _ content: Content = .all) {
    self.byteLimit = byteLimit
    self.content = content
    state = Mutex(RecentlyUsed(byteLimit: byteLimit))
  }

  /// About how much memory is taken.
  package var byteCount: Int { state.withLock { $0.byteCount } }

  /// Those of one file, by a number that no other file gets.
  package struct OfFile: Sendable {
    private let pages: KnownPages
    private let file: Int

    package init(_ pages: KnownPages, file: Int) {
      self.pages = pages
      self.file = file
    }

    /// What the body of the page at `offset` was inflated to, if that is `byteCount` bytes.
    package func page(at offset: Int64, byteCount: Int32) -> Buffer? {
      guard case .page(let bytes)? = pages.kept(at: Place(file: file, offset: offset)),
        bytes.count == Int(byteCount)
      else { return nil }
      return bytes
    }

    /// - Returns: false if pages are not kept.
    @discardableResult
    package func keep(_ page: Buffer, at offset: Int64) -> Bool {
      guard case .all = pages.content else { return false }
      pages.keep(
        .page(page), byteCount: page.retainedByteCount, Place(file: file, offset: offset))
      return true
    }

    /// The dictionary of the chunk that begins at `offset`.
    func dictionary(at offset: Int64) -> Column? {
      guard case .dictionary(let column)? = pages.kept(at: Place(file: file, offset: offset)) else {
        return nil
      }
      return column
    }

    func keep(_ dictionary: Column, at offset: Int64) {
      pages.keep(
        .dictionary(dictionary), byteCount: dictionary.byteCount, Place(file: file, offset: offset))
    }
  }

  /// What keeping something takes besides its bytes.
  private static let overhead = 128

  private func kept(at place: Place) -> Kept? { state.withLock { $0.use(place) } }

  private func keep(_ content: Kept, byteCount: Int, _ place: Place) {
    let byteCount = byteCount + Self.overhead
    // One page is not to drive all others out.
    guard byteCount <= byteLimit / 16 else { return }
    state.withLock { $0.keep(content, byteCount: byteCount, for: place) }
  }
}
