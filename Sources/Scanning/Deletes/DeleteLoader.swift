// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import Storage
internal import Synchronization

/// Reads the delete files of a scan's tasks as they come up.
///
/// Each file is read once: what several tasks need is kept until the last of them has it, position
/// deletes as long as they take less than ``byteLimit``.
final class DeleteLoader: Sendable {
  private let table: Table
  private let parallelism: Int
  private let state: Mutex<State>

  /// How many bytes of position deletes are kept for tasks to come.
  static let byteLimit = 256 << 20
  /// How many delete files are fetched at a time.
  private static let concurrency = 8

  /// Equality delete files whose rows are looked up together.
  private struct Scope: Hashable {
    let ids: [FieldID]
    /// Nil: all partitions.
    let partition: PartitionValues?
    /// The only files, of tasks whose deletes were chosen; nil: which apply goes by their ages.
    var chosen: [ObjectIdentifier]?

    init(_ delete: DeleteFile) {
      ids = (delete.file.equalityIDs ?? []).sorted()
      partition = delete.isGlobal ? nil : delete.file.partition
    }

    /// The scopes of the deletes by value of `task`, and which of these are in each.
    static func scopes(of task: ScanTask) -> [(scope: Scope, files: [DeleteFile])] {
      var files: [Scope: [DeleteFile]] = [:]
      var order: [Scope] = []
      for delete in task.deletes where delete.kind == .equality {
        let scope = Scope(delete)
        if files[scope] == nil { order.append(scope) }
        files[scope, default: []].append(delete)
      }
      return order.map { scope in
        let files = files[scope] ?? []
        guard task.hasChosenDeletes else { return (scope, files) }
        var chosen = scope
        chosen.chosen = files.map { ObjectIdentifier($0) }
        return (chosen, files)
      }
    }
  }

  private struct State {
    /// How many tasks still need a position delete file of several data files.
    var uses: [ObjectIdentifier: Int] = [:]
    var positions: [ObjectIdentifier: [PathKey: DeletionVector]] = [:]
    var byteCount = 0
    /// The files of each scope, and how many tasks still need them.
    var scopes: [Scope: (files: [DeleteFile], uses: Int)] = [:]
    var keys: [Scope: EqualityKeys] = [:]
  }

  init(_ tasks: [ScanTask], of table: Table, parallelism: Int) {
    self.table = table
    self.parallelism = parallelism
    var state = State()
    var known: [Scope: Set<ObjectIdentifier>] = [:]
    for task in tasks {
      for delete in task.deletes where delete.kind == .positions {
        state.uses[ObjectIdentifier(delete), default: 0] += 1
      }
      for (scope, files) in Scope.scopes(of: task) {
        let new = files.filter { known[scope, default: []].insert(ObjectIdentifier($0)).inserted }
        state.scopes[scope, default: ([], 0)].files += new
        state.scopes[scope]?.uses += 1
      }
    }
    self.state = Mutex(state)
  }

  /// What is deleted of the file of `task`, one of those this was made of.
  func deletes(of task: ScanTask) async throws(ScanError) -> FileDeletes {
    guard !task.deletes.isEmpty else { return .none }
    var deletes = FileDeletes()
    deletes.positions = try await positions(of: task)
    for (scope, _) in Scope.scopes(of: task) {
      // Where deletes were chosen all of them apply.
      let age = task.hasChosenDeletes ? SequenceNumber(-1) : task.sequenceNumber
      if let keys = try await keys(scope).deleted(from: age) { deletes.keys.append(keys) }
    }
    return deletes
  }

  // MARK: positions

  /// The rows of the task's file that are deleted by their positions.
  func positions(of task: ScanTask) async throws(ScanError) -> DeletionVector {
    let reader = DeleteFileReader(table: table, parallelism: parallelism)
    let files = task.deletes.filter { $0.kind != .equality }
    let path = PathKey(task.file.path)
    let vectors = try await mapConcurrently(files, limit: Self.concurrency) {
      [self] delete throws(ScanError) in
      delete.kind == .vector
        ? try await reader.vector(delete.file)
        : try await positions(delete, of: path, reader)
    }
    return vectors.dropFirst().reduce(vectors.first ?? DeletionVector()) { $0.union($1) }
  }

  private func positions(
    _ delete: DeleteFile, of path: PathKey, _ reader: DeleteFileReader
  ) async throws(ScanError) -> DeletionVector {
    let id = ObjectIdentifier(delete)
    let kept = state.withLock { state -> [PathKey: DeletionVector]? in
      state.uses[id, default: 1] -= 1
      guard let kept = state.positions[id] else { return nil }
      if state.uses[id] == 0 {
        state.positions[id] = nil
        state.byteCount -= kept.byteCount
      }
      return kept
    }
    if let kept { return kept[path] ?? DeletionVector() }
    let read = try await reader.positions(delete.file)
    state.withLock { state in
      let byteCount = read.byteCount
      guard state.uses[id, default: 0] > 0, state.positions[id] == nil,
        state.byteCount + byteCount <= Self.byteLimit
      else { return }
      state.positions[id] = read
      state.byteCount += byteCount
    }
    return read[path] ?? DeletionVector()
  }

  // MARK: keys

  private func keys(_ scope: Scope) async throws(ScanError) -> EqualityKeys {
    let (kept, files) = state.withLock { state -> (EqualityKeys?, [DeleteFile]) in
      state.scopes[scope]?.uses -= 1
      let known = state.scopes[scope]
      let kept = state.keys[scope]
      if let known, known.uses <= 0 { state.keys[scope] = nil }
      return (kept, known?.files ?? [])
    }
    if let kept { return kept }
    let read = try await read(scope, files)
    state.withLock { state in
      if let known = state.scopes[scope], known.uses > 0 { state.keys[scope] = read }
    }
    return read
  }

  private func read(_ scope: Scope, _ files: [DeleteFile]) async throws(ScanError) -> EqualityKeys {
    let newestFirst = files.sorted { $0.sequenceNumber > $1.sequenceNumber }
    let reader = DeleteFileReader(table: table, parallelism: parallelism)
    let fields = try reader.keyFields(scope.ids, in: newestFirst[0].file.path)
    let parts = try await mapConcurrently(newestFirst, limit: Self.concurrency) {
      delete throws(ScanError) in
      (delete.sequenceNumber, try await reader.keys(delete.file, scope.ids, fields))
    }
    do throws(ColumnarError) {
      return try EqualityKeys(ids: scope.ids, fields: fields, parts: parts)
    } catch {
      throw .unsupported(
        what: "equality deletes of more than 2 GiB of keys", file: newestFirst[0].file.path)
    }
  }
}

extension [PathKey: DeletionVector] {
  /// About how many bytes these take.
  fileprivate var byteCount: Int {
    reduce(0) { $0 + 96 + $1.key.path.utf8.count + $1.value.byteCount }
  }
}
