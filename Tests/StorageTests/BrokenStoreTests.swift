// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Storage
import Testing

/// Stores that each break one law, as stores elsewhere did: the contract has to notice.
@Suite("Store contract on broken stores")
struct BrokenStoreTests {
  enum Defect: CaseIterable {
    case ignoresConditions, checksThenWrites, listsByCharacters, listsUnsorted, listsDirectories
    case clampsByOne, forgetsVersions, decodesPercent, failsDeletingNothing, showsParts
    case swallowsLastPart, reusesBytes
  }

  @Test(arguments: Defect.allCases)
  func `a broken store breaks a law`(defect: Defect) async throws {
    var broken: [String] = []
    for law in StoreContract.laws {
      do {
        try await law.check(BrokenStore(defect), under: ObjectPath("memory://bucket/x"))
      } catch {
        broken.append(law.name)
      }
    }
    #expect(!broken.isEmpty)
    #expect(broken.count < StoreContract.laws.count, "the store is not broken but useless")
  }
}

private struct BrokenStore: ForwardingStore {
  let base: any ObjectStore = MemoryStore()
  let defect: BrokenStoreTests.Defect

  init(_ defect: BrokenStoreTests.Defect) { self.defect = defect }

  func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    var range = range
    if defect == .clampsByOne, range.upperBound > 1000, range.lowerBound < 1000 {
      range = range.lowerBound..<max(range.lowerBound, 999)
    }
    return try await base.get(
      seen(path), range: range, of: defect == .forgetsVersions ? nil : version)
  }

  func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    var condition = condition
    if defect == .ignoresConditions { condition = .none }
    if defect == .checksThenWrites, condition.isOnAbsence {
      // What `exists() + rename()` does.
      if try await base.headIfPresent(path) != nil { throw .conditionFailed(path: path) }
      await Task.yield()
      condition = .none
    }
    return try await base.put(bytes, to: seen(path), if: condition)
  }

  func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    try await base.head(seen(path))
  }

  func delete(_ path: ObjectPath) async throws(StorageError) {
    if defect == .failsDeletingNothing { _ = try await base.head(path) }
    try await base.delete(seen(path))
  }

  func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    let writer = try await base.writer(to: path, if: condition)
    switch defect {
    case .showsParts, .swallowsLastPart, .reusesBytes:
      return BrokenWriter(base: writer, store: base, path: path, defect: defect)
    default: return writer
    }
  }

  func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    let base = self.base
    let defect = self.defect
    return LazyListing { () throws(StorageError) in
      switch defect {
      case .listsUnsorted: return try await base.listAll(prefix).reversed()
      case .listsByCharacters:
        var found: [ObjectInfo] = []
        for info in try await base.listAll(prefix.parent ?? prefix)
        where info.path.text.hasPrefix(prefix.text) && info.path != prefix {
          found.append(info)
        }
        return found
      case .listsDirectories:
        let found = try await base.listAll(prefix)
        guard let first = found.first, let parent = first.path.parent else { return found }
        return [
          ObjectInfo(
            path: parent, byteCount: 0, modified: first.modified, version: first.version)
        ] + found
      default: return try await base.listAll(prefix)
      }
    }
  }

  private func seen(_ path: ObjectPath) throws(StorageError) -> ObjectPath {
    guard defect == .decodesPercent, let range = path.text.range(of: "%2F") else { return path }
    return try ObjectPath(path.text.replacingCharacters(in: range, with: "/"))
  }
}

extension String {
  fileprivate func range(of other: String) -> Range<Index>? { ranges(of: other).first }

  fileprivate func replacingCharacters(in range: Range<Index>, with other: String) -> String {
    var copy = self
    copy.replaceSubrange(range, with: other)
    return copy
  }
}

private struct BrokenWriter: ObjectWriter {
  let base: any ObjectWriter
  let store: any ObjectStore
  let path: ObjectPath
  let defect: BrokenStoreTests.Defect

  func append(_ bytes: Buffer) async throws(StorageError) {
    if defect == .showsParts { _ = try await store.put(bytes, to: path, if: .none) }
    if defect == .swallowsLastPart, bytes.count == 3 { return }
    if defect == .reusesBytes, bytes.count > 1000 {
      return try await base.append(Buffer([UInt8](repeating: 0, count: bytes.count)))
    }
    try await base.append(bytes)
  }

  func finish() async throws(StorageError) -> ObjectInfo { try await base.finish() }
  func abort() async { await base.abort() }
}

/// A listing that is made up when it is asked for.
struct LazyListing: AsyncSequence, Sendable {
  typealias Element = ObjectInfo
  typealias Failure = StorageError

  let make: @Sendable () async throws(StorageError) -> [ObjectInfo]

  init(_ make: @escaping @Sendable () async throws(StorageError) -> [ObjectInfo]) {
    self.make = make
  }

  func makeAsyncIterator() -> Iterator { Iterator(make: make) }

  struct Iterator: AsyncIteratorProtocol {
    let make: @Sendable () async throws(StorageError) -> [ObjectInfo]
    var infos: ArraySlice<ObjectInfo>?

    mutating func next() async throws -> ObjectInfo? { try await next(isolation: nil) }

    mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(StorageError) -> ObjectInfo? {
      if infos == nil { infos = try await make()[...] }
      return infos?.popFirst()
    }
  }
}
