// SPDX-License-Identifier: Apache-2.0

/// What a 32-bit reflected CRC looks up: 16 tables of 256, so that 16 bytes are one step.
///
/// Row `k` holds, for each byte, its CRC with `k` zero bytes behind it. CRC is linear, so the 16
/// bytes of a block are looked up independently, each in the row of its distance to the end.
struct CRCTable: Sendable {
  private let rows: [UInt32]

  init(reflectedPolynomial polynomial: UInt32) {
    var rows = [UInt32](repeating: 0, count: 16 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? polynomial : 0) }
      rows[byte] = crc
    }
    for i in 256..<rows.count { rows[i] = rows[i - 256] >> 8 ^ rows[Int(rows[i - 256] & 0xff)] }
    self.rows = rows
  }

  func checksum(_ bytes: RawSpan, continuing: UInt32) -> UInt32 {
    precondition(rows.count == 16 * 256)
    return unsafe rows.withUnsafeBufferPointer { rows in
      unsafe bytes.withUnsafeBytes { bytes in
        guard let table = rows.baseAddress, let start = bytes.baseAddress else {
          return continuing
        }
        return unsafe ~Self.update(~continuing, start, bytes.count, table)
      }
    }
  }

  /// Over `count` bytes at `start`; every index into `table` is a row below 16 and a byte.
  private static func update(
    _ crc: UInt32, _ start: UnsafeRawPointer, _ count: Int, _ table: UnsafePointer<UInt32>
  ) -> UInt32 {
    var crc = crc
    var at = unsafe start
    let end = unsafe start + count
    while unsafe end - at >= 16 {
      let a = unsafe UInt64(littleEndian: at.loadUnaligned(as: UInt64.self)) ^ UInt64(crc)
      let b = unsafe UInt64(littleEndian: (at + 8).loadUnaligned(as: UInt64.self))
      crc = unsafe fold(a, table + 8 * 256) ^ fold(b, table)
      unsafe at += 16
    }
    while unsafe at < end {
      crc = unsafe crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ at.load(as: UInt8.self))]
      unsafe at += 1
    }
    return crc
  }

  /// The CRC of eight bytes; the first byte has seven behind it and so looks in row 7.
  @inline(__always)
  private static func fold(_ word: UInt64, _ table: UnsafePointer<UInt32>) -> UInt32 {
    @inline(__always) func row(_ k: Int) -> UInt32 {
      unsafe table[(7 &- k) &* 256 &+ Int(UInt8(truncatingIfNeeded: word &>> UInt64(8 &* k)))]
    }
    return (row(0) ^ row(1) ^ row(2) ^ row(3)) ^ (row(4) ^ row(5) ^ row(6) ^ row(7))
  }
}
