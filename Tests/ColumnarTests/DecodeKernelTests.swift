// SPDX-License-Identifier: Apache-2.0
import Bytes
import SeededNumbers
import Testing

@testable import Columnar

/// Each kernel against a loop that could not be simpler, on random and boundary inputs.
@Suite("Decode kernels")
struct DecodeKernelTests {
  private func array(_ buffer: borrowing MutableBuffer) -> [UInt8] { buffer.bytes.array() }

  private func ends(_ buffer: borrowing MutableBuffer) -> [Int32] {
    let span = buffer.values(as: Int32.self)
    return span.indices.map { span[$0] }
  }

  private func validity(_ count: Int, _ density: Int, _ random: inout Seeded) -> Bitmap {
    Bitmap((0..<count).map { _ in Int(random.next() % 100) < density })
  }

  @Test func `codes are below a count exactly if each is`() {
    for (codes, count, expected) in [
      ([], 0, true), ([0], 0, false), ([0], 1, true), ([1], 1, false), ([4, 5, 6], 7, true),
      ([4, 7, 6], 7, false), ([.max], 1 << 20, false), ([0x8000_0000], 1 << 20, false),
      ([0x7fff_ffff], Int(Int32.max), false), ([0x7fff_fffe], Int(Int32.max), true),
    ] as [([UInt32], Int, Bool)] {
      #expect(DecodeKernels.areCodes(codes.span, below: count) == expected, "\(codes) < \(count)")
    }
  }

  @Test(arguments: [1, 2, 4, 5, 8, 12, 16, 33])
  func `values are gathered as a loop would`(width: Int) {
    var random = Seeded(11)
    for count in [0, 1, 2, 7, 64, 1000] {
      let dictionary = Buffer(random.bytes(width * 50))
      let codes = (0..<count).map { _ in UInt32(random.next() % 50) }
      var output = MutableBuffer(zeroed: 3 + count * width)
      var target = output.mutableBytes
      let isGood = DecodeKernels.gather(
        dictionary.bytes, width: width, codes: codes.span, into: &target, at: 3)
      #expect(isGood)
      let expected = codes.flatMap {
        dictionary.slice(Int($0) * width..<Int($0 + 1) * width).array()
      }
      #expect(array(output) == [0, 0, 0] + expected, "\(count) of width \(width)")
    }
    var output = MutableBuffer(zeroed: width)
    var target = output.mutableBytes
    let bad: [UInt32] = [50]
    let isGood = DecodeKernels.gather(
      Buffer(random.bytes(width * 50)).bytes, width: width, codes: bad.span, into: &target, at: 0)
    #expect(!isGood)
  }

  @Test func `strings are gathered as a loop would`() {
    var random = Seeded(12)
    for round in 0..<50 {
      let strings = (0..<20).map { _ in random.bytes(Int(random.next() % (round < 25 ? 90 : 9))) }
      var offsets: [Int32] = [0]
      for string in strings { offsets.append(offsets[offsets.count - 1] + Int32(string.count)) }
      let codes = (0..<Int(random.next() % 100)).map { _ in UInt32(random.next() % 20) }
      var found = MutableBuffer()
      found.append(value: Int32(0))
      var bytes = MutableBuffer()
      let isGood = DecodeKernels.gather(
        offsets: offsets.span, bytes: Buffer(strings.flatMap { $0 }).bytes, codes: codes.span,
        ends: &found, into: &bytes, limit: 1 << 20)
      #expect(isGood)
      let expected = codes.map { strings[Int($0)] }
      #expect(array(bytes) == expected.flatMap { $0 }, "round \(round)")
      #expect(Array(ends(found).dropFirst()) == sums(expected.map(\.count)))
    }
  }

  private func sums(_ lengths: [Int]) -> [Int32] {
    var sum: Int32 = 0
    return lengths.map {
      sum += Int32($0)
      return sum
    }
  }

