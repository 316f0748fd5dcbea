// SPDX-License-Identifier: Apache-2.0

/// What `transform` makes of each item, in the order of the items; at most `limit` at a time.
///
/// The one way children are run: a group without a limit is a load without one.
///
/// Cost: about 5 µs an item; a single item is transformed in place.
/// - Throws: what the first transform to fail throws; the others are cancelled and waited for.
package func mapConcurrently<Item: Sendable, Output: Sendable, Failure: Error>(
  _ items: [Item], limit: Int,
  _ transform: @escaping @Sendable (Item) async throws(Failure) -> Output
) async throws(Failure) -> [Output] {
  precondition(limit > 0, "nothing can be done by no one")
  if items.count <= 1 || limit == 1 {
    var outputs: [Output] = []
    for item in items { outputs.append(try await transform(item)) }
    return outputs
  }
  let results = await withTaskGroup(of: (Int, Result<Output, Failure>).self) { group in
    var outputs = [Output?](repeating: nil, count: items.count)
    var failure: Failure?
    var next = 0
    func start() {
      let (index, item) = (next, items[next])
      next += 1
      group.addTask {
        do throws(Failure) {
          return (index, .success(try await transform(item)))
        } catch {
          return (index, .failure(error))
        }
      }
    }
    while next < min(limit, items.count) { start() }
    while let (index, result) = await group.next() {
      switch result {
      case .success(let output):
        outputs[index] = output
        if failure == nil, next < items.count { start() }
      case .failure(let error):
        if failure == nil { failure = error }
        group.cancelAll()
      }
    }
    return failure.map(Result<[Output?], Failure>.failure) ?? .success(outputs)
  }
  return try results.get().compactMap(\.self)
}
