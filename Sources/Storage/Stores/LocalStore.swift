// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// Objects as plain files of this machine.
///
/// A write goes to a temporary file in the same directory, which is made durable and only then
/// given its name: by `link`, which fails if there is one, or by `rename` where something may be
/// replaced. Then the directory is made durable, as is the parent of every directory that was made
/// for it. So law 1 holds through a power failure; an error once the name was given is
/// ``StorageError/outcomeUnknown(_:path:)``.
///
/// Limits:
/// - A version is the modification time, size and inode of a file. Two objects that follow each
///   other at one path within a tick of the file system's clock (4 ms on many), with the same size
///   and a recycled inode, have the same version.
/// - ``PutCondition/matches(_:)`` takes turns with other writers that go through this type, by an
///   advisory lock on the directory; `delete` and foreign programs take none.
/// - Symbolic links, directories, pipes and devices are no objects: reading one fails, a listing
///   leaves them out. Below a root no link is followed at all.
/// - One read takes at most 4 GiB.
///
/// Cost: what waits for the disk runs on threads of its own (16 for the process, about 40 µs to and
/// fro). Opening, looking, and reading up to 256 KiB that the kernel has in memory is done in
/// place: 4 KiB in about 8 µs. A durable create of 4 KiB takes about 0.4 ms.
public struct LocalStore: ObjectStore {
  /// What a returned write promises.
  public enum Durability: Hashable, Sendable {
    /// The object survives a power failure.
    case synced
    /// The object survives the process, and is whole; for benchmarks and scratch data.
    case unsynced
  }

  let tree: LocalTree
  let environment: Environment

  /// A store of all of the machine's files.
  public init(durability: Durability = .synced, environment: Environment = .system) {
    self.init(roots: [.machineRoot], durability: durability, environment: environment)
  }

  /// A store of the files under `roots`, which nothing in them can lead out of.
  public init(
    roots: [ObjectPath], durability: Durability = .synced, environment: Environment = .system
  ) {
    self.tree = LocalTree(roots: roots, durability: durability)
    self.environment = environment
  }

  private static let readLimit: Int64 = 4 << 30
  /// Up to this, copying cached bytes takes less time than a change of threads.
  private static let inPlaceLimit = 256 << 10

  public func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    try path.checkCancellation()
    let file = try tree.open(path)
    let status = try file.status()
    try status.checkPlain(path)
    if let version, version != status.version { throw .conditionFailed(path: path) }
    let wanted = range.clamped(to: 0..<status.byteCount)
    guard wanted.count <= Self.readLimit else {
      throw .tooLarge(path: path, byteCount: Int64(wanted.count), limit: Self.readLimit)
    }
    if wanted.count <= Self.inPlaceLimit, let bytes = file.readIfCached(wanted) { return bytes }
    return try await BlockingThreads.shared.run { () throws(StorageError) in
      try file.read(wanted)
    }
  }

  public func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    try path.checkCancellation()
    let (directory, name) = try tree.parent(of: path, missing: .fails)
    guard let status = try directory.status(of: name) else { throw .notFound(path: path) }
    try status.checkPlain(path)
    return status.info(path)
  }

  public func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    try path.checkCancellation()
    let (tree, environment) = (self.tree, self.environment)
    return try await BlockingThreads.shared.run { () throws(StorageError) in
      let file = try TemporaryFile.create(for: path, if: condition, in: tree, environment)
      try file.write(bytes)
      return try file.publish(if: condition).version
    }
  }

  public func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    try path.checkCancellation()
    let (tree, environment) = (self.tree, self.environment)
    let file = try await BlockingThreads.shared.run { () throws(StorageError) in
      try TemporaryFile.create(for: path, if: condition, in: tree, environment)
    }
    return LocalWriter(file, condition)
  }

  public func delete(_ path: ObjectPath) async throws(StorageError) {
    let tree = self.tree
    try await BlockingThreads.shared.run { () throws(StorageError) in
      do throws(StorageError) {
        let (directory, name) = try tree.parent(of: path, missing: .fails)
        guard let status = try directory.status(of: name) else { return }
        try status.checkPlain(path)
        try directory.remove(name)
      } catch .notFound {
        return
      }
    }
  }

  public func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    LocalListing(prefix: prefix, tree: tree)
  }

  public func removeAbandonedWrites(
    under prefix: ObjectPath, before moment: Timestamp
  ) async throws(StorageError) -> Int {
    let tree = self.tree
    return try await BlockingThreads.shared.run { () throws(StorageError) in
      try DirectoryWalk(prefix, tree).removeTemporaryFiles(before: moment)
    }
  }
}

extension ObjectPath {
  /// Throws if the task was cancelled; asked before each request.
  func checkCancellation() throws(StorageError) {
    if Task.isCancelled { throw .cancelled(path: self) }
  }
}
