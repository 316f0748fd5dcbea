// SPDX-License-Identifier: Apache-2.0
import Arrow
import Bytes
import Columnar
import Foundation
import LakeTestSupport
import Synchronization
import Testing

@Suite("The C data and stream interface")
struct CInterfaceTests {
  /// The library that Python loads, beside the tests.
  private static let library = SiblingFolder.checkout
    .appending(path: ".build/debug/libArrowExchange.so")

  @Test(arguments: ["polars", "duckdb"])
  func `streams go to pyarrow and back in one process, and memory is given back`(
    _ engine: String
  ) throws {
    let seed = SeededRandom(printing: "C interface").next() % 1_000_000
    guard let python = Oracles.python(of: engine), let oracles = Oracles.library,
      FileManager.default.fileExists(atPath: Self.library.path)
    else {
      print("skipped: \(engine) or the library is not there")
      return #expect(!SiblingFolder.isContinuousIntegration)
    }
    let script = ArrowFiles.fixtures.appending(path: "exchange.py")
    try Oracles.run(python, [script.path, oracles.path, Self.library.path, String(seed)])
  }

  @Test func `random batches go out and come in, and the last reference releases them`() throws {
    let random = SeededRandom(printing: "C batches")
    let make = RandomBatches(random: random)
    let array = UnsafeMutableRawPointer.allocate(byteCount: 80, alignment: 8)
    let schema = UnsafeMutableRawPointer.allocate(byteCount: 72, alignment: 8)
    defer {
      array.deallocate()
      schema.deallocate()
    }
    for _ in 0..<200 {
      let fields = make.fields(random.int(in: 0..<6), depth: random.int(in: 0..<5))
      let batch = make.batch(fields, rows: random.pick([0, 1, 7, 64, 200]))
      ArrowCInterface.export(fields: fields, to: schema)
      try ArrowCInterface.export(batch, to: array)
      let found = try ArrowCInterface.importBatch(array: array, schema: schema)
      #expect(found.fields == fields)
      for (a, b) in zip(found.columns, batch.columns) { #expect(a.isEqual(to: b)) }
    }
  }

  @Test func `a stream that is exported keeps its memory until it is released`() throws {
    let address = UnsafeMutableRawPointer.allocate(byteCount: 40, alignment: 8)
    defer { address.deallocate() }
    let storage = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
    storage.initializeMemory(as: UInt8.self, repeating: 1, count: 64)
    let flag = Released(Mutex(false))
    do {
      let buffer = Buffer(
        BufferStorage(adopting: storage, byteCount: 64) { [flag] in flag.set() })
      let fields = [ColumnField("a", .int64)]
      let column = Column(type: .int64, count: 8, validity: nil, values: .fixed(buffer))
      let batch = RecordBatch(fields: fields, columns: [column], rowCount: 8)
      let more = Counter(Mutex(1))
      ArrowCInterface.export(fields: fields, to: address) { more.take() ? batch : nil }
    }
    var stream: ArrowCStream? = try ArrowCInterface.importStream(address)
    var found = try stream?.next()
    #expect(found?.columns[0].integer(7) == 0x0101_0101_0101_0101)
    #expect(try stream?.next() == nil)
    stream = nil
    #expect(!flag.value)
    #expect(found?.columns[0].integer(0) == 0x0101_0101_0101_0101)
    found = nil
    #expect(flag.value)
    storage.deallocate()
  }
}

/// True once something was released.
private final class Released: Sendable {
  private let state: Mutex<Bool>
  init(_ state: consuming sending Mutex<Bool>) { self.state = state }
  func set() { state.withLock { $0 = true } }
  var value: Bool { state.withLock { $0 } }
}

/// Gives out as many as there are.
private final class Counter: Sendable {
  private let left: Mutex<Int>
  init(_ left: consuming sending Mutex<Int>) { self.left = left }
  func take() -> Bool {
    left.withLock { left in
      defer { left -= 1 }
      return left > 0
    }
  }
}
