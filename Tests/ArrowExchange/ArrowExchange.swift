// SPDX-License-Identifier: Apache-2.0
import Arrow
import Bytes
import Columnar
import Synchronization

// What Python calls through ctypes, to exchange streams with this library in one process.

/// Batches on their way through: the consumer asks for one at a time.
private final class Passage: Sendable {
  nonisolated(unsafe) private let stream: ArrowCStream
  init(_ stream: ArrowCStream) { self.stream = stream }
  func next() throws -> RecordBatch? { try stream.next() }
}

/// Takes the stream at `source` and gives its batches on through the one at `target`; 0 if that
/// goes well.
@_cdecl("lake_arrow_pass_on")
public func passOn(_ source: UnsafeMutableRawPointer, _ target: UnsafeMutableRawPointer) -> Int32 {
  do {
    let stream = try ArrowCInterface.importStream(source)
    let fields = stream.fields
    let passage = Passage(stream)
    ArrowCInterface.export(fields: fields, to: target) { try passage.next() }
    return 0
  } catch {
    print(error)
    return 1
  }
}

/// Takes one batch and gives it on.
@_cdecl("lake_arrow_pass_batch_on")
public func passBatchOn(
  _ array: UnsafeMutableRawPointer, _ schema: UnsafeMutableRawPointer,
  _ targetArray: UnsafeMutableRawPointer, _ targetSchema: UnsafeMutableRawPointer
) -> Int32 {
  do {
    let batch = try ArrowCInterface.importBatch(array: array, schema: schema)
    ArrowCInterface.export(fields: batch.fields, to: targetSchema)
    try ArrowCInterface.export(batch, to: targetArray)
    return 0
  } catch {
    print(error)
    return 1
  }
}

/// Gives a stream of the numbers 0 ..< 3000 in three batches and their texts; then, if `fails` is
/// not 0, an error.
@_cdecl("lake_arrow_numbers")
public func numbers(_ target: UnsafeMutableRawPointer, _ fails: Int32) {
  let fields = [
    ColumnField("n", .int64, isNullable: false, fieldID: 1), ColumnField("s", .string),
  ]
  let next = Mutex(0)
  ArrowCInterface.export(fields: fields, to: target) {
    let start = next.withLock { next in
      defer { next += 1000 }
      return next
    }
    if start == 3000 {
      if fails != 0 { throw ArrowError.producer(code: 7, message: "no more numbers") }
      return nil
    }
    let batch = BatchBuilder(fields)
    for number in start..<start + 1000 {
      batch.columns[0].append(Int64(number))
      if number % 7 == 0 {
        batch.columns[1].appendNull()
      } else {
        batch.columns[1].append("n\(number)")
      }
    }
    return batch.finish()
  }
}
