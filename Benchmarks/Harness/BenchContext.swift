// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import Lake

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// What a workload is run with.
struct BenchContext {
  let threads: Int
  private let parameters: JSONValue
  /// Where the inputs are.
  let data: ObjectPath
  /// Where scratch files go; each run has a folder of its own, which it removes.
  let work: ObjectPath
  /// Where all runs' files go, and tables that are kept from run to run.
  let root: ObjectPath
  /// As a user has it: what is written survives a power cut.
  let store = LocalStore(durability: .synced)
  /// As the peers write: no file is synced.
  let unsynced = LocalStore(durability: .unsynced)

  init(threads: Int, parameters: String) throws {
    self.threads = threads
    self.parameters = try JSONValue(parsing: parameters)
    data = try ObjectPath(Self.folder("BENCH_DATA"))
    root = try ObjectPath(Self.folder("BENCH_WORK"))
    work = try root.appending("lake-\(getpid())")
  }

  private static func folder(_ variable: String) throws -> String {
    guard let value = unsafe getenv(variable) else {
      throw BenchError.usage("set \(variable) to an absolute folder")
    }
    return unsafe String(cString: value)
  }

  func text(_ name: String) throws -> String {
    guard case .string(let text)? = parameters[name] else {
      throw BenchError.usage("parameter '\(name)', a text")
    }
    return text
  }

  func number(_ name: String) throws -> Int {
    guard case .integer(let number)? = parameters[name] else {
      throw BenchError.usage("parameter '\(name)', a whole number")
    }
    return Int(number)
  }

  /// A parameter that only our own runs have.
  func optionalNumber(_ name: String) -> Int? {
    if case .integer(let number)? = parameters[name] { Int(number) } else { nil }
  }

  func optionalText(_ name: String) -> String? {
    if case .string(let text)? = parameters[name] { text } else { nil }
  }

  func fraction(_ name: String) throws -> Double {
    switch parameters[name] {
    case .double(let number)?: return number
    case .integer(let number)?: return Double(number)
    default: throw BenchError.usage("parameter '\(name)', a number")
    }
  }

  func input(_ name: String) throws -> ObjectPath { try data.appending(relativePath: name) }

  /// All batches of a Parquet file, in memory.
  func load(_ name: String) async throws -> [RecordBatch] {
    let reader = try await InputReader.open(try input(name), in: store)
    var batches: [RecordBatch] = []
    while let batch = try await reader.next() { batches.append(batch) }
    return batches
  }

  /// The first `count` rows of a Parquet file, in memory.
  func rows(of name: String, count: Int) async throws -> [RecordBatch] {
    let reader = try await InputReader.open(try input(name), in: store)
    var batches: [RecordBatch] = []
    var left = count
    while left > 0, let batch = try await reader.next() {
      batches.append(batch.slice(0..<min(left, batch.rowCount)))
      left -= min(left, batch.rowCount)
    }
    guard left == 0 else { throw BenchError.wrongResult("\(name) has \(left) rows too few") }
    return batches
  }

  /// The newest metadata file of the table in one of `folders` of the root, which others wrote.
  func newestMetadata(in folders: String...) async throws -> ObjectPath {
    for folder in folders {
      let location = try root.appending(relativePath: folder)
      let files = try await store.listAll(location.appending("metadata")).map(\.path)
      let newest = files.filter { $0.name.hasSuffix(".metadata.json") }
        .max { $0.name < $1.name }
      if let newest { return newest }
    }
    throw BenchError.wrongResult("no table at \(folders[0])")
  }

  /// How much lies in the run's folder.
  func writtenByteCount() async throws -> (bytes: Int64, files: Int) {
    let objects = try await store.listAll(work)
    return (objects.reduce(0) { $0 + $1.byteCount }, objects.count)
  }

  /// Removes what a run left behind.
  func cleanUp() async throws {
    for object in try await store.listAll(work) { try await store.delete(object.path) }
  }
}

extension [RecordBatch] {
  /// The rows `range` of all these, one after the other.
  func slice(_ range: Range<Int>) -> [RecordBatch] {
    var start = 0
    var slices: [RecordBatch] = []
    for batch in self {
      let own = (range.lowerBound - start)..<(range.upperBound - start)
      let part = own.clamped(to: 0..<batch.rowCount)
      if !part.isEmpty { slices.append(batch.slice(part)) }
      start += batch.rowCount
    }
    return slices
  }
}
