// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// A flat namespace of immutable byte objects: what every part of a table is kept in.
///
/// Laws every conforming type keeps, each tested by `StoreContract`:
/// 1. A reader never sees part of a write: an object is absent, or whole.
/// 2. A returned `put` is visible to every later `get`, `head` and `list`.
/// 3. Of concurrent `put`s with ``PutCondition/absent`` or ``PutCondition/unclaimed`` to one path,
///    exactly one returns.
/// 4. A thrown ``StorageError/outcomeUnknown(_:path:)`` says nothing: the write may be there.
///    Every other error says that nothing was written.
public protocol ObjectStore: Sendable {
  /// Reads `range` (bytes; clamped to the object's end) of the object at `path`; if `version` is
  /// given, of that one or none.
  ///
  /// - Throws: ``StorageError/notFound(path:)``; ``StorageError/conditionFailed(path:)`` if the
  ///   object there is another than `version`.
  func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer

  /// Reads `range` as ``get(_:range:of:)`` does, and tells which version of the object it is of.
  ///
  /// Cost: where a store cannot tell at once, two requests, more if someone writes meanwhile.
  func getWithVersion(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> VersionedBytes

  /// Writes `bytes` as the whole object at `path`, if `condition` holds there.
  ///
  /// - Throws: ``StorageError/conditionFailed(path:)`` if it does not: nothing was written.
  func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion

  /// A writer whose parts become the object at `path` when it is finished, and nothing before.
  ///
  /// - Throws: ``StorageError/conditionFailed(path:)`` if `condition` is known not to hold; the
  ///   writer's `finish` decides.
  func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter

  /// Size, age and version of the object at `path`.
  ///
  /// - Throws: ``StorageError/notFound(path:)``.
  func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo

  /// Makes `path` absent. That it was before is no error.
  func delete(_ path: ObjectPath) async throws(StorageError)

  /// Makes each of `paths` absent, or tells why not: one answer a path, in their order.
  ///
  /// Cost: a request each, but where a store takes many at once.
  func delete(_ paths: [ObjectPath]) async -> [StorageError?]

  /// All objects under `prefix`, in ascending order of path (UTF-8 bytes), pages hidden.
  ///
  /// Under means by components: `a/b` has `a/b/c` under it, not `a/b` itself nor `a/bc`. The paths
  /// are spelled as `prefix` is. Nothing under a prefix is no error.
  func list(_ prefix: ObjectPath) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable

  /// Removes what writers that never finished, begun before `moment`, left under `prefix`; returns
  /// how many there were. What they leave is in no `list`.
  ///
  /// A store whose writers leave nothing does nothing.
  func removeAbandonedWrites(
    under prefix: ObjectPath, before moment: Timestamp
  ) async throws(StorageError) -> Int
}

/// Takes the bytes of one object, part by part, with bounded memory.
///
/// Nothing of it can be seen until ``finish()`` returns. One task at a time uses a writer; after
/// ``finish()`` or ``abort()``, or any error, no more is appended. One that is let go of unfinished
/// has written nothing.
public protocol ObjectWriter: Sendable {
  /// Adds `bytes` at the end.
  func append(_ bytes: Buffer) async throws(StorageError)

  /// Makes all that was appended the object, whole and durable.
  ///
  /// - Throws: ``StorageError/conditionFailed(path:)`` if the writer's condition does not hold now;
  ///   ``StorageError/outcomeUnknown(_:path:)`` if no one can tell.
  func finish() async throws(StorageError) -> ObjectInfo

  /// Gives all that was appended up. Harmless after an error and after ``finish()``.
  func abort() async
}
