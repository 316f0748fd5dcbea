// SPDX-License-Identifier: Apache-2.0
import Bytes
import Synchronization
import Testing

@Suite("Buffers")
struct BufferTests {
  @Test func `a slice sees the same bytes and keeps their memory`() {
    let whole = pattern(100)
    let slice = whole.slice(10..<90).slice(5..<25)
    #expect(slice.array() == Array(whole.array()[15..<35]))
    #expect(slice.retainedByteCount == 100)
    #expect(whole.slice(40..<40).isEmpty)
    #expect(whole.slice(0..<100) == whole)
  }

  @Test func `equal bytes are equal buffers wherever they lie`() {
    let twice = Buffer(pattern(50).array() + pattern(50).array())
    let first = twice.slice(0..<50)
    let second = twice.slice(50..<100)
    #expect(first == second && first.hashValue == second.hashValue)
    #expect(first != twice.slice(1..<51) && first != twice.slice(0..<49))
    #expect(Buffer.empty == Buffer([]))
  }

  @Test func `memory of ours is aligned, and typed views hold its values`() {
    var target = MutableBuffer(zeroed: 8 * 5)
    var values = target.mutableValues(as: Int64.self)
    for i in values.indices { values[i] = Int64(i) - 2 }
    let buffer = target.freeze()
    #expect(buffer.isAligned(to: 64) && !buffer.slice(1..<9).isAligned(to: 2))
    let span = buffer.values(as: Int64.self)
    for i in span.indices { #expect(span[i] == Int64(i) - 2) }
  }

  @Test func `adopted memory is given back once, when the last buffer is gone`() {
    let count = Mutex(0)
    let released = Released()
    do {
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 4, alignment: 8)
      memory.storeBytes(of: 0x0403_0201, as: UInt32.self)
      nonisolated(unsafe) let base = memory
      let storage = BufferStorage(adopting: base, byteCount: 4) {
        released.count.withLock { $0 += 1 }
        base.deallocate()
      }
      let buffer = Buffer(storage).slice(1..<3)
      #expect(buffer.array() == [2, 3])
      count.withLock { $0 = released.count.withLock { $0 } }
    }
    #expect(count.withLock { $0 } == 0 && released.count.withLock { $0 } == 1)
  }

  private final class Released: Sendable { let count = Mutex(0) }

  @Test func `a mutable buffer grows and keeps what it has`() {
    var buffer = MutableBuffer()
    var expected: [UInt8] = []
    for i in 0..<300 {
      let part = pattern(i % 17)
      buffer.append(part.bytes)
      buffer.append(value: UInt16(i).littleEndian)
      expected += part.array() + [UInt8(i & 255), UInt8(i >> 8)]
    }
    buffer.replace(at: 3, with: pattern(5).bytes)
    expected.replaceSubrange(3..<8, with: pattern(5).array())
    buffer.resize(to: 200)
    let count = buffer.count
    #expect(count == 200)
    let frozen = buffer.freeze()
    #expect(frozen.array() == Array(expected.prefix(200)))
  }

  @Test func `spans compare as their unsigned bytes do, a prefix first`() {
    let texts: [[UInt8]] = [[], [0], [0, 0], [1], [1, 255], [2], [127], [128], [255], [255, 0]]
    for (i, a) in texts.enumerated() {
      for (j, b) in texts.enumerated() {
        let x = Buffer(a)
        let y = Buffer(b)
        let order = x.bytes.compare(with: y.bytes)
        #expect(order.signum() == (i - j).signum(), "\(a) and \(b)")
        #expect(x.bytes.lexicographicallyPrecedes(y.bytes) == (i < j))
        #expect(x.bytes.hasSameBytes(as: y.bytes) == (i == j))
      }
    }
  }
}
