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

  func fraction(_ name: String) throws -> Double {
    switch parameters[name] {
    case .double(let number)?: return number
    case .integer(let number)?: return Double(number)
    default: throw BenchError.usage("parameter '\(name)', a number")
    }
  }

  func input(_ name: String) throws -> ObjectPath { try data.appending(name) }

  /// All batches of a Parquet file, in memory.
  func load(_ name: String) async throws -> [RecordBatch] {
    let reader = try await InputReader.open(try input(name), in: store)
    var batches: [RecordBatch] = []
    while let batch = try await reader.next() { batches.append(batch) }
    return batches
  }

  /// Removes what a run left behind.
  func cleanUp() async throws {
    for object in try await store.listAll(work) { try await store.delete(object.path) }
  }
}
