// SPDX-License-Identifier: Apache-2.0

/// Runs the units of a scan, several at a time, and hands on what they give in their order.
enum OrderedPipeline {
  /// Reads units with up to `parallelism` tasks. `transform` runs in those tasks, `consume` in the
  /// caller's; it says whether to go on.
  ///
  /// At most `parallelism` units are being read or waiting to be consumed.
  static func run<Output: Sendable>(
    _ source: inout UnitSource, parallelism: Int,
    transform: @escaping @Sendable (ScanUnit) throws(ScanError) -> Output,
    consume: (Output) async throws(ScanError) -> Bool
  ) async throws(ScanError) {
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
            group.addTask { (number, Self.attempt { () throws(ScanError) in try transform(unit) }) }
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

  private static func attempt<T>(
    _ body: () throws(ScanError) -> T
  ) -> Result<T, ScanError> {
    do throws(ScanError) { return .success(try body()) } catch { return .failure(error) }
  }
}

extension OrderedPipeline {
  /// What `transform` makes of each unit, all of them at once.
  static func map<Output: Sendable>(
    _ units: [ScanUnit], _ transform: @escaping @Sendable (ScanUnit) throws(ScanError) -> Output
  ) async throws(ScanError) -> [Output] {
    if units.count == 1 { return [try transform(units[0])] }
    let results = await withTaskGroup(of: (Int, Result<Output, ScanError>).self) { group in
      for (index, unit) in units.enumerated() {
        group.addTask { (index, attempt { () throws(ScanError) in try transform(unit) }) }
      }
      var results = [Result<Output, ScanError>?](repeating: nil, count: units.count)
      for await (index, result) in group { results[index] = result }
      return results
    }
    var outputs: [Output] = []
    for case let result? in results { outputs.append(try result.get()) }
    return outputs
  }
}
