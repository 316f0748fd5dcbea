// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// One step over encoded bytes.
struct SkipStep: BitwiseCopyable {
  enum Code: UInt8, BitwiseCopyable {
    /// `operand` bytes.
    case bytes
    /// `operand` variable-length integers.
    case integers
    /// `operand` runs of bytes behind their lengths.
    case runs
    /// A union of null, which is branch 0 or 1, and what the next `operand` steps pass.
    case optionalNullFirst, optionalNullLast
    /// A union of `operand` branches, whose lengths in steps are in as many `branch` steps.
    case union, branch
    /// An array or map; the next `operand` steps pass an element.
    case blocks
  }
  var code: Code
  var operand: Int32
  /// The fewest bytes an element of `blocks` takes.
  var elementByteCount: Int32 = 0
}

/// A way over values of a type without looking at them, made once for a schema.
///
/// It is a flat list of steps, so passing a value costs about what its integers do: no tree is
/// walked. A block that states its size in bytes is passed at once.
public struct AvroSkipper: Sendable {
  var steps: [SkipStep] = []

  public init(_ schema: AvroSchema) { append(schema) }

  init() {}

  /// Adds the way over one more value.
  mutating func append(_ schema: AvroSchema) {
    switch schema.kind {
    case .null: break
    case .boolean: add(.bytes, 1)
    case .int, .long, .enumeration: add(.integers, 1)
    case .float: add(.bytes, 4)
    case .double: add(.bytes, 8)
    case .bytes, .string: add(.runs, 1)
    case .fixed(let fixed):
      if fixed.byteCount > 0 { add(.bytes, Int32(clamping: fixed.byteCount)) }
    case .record(let record): for field in record.fields { append(field.schema) }
    case .array(let items): appendBlocks(of: AvroSkipper(items), items.minimumByteCount)
    case .map(let values):
      var pair = AvroSkipper()
      pair.add(.runs, 1)
      pair.append(values)
      appendBlocks(of: pair, values.minimumByteCount &+ 1)
    case .union(let branches): appendUnion(branches)
    }
  }

  private mutating func add(_ code: SkipStep.Code, _ count: Int32) {
    if let last = steps.indices.last, steps[last].code == code, isOpen {
      let (sum, overflow) = steps[last].operand.addingReportingOverflow(count)
      if !overflow {
        steps[last].operand = sum
        return
      }
    }
    steps.append(SkipStep(code: code, operand: count))
    isOpen = true
  }

  /// The last step may take in more of its kind: no union or array ends after it.
  private var isOpen = false

  private mutating func appendBlocks(of element: AvroSkipper, _ byteCount: Int) {
    steps.append(
      SkipStep(
        code: .blocks, operand: Int32(element.steps.count),
        elementByteCount: Int32(clamping: byteCount)))
    steps += element.steps
    isOpen = false
  }

  private mutating func appendUnion(_ branches: [AvroSchema]) {
    let parts = branches.map(AvroSkipper.init)
    if branches.count == 2, parts[0].steps.isEmpty || parts[1].steps.isEmpty {
      let isNullFirst = parts[0].steps.isEmpty
      let rest = parts[isNullFirst ? 1 : 0].steps
      steps.append(
        SkipStep(
          code: isNullFirst ? .optionalNullFirst : .optionalNullLast, operand: Int32(rest.count)))
      steps += rest
    } else {
      steps.append(SkipStep(code: .union, operand: Int32(branches.count)))
      steps += parts.map { SkipStep(code: .branch, operand: Int32($0.steps.count)) }
      for part in parts { steps += part.steps }
    }
    isOpen = false
  }
}

extension AvroDecoder {
  /// Passes one value.
  public mutating func skip(_ skipper: AvroSkipper) throws(AvroError) {
    let steps = skipper.steps.span
    try skip(steps, 0, steps.count)
  }

  /// Passes what the steps from `start` to `end` do. Recurses as deep as arrays nest in the schema.
  mutating func skip(
    _ steps: Span<SkipStep>, _ start: Int, _ end: Int
  ) throws(AvroError) {
    var at = start
    while at < end {
      let step = steps[at]
      at &+= 1
      let operand = Int(step.operand)
      switch step.code {
      case .bytes:
        try need(operand)
        offset &+= operand
      case .integers: try skipIntegers(operand)
      case .runs:
        for _ in 0..<operand { offset &+= try readLength() }
      case .optionalNullFirst: if try readBranch(of: 2) == 0 { at &+= operand }
      case .optionalNullLast: if try readBranch(of: 2) == 1 { at &+= operand }
      case .union:
        let branch = try readBranch(of: operand)
        let table = at
        at &+= operand
        var branchEnd = at
        for i in 0...branch {
          at = branchEnd
          branchEnd &+= Int(steps[table &+ i].operand)
        }
        try skip(steps, at, branchEnd)
        at = branchEnd
        for i in branch &+ 1..<operand { at &+= Int(steps[table &+ i].operand) }
      case .branch: break
      case .blocks:
        try skipBlocks(steps, at, at &+ operand, Int(step.elementByteCount))
        at &+= operand
      }
    }
  }

  /// Passes `count` integers, eight bytes at a time: a byte below 0x80 ends one.
  private mutating func skipIntegers(_ count: Int) throws(AvroError) {
    let high: UInt64 = 0x8080_8080_8080_8080
    var left = count
    while left > 0 {
      guard remaining >= 8 else {
        _ = try readVarint()
        left &-= 1
        continue
      }
      var ends = ~bytes.loadLE(at: offset, as: UInt64.self) & high
      let found = Int(truncatingIfNeeded: ((ends &>> 7) &* 0x0101_0101_0101_0101) &>> 56)
      if found == 0 {
        // One of eight bytes or more: it is looked at whether it is too long.
        _ = try readVarint()
        left &-= 1
      } else if found <= left {
        // What follows the last end is the beginning of another, and read again with the rest of it.
        offset &+= 8 &- ends.leadingZeroBitCount &>> 3
        left &-= found
      } else {
        for _ in 1..<left { ends &= ends &- 1 }
        offset &+= ends.trailingZeroBitCount &>> 3 &+ 1
        left = 0
      }
    }
  }

  private mutating func skipBlocks(
    _ steps: Span<SkipStep>, _ start: Int, _ end: Int, _ elementByteCount: Int
  ) throws(AvroError) {
    while true {
      let block = try readBlock(elementByteCount: elementByteCount)
      if block.count == 0 { return }
      if let end = block.end {
        offset = end
      } else if end &- start == 1, steps[start].code == .integers {
        // The count was held against the bytes left, so the product is no surprise.
        try skipIntegers(block.count &* Int(steps[start].operand))
      } else if end &- start == 2, steps[start].isOne(.integers), steps[start &+ 1].isOne(.runs) {
        try skipKeyedRuns(block.count)
      } else if end > start {
        for _ in 0..<block.count { try skip(steps, start, end) }
      }
    }
  }

  /// Passes pairs of an integer and a run of bytes, as Iceberg's bounds are.
  private mutating func skipKeyedRuns(_ count: Int) throws(AvroError) {
    for _ in 0..<count {
      _ = try readVarint()
      offset &+= try readLength()
    }
  }
}

extension SkipStep {
  func isOne(_ code: Code) -> Bool { self.code == code && operand == 1 }
}
