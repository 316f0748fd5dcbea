// SPDX-License-Identifier: Apache-2.0

/// The directories a local store keeps objects in, and the way to them.
///
/// Below a root, the way is walked one component at a time and no symbolic link is followed, so
/// that nothing put there can lead out of it. The way to a root is the owner's business: links on
/// it are followed. The root `/` is all of the machine; nothing can lead out, and links are
/// followed everywhere but in the last component.
struct LocalTree: Sendable {
  let roots: [ObjectPath]
  let durability: LocalStore.Durability

  /// What to do where a directory is not there.
  enum Missing {
    case fails
    case isMade
  }

  /// The plain file at `path`, for reading.
  func open(_ path: ObjectPath) throws(StorageError) -> OpenFile {
    let root = try self.root(of: path)
    if root.isRoot { return try .reading(path.path, for: path) }
    let (directory, name) = try parent(of: path, missing: .fails)
    return try directory.reading(name)
  }

  /// The directory that `path` lies in, and its name there.
  func parent(
    of path: ObjectPath, missing: Missing
  ) throws(StorageError) -> (directory: OpenFile, name: String) {
    let root = try self.root(of: path)
    guard let parent = path.parent, path != root else {
      throw .notAnObject(path: path, found: "a directory")
    }
    return (try directory(parent, under: root, missing: missing, for: path), path.name)
  }

  /// The directory at `path` itself.
  func directory(_ path: ObjectPath) throws(StorageError) -> OpenFile {
    try directory(path, under: try root(of: path), missing: .fails, for: path)
  }

  /// The innermost root that `path` lies in.
  private func root(of path: ObjectPath) throws(StorageError) -> ObjectPath {
    guard path.scheme == "file", path.authority.isEmpty else {
      throw .refused(path: path, reason: "it is no file of this machine")
    }
    var found: ObjectPath?
    for root in roots where root.contains(path) {
      if found.map({ $0.contains(root) }) ?? true { found = root }
    }
    guard let found else {
      let list = roots.map(\.text).joined(separator: ", ")
      throw .refused(path: path, reason: "it lies outside of \(list)")
    }
    return found
  }

  private func directory(
    _ path: ObjectPath, under root: ObjectPath, missing: Missing, for object: ObjectPath
  ) throws(StorageError) -> OpenFile {
    guard root.isRoot || path == root else {
      let start = try directory(root, under: root, missing: missing, for: object)
      let way = path.components.dropFirst(root.components.count)
      return try walk(way, from: start, links: .refused, missing: missing)
    }
    do throws(StorageError) {
      return try .directory(path.path, links: .followed, for: object)
    } catch .notFound where missing == .isMade {
      let start = try OpenFile.directory("/", links: .followed, for: object)
      return try walk(path.components[...], from: start, links: .followed, missing: missing)
    }
  }

  private func walk(
    _ way: ArraySlice<String>, from start: OpenFile, links: OpenFile.Links, missing: Missing
  ) throws(StorageError) -> OpenFile {
    var current = start
    for name in way {
      do throws(StorageError) {
        current = try current.directory(name, links: links)
      } catch {
        try explain(error, at: name, in: current, missing: missing)
        try make(name, in: current)
        current = try current.directory(name, links: links)
      }
    }
    return current
  }

  /// Returns if `name` is a directory to be made, and else throws why it cannot be entered.
  private func explain(
    _ error: StorageError, at name: String, in directory: OpenFile, missing: Missing
  ) throws(StorageError) {
    guard error.isNotFound || error.isNotAnObject else { throw error }
    let path = directory.path
    switch try directory.status(of: name)?.kind {
    case nil, .directory:
      if missing == .fails { throw .notFound(path: path) }
    case .link:
      throw .refused(path: path, reason: "'\(name)' in it is a symbolic link")
    case .plain, .other:
      if missing == .fails { throw .notFound(path: path) }
      throw .refused(path: path, reason: "'\(name)' in it is no directory")
    }
  }

  /// Makes a directory and its name durable: what is put in it is else lost with it.
  private func make(_ name: String, in directory: OpenFile) throws(StorageError) {
    try directory.makeDirectory(name)
    // Also if another was faster: it may not have come to this yet.
    if durability == .synced { try directory.synchronise() }
  }
}