  @Test func `strings that come to more than the limit are refused`() {
    let offsets: [Int32] = [0, 100]
    let codes = [UInt32](repeating: 0, count: 11)
    var found = MutableBuffer()
    found.append(value: Int32(0))
    var bytes = MutableBuffer()
    let isGood = DecodeKernels.gather(
      offsets: offsets.span, bytes: Buffer([UInt8](repeating: 1, count: 100)).bytes,
      codes: codes.span, ends: &found, into: &bytes, limit: 1099)
    #expect(!isGood)
  }

  @Test(arguments: [1, 3, 4, 8, 16, 17], [0, 5, 50, 95, 100])
  func `values are spread to their rows and null slots are zero`(width: Int, density: Int) {
    var random = Seeded(13)
    for count in [0, 1, 63, 64, 65, 130, 700] {
      let validity = validity(count, density, &random)
      let ones = validity.countOfOnes
      let dense = random.bytes(ones * width)
      var values = MutableBuffer(byteCount: count * width)
      values.replace(at: 0, with: Buffer(dense).bytes)
      var target = values.mutableBytes
      DecodeKernels.spread(&target, width: width, to: validity, ones: ones)
      var next = 0
      var expected: [UInt8] = []
      for row in 0..<count {
        if validity[row] {
          expected += dense[next * width..<(next + 1) * width]
          next += 1
        } else {
          expected += [UInt8](repeating: 0, count: width)
        }
      }
      #expect(array(values) == expected, "\(count) rows of width \(width), \(density) %")
    }
  }

  @Test(arguments: [0, 5, 50, 95, 100])
  func `offsets are spread so that other rows are empty`(density: Int) {
    var random = Seeded(14)
    for count in [0, 1, 63, 64, 65, 700] {
      let validity = validity(count, density, &random)
      let ones = validity.countOfOnes
      let lengths = (0..<ones).map { _ in Int(random.next() % 9) }
      var offsets = [0] + sums(lengths) + [Int32](repeating: -1, count: count - ones)
      var span = offsets.mutableSpan
      DecodeKernels.spreadOffsets(&span, to: validity, ones: ones)
      var next = 0
      var expected: [Int] = []
      for row in 0..<count {
        expected.append(validity[row] ? lengths[next] : 0)
        if validity[row] { next += 1 }
      }
      #expect(offsets == [0] + sums(expected), "\(count) rows, \(density) %")
    }
  }

  private func prefixed(_ strings: [[UInt8]]) -> [UInt8] {
    strings.flatMap { string in
      (0..<4).map { UInt8(truncatingIfNeeded: string.count >> (8 * $0)) } + string
    }
  }

  @Test func `length-prefixed strings are appended as a loop would`() throws {
    var random = Seeded(15)
    for round in 0..<60 {
      let strings = (0..<Int(random.next() % 40)).map { _ in
        random.bytes(Int(random.next() % (round % 2 == 0 ? 20 : 200)))
      }
      let source = Buffer([9, 9] + prefixed(strings) + random.bytes(Int(random.next() % 30)))
      var found = MutableBuffer()
      found.append(value: Int32(0))
      var bytes = MutableBuffer()
      let after = DecodeKernels.appendLengthPrefixed(
        source.bytes, at: 2, count: strings.count, ends: &found, into: &bytes, limit: 1 << 20)
      #expect(after == 2 + prefixed(strings).count)
      #expect(array(bytes) == strings.flatMap { $0 }, "round \(round)")
      #expect(Array(ends(found).dropFirst()) == sums(strings.map { $0.count }))
      let skipped = DecodeKernels.skipLengthPrefixed(source.bytes, at: 2, count: strings.count)
      #expect(skipped == after)
    }
  }

