// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// Encodes Thrift's compact protocol: the counterpart of ``ThriftReader``.
///
/// Fields are written in ascending order of their ids; one whose value is nil is left out.
package struct ThriftWriter: ~Copyable {
  private var output: ByteWriter
  private var lastFieldID: Int16 = 0
  private var outerFieldIDs: [Int16] = []

  package init(capacity: Int = 256) { output = ByteWriter(capacity: capacity) }

  /// How many bytes were written.
  package var count: Int { output.count }

  /// What was written.
  package consuming func finish() -> Buffer { output.finish() }

  private mutating func writeHeader(_ id: Int16, _ type: ThriftType) {
    let delta = Int(id) - Int(lastFieldID)
    if delta > 0, delta < 16 {
      output.write(UInt8(delta) << 4 | type.rawValue)
    } else {
      output.write(type.rawValue)
      output.writeZigZag(Int64(id))
    }
    lastFieldID = id
  }

  /// Enters a structure that is an element of a list, or the outermost one.
  package mutating func beginStructure() {
    outerFieldIDs.append(lastFieldID)
    lastFieldID = 0
  }

  /// Enters a structure that is field `id`.
  package mutating func beginStructure(_ id: Int16) {
    writeHeader(id, .structure)
    beginStructure()
  }

  package mutating func endStructure() {
    output.write(0)
    lastFieldID = outerFieldIDs.popLast() ?? 0
  }

  /// Field `id`, a structure without fields: how unions name one of their cases.
  package mutating func writeEmptyStructure(_ id: Int16) {
    beginStructure(id)
    endStructure()
  }

  package mutating func write(_ id: Int16, _ value: Bool?) {
    guard let value else { return }
    writeHeader(id, value ? .booleanTrue : .booleanFalse)
  }

  package mutating func write(_ id: Int16, _ value: Int8?) {
    guard let value else { return }
    writeHeader(id, .int8)
    output.write(UInt8(bitPattern: value))
  }

  package mutating func write(_ id: Int16, _ value: Int16?) {
    guard let value else { return }
    writeHeader(id, .int16)
    output.writeZigZag(Int64(value))
  }

  package mutating func write(_ id: Int16, _ value: Int32?) {
    guard let value else { return }
    writeHeader(id, .int32)
    output.writeZigZag(Int64(value))
  }

  package mutating func write(_ id: Int16, _ value: Int64?) {
    guard let value else { return }
    writeHeader(id, .int64)
    output.writeZigZag(value)
  }

  package mutating func write(_ id: Int16, _ value: Double?) {
    guard let value else { return }
    writeHeader(id, .double)
    output.writeLE(value.bitPattern)
  }

  package mutating func write(_ id: Int16, _ value: [UInt8]?) {
    guard let value else { return }
    writeHeader(id, .binary)
    writeBinaryBody(value)
  }

  package mutating func write(_ id: Int16, _ value: String?) {
    guard let value else { return }
    writeHeader(id, .binary)
    writeStringBody(value)
  }

  private mutating func writeBinaryBody(_ value: [UInt8]) {
    output.writeULEB128(UInt64(value.count))
    output.write(value)
  }

  private mutating func writeStringBody(_ value: String) {
    output.writeULEB128(UInt64(value.utf8.count))
    output.write(utf8: value)
  }

  /// Enters a list of `count` elements that is field `id`; the elements follow.
  package mutating func beginList(_ id: Int16, of type: ThriftType, count: Int) {
    writeHeader(id, .list)
    if count < 15 {
      output.write(UInt8(count) << 4 | type.rawValue)
    } else {
      output.write(0xf0 | type.rawValue)
      output.writeULEB128(UInt64(count))
    }
  }

  package mutating func write(_ id: Int16, _ values: [Int64]?) {
    guard let values else { return }
    beginList(id, of: .int64, count: values.count)
    for value in values { output.writeZigZag(value) }
  }

  package mutating func write(_ id: Int16, _ values: [Int32]?) {
    guard let values else { return }
    beginList(id, of: .int32, count: values.count)
    for value in values { output.writeZigZag(Int64(value)) }
  }

  package mutating func write(_ id: Int16, _ values: [Bool]?) {
    guard let values else { return }
    beginList(id, of: .booleanTrue, count: values.count)
    for value in values { output.write(value ? 1 : 2) }
  }

  package mutating func write(_ id: Int16, _ values: [String]?) {
    guard let values else { return }
    beginList(id, of: .binary, count: values.count)
    for value in values { writeStringBody(value) }
  }

  package mutating func write(_ id: Int16, _ values: [[UInt8]]?) {
    guard let values else { return }
    beginList(id, of: .binary, count: values.count)
    for value in values { writeBinaryBody(value) }
  }
}
