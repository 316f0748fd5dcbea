// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The objects under a directory, in ascending order of path.
///
/// Cost: one directory is read at a time, all of its entries at once.
struct LocalListing: AsyncSequence, Sendable {
  typealias Element = ObjectInfo
  typealias Failure = StorageError

  let prefix: ObjectPath
  let tree: LocalTree

  func makeAsyncIterator() -> Iterator { Iterator(walk: DirectoryWalk(prefix, tree)) }

  struct Iterator: AsyncIteratorProtocol {
    private var walk: DirectoryWalk
    private var ready: ArraySlice<ObjectInfo> = []

    fileprivate init(walk: DirectoryWalk) { self.walk = walk }

    mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(StorageError) -> ObjectInfo? {
      if let info = ready.popFirst() { return info }
      try walk.prefix.checkCancellation()
      let start = walk
      (walk, ready) = try await BlockingThreads.shared.run { () throws(StorageError) in
        var walk = start
        let found = try walk.nextBatch()
        return (walk, found[...])
      }
      return ready.popFirst()
    }

    mutating func next() async throws(StorageError) -> ObjectInfo? {
      try await next(isolation: #isolation)
    }
  }
}

/// Visits the directories under a prefix in the order their objects have in a listing.
struct DirectoryWalk: Sendable {
  private enum Step {
    case object(ObjectInfo)
    case directory(ObjectPath)
  }

  let prefix: ObjectPath
  private let tree: LocalTree
  /// What is still to be visited, the next at the end.
  private var steps: [Step]

  init(_ prefix: ObjectPath, _ tree: LocalTree) {
    self.prefix = prefix
    self.tree = tree
    self.steps = [.directory(prefix)]
  }

  /// Some hundred objects, in order; none at the end.
  mutating func nextBatch() throws(StorageError) -> [ObjectInfo] {
    var batch: [ObjectInfo] = []
    while batch.count < 512, let step = steps.popLast() {
      switch step {
      case .object(let info): batch.append(info)
      case .directory(let path): try enter(path)
      }
    }
    return batch
  }

  /// Removes the temporary files in all directories that are older than `moment`.
  consuming func removeTemporaryFiles(before moment: Timestamp) throws(StorageError) -> Int {
    var count = 0
    while let step = steps.popLast() {
      guard case .directory(let path) = step, let directory = try open(path) else { continue }
      for name in try directory.entryNames() {
        guard let status = try directory.status(of: name) else { continue }
        if status.kind == .directory, let child = try? path.appending(name) {
          steps.append(.directory(child))
        } else if status.kind == .plain, status.modified < moment, TemporaryFile.isName(name) {
          try directory.remove(name)
          count += 1
        }
      }
    }
    return count
  }

  /// The directory at `path`; nil if it is none any more.
  private func open(_ path: ObjectPath) throws(StorageError) -> OpenFile? {
    do throws(StorageError) {
      return try tree.directory(path)
    } catch .notFound {
      return nil
    }
  }

  private mutating func enter(_ path: ObjectPath) throws(StorageError) {
    guard let directory = try open(path) else { return }
    var found: [(key: String, step: Step)] = []
    for name in try directory.entryNames() where !TemporaryFile.isName(name) {
      // A name no object can have, or one that is gone again, is not ours.
      guard let child = try? path.appending(name), let status = try directory.status(of: name)
      else { continue }
      switch status.kind {
      // A directory sorts as what is in it: `a/b` comes after `a-` and `a.txt`.
      case .directory: found.append((name + "/", .directory(child)))
      case .plain: found.append((name, .object(status.info(child))))
      case .link, .other: continue
      }
    }
    found.sort { $1.key.utf8.lexicographicallyPrecedes($0.key.utf8) }
    for entry in found { steps.append(entry.step) }
  }
}

extension OpenFile {
  /// The names in this directory but `.` and `..`, in no order; those that are not UTF-8 left out.
  fileprivate func entryNames() throws(StorageError) -> [String] {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw StorageError(errno: errno, "listing", path) }
    guard let stream = unsafe fdopendir(copy) else {
      let code = errno
      close(copy)
      throw StorageError(errno: code, "listing", path)
    }
    defer { unsafe closedir(stream) }
    guard let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        if errno == 0 { return names }
        throw StorageError(errno: errno, "listing", path)
      }
      let start = unsafe UnsafeRawPointer(entry) + nameOffset
      let name = unsafe String(validatingCString: start.assumingMemoryBound(to: CChar.self))
      if let name, name != ".", name != ".." { names.append(name) }
    }
  }
}
