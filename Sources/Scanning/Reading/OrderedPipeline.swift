// SPDX-License-Identifier: Apache-2.0
internal import Columnar

/// Runs the units of a scan, several at a time, and hands on what they give in their order.
enum OrderedPipeline {
  /// Reads units with up to `parallelism` tasks. `transform` runs in those tasks, `consume` in the
  /// caller's; it says whether to go on.
  ///
  /// At most `parallelism` units are being read or waiting to be consumed.
  static func run<Output: Sendable>(
    _ source: inout UnitSource, parallelism: Int,
    transform: @escaping @Sendable ([RecordBatch]) throws(ScanError) -> Output,
    consume: (Output) async throws(ScanError) -> Bool
  ) async throws(ScanError) {
    let workspaces = WorkspacePool()
    let outcome = await withTaskGroup(
      of: (Int, Result<Output, ScanError>).self, returning: Result<Void, ScanError>.self
    ) { group in
      do throws(ScanError) {
        var started = 0
        var consumed = 0
        var waiting: [Int: Output] = [:]
        var isExhausted = false
        while true {
          while !isExhausted, started - consumed < parallelism {
            guard let unit = try await source.next() else {
              isExhausted = true
              break
            }
            let number = started
            started += 1
            group.addTask { (number, Self.decode(unit, workspaces, transform)) }
          }
          if consumed == started { break }
          while waiting[consumed] == nil, let (number, result) = await group.next() {
            waiting[number] = try result.get()
          }
          guard let output = waiting.removeValue(forKey: consumed) else { throw .cancelled }
          consumed += 1
          if try await !consume(output) { break }
          if Task.isCancelled { throw .cancelled }
        }
        group.cancelAll()
        return .success(())
      } catch {
        group.cancelAll()
        return .failure(error)
      }
    }
    try outcome.get()
  }

  private static func decode<Output>(
    _ unit: ScanUnit, _ workspaces: WorkspacePool,
    _ transform: ([RecordBatch]) throws(ScanError) -> Output
  ) -> Result<Output, ScanError> {
    do throws(ScanError) {
      return .success(try transform(try workspaces.read(unit)))
    } catch {
      return .failure(error)
    }
  }
}

extension OrderedPipeline {
  /// The rows of `units`, all of which are read at once, in their order.
  static func readAll(
    _ units: [ScanUnit], _ workspaces: WorkspacePool
  ) async throws(ScanError) -> [RecordBatch] {
    let results = await withTaskGroup(of: (Int, Result<[RecordBatch], ScanError>).self) { group in
      for (index, unit) in units.enumerated() {
        group.addTask {
          (index, decode(unit, workspaces) { (batches) throws(ScanError) in batches })
        }
      }
      var results = [Result<[RecordBatch], ScanError>?](repeating: nil, count: units.count)
      for await (index, result) in group { results[index] = result }
      return results
    }
    var batches: [RecordBatch] = []
    for case let result? in results { batches += try result.get() }
    return batches
  }
}