  @Test func `every cut of length-prefixed strings is refused`() {
    let whole = prefixed([[1, 2, 3], [], [4, 5, 6, 7, 8]])
    for count in 0..<whole.count {
      let source = Buffer(Array(whole[..<count]))
      var found = MutableBuffer()
      found.append(value: Int32(0))
      var bytes = MutableBuffer()
      let after = DecodeKernels.appendLengthPrefixed(
        source.bytes, at: 0, count: 3, ends: &found, into: &bytes, limit: 1 << 20)
      #expect(after == nil, "cut to \(count)")
      #expect(DecodeKernels.skipLengthPrefixed(source.bytes, at: 0, count: 3) == nil)
    }
  }

  @Test func `lengths that are no size are refused`() {
    for length in [UInt32.max, 0x8000_0000, 0x7fff_ffff, 5] {
      let bytes = (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + [1, 2, 3, 4]
      var found = MutableBuffer()
      found.append(value: Int32(0))
      var output = MutableBuffer()
      let after = DecodeKernels.appendLengthPrefixed(
        Buffer(bytes).bytes, at: 0, count: 1, ends: &found, into: &output, limit: 1 << 20)
      #expect(after == nil, "length \(length)")
    }
  }

  @Test func `strings with shared beginnings are appended as a loop would`() {
    var random = Seeded(16)
    for round in 0..<50 {
      let first = random.bytes(Int(random.next() % 20))
      var previous = first
      var prefixes: [Int32] = []
      var suffixes: [Int32] = []
      var source: [UInt8] = [7]
      var strings: [[UInt8]] = []
      for _ in 0..<Int(random.next() % 50) {
        let prefix = Int(random.next() % UInt64(previous.count + 1))
        let suffix = random.bytes(Int(random.next() % 30))
        previous = Array(previous[..<prefix]) + suffix
        prefixes.append(Int32(prefix))
        suffixes.append(Int32(suffix.count))
        source += suffix
        strings.append(previous)
      }
      var found = MutableBuffer()
      found.append(value: Int32(0))
      var bytes = MutableBuffer()
      let after = DecodeKernels.appendPrefixed(
        previous: Buffer(first).bytes, prefixes: prefixes.span, suffixes: suffixes.span,
        of: Buffer(source).bytes, at: 1, ends: &found, into: &bytes, limit: 1 << 20)
      #expect(after == source.count)
      #expect(array(bytes) == strings.flatMap { $0 }, "round \(round)")
      #expect(Array(ends(found).dropFirst()) == sums(strings.map { $0.count }))
    }
  }

  @Test func `beginnings longer than the string before are refused`() {
    for (prefixes, suffixes) in [
      ([4], [0]), ([-1], [0]), ([0], [-1]), ([0], [4]), ([3, 4], [0, 0]), ([.max], [.max]),
    ] as [([Int32], [Int32])] {
      var found = MutableBuffer()
      found.append(value: Int32(0))
      var bytes = MutableBuffer()
      let after = DecodeKernels.appendPrefixed(
        previous: Buffer([1, 2, 3] as [UInt8]).bytes, prefixes: prefixes.span,
        suffixes: suffixes.span,
        of: Buffer([1, 2, 3] as [UInt8]).bytes, at: 0, ends: &found, into: &bytes, limit: 1 << 20)
      #expect(after == nil, "\(prefixes) \(suffixes)")
    }
  }

  @Test(arguments: 1...17) func `streams are merged as a loop would`(width: Int) {
    var random = Seeded(17)
    for total in [0, 1, 15, 16, 17, 40, 333] {
      let source = random.bytes(total * width)
      for first in [0, total / 3, total] {
        let count = (total - first) / 2 + (total - first) % 2
        var output = MutableBuffer(zeroed: 5 + count * width)
        var target = output.mutableBytes
        DecodeKernels.mergeStreams(
          Buffer(source).bytes, width: width, total: total, first: first, count: count,
          into: &target, at: 5)
        let expected = (first..<first + count).flatMap { i in
          (0..<width).map { source[$0 * total + i] }
        }
        #expect(
          array(output) == [0, 0, 0, 0, 0] + expected, "\(first)+\(count) of \(total) × \(width)")
      }
    }
  }
}

extension Seeded {
  fileprivate mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}
