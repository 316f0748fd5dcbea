// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The keys that the objects the reader is in had so far, as hashes.
///
/// A hash that is new proves the key is. At one that is not (or an escaped key, or very many keys)
/// the object is read again from its start, once, into a set of whole keys that serves from then on:
/// so the answer is exact, chance makes the second reading rare, and no choice of keys makes the
/// whole quadratic.
struct SeenKeys {
  /// What is known of an object that another was begun in.
  private struct Outer {
    var start: Int
    var firstHash: Int
    var exact: Set<[UInt8]>?
  }

  static let hashedKeyLimit = 128
  /// The hashes of all objects the reader is in, those of the innermost last.
  private(set) var hashes: [UInt32] = []
  private var outer: [Outer] = []

  // The innermost object: where its first key is looked for, and how many hashes are not its own.
  private(set) var isInObject = false
  private(set) var start = 0
  private(set) var firstHash = 0
  var exact: Set<[UInt8]>?

  @inline(__always)
  mutating func beginObject(at offset: Int) {
    if isInObject {
      outer.append(Outer(start: start, firstHash: firstHash, exact: exact))
    } else {
      if hashes.isEmpty { hashes.reserveCapacity(16) }
      isInObject = true
    }
    start = offset
    firstHash = hashes.count
    exact = nil
  }

  @inline(__always)
  mutating func endObject() {
    hashes.removeLast(hashes.count &- firstHash)
    guard let object = outer.popLast() else {
      isInObject = false
      firstHash = 0
      exact = nil
      return
    }
    start = object.start
    firstHash = object.firstHash
    exact = object.exact
  }

  /// Notes a hash in the innermost object, and tells whether it was there.
  @inline(__always)
  mutating func insert(_ hash: UInt32) -> Bool {
    var isKnown = false
    for i in firstHash..<hashes.count { isKnown = isKnown || hashes[i] == hash }
    hashes.append(hash)
    return isKnown
  }
}

extension JSONReader {
  /// Throws if the innermost object had `key`, which lies at `start`, before.
  mutating func checkUnseen(_ key: borrowing JSONText, at start: Int) throws(JSONError) {
    guard keys.isInObject else { return }
    if keys.exact == nil {
      let mayHash = !key.isEscaped && keys.hashes.count &- keys.firstHash < SeenKeys.hashedKeyLimit
      if mayHash, !keys.insert(key.rawBytes.keyHash()) { return }
      keys.exact = try keysSoFar(from: keys.start, before: start)
    }
    let isNew = keys.exact?.insert(Array(key.string.utf8)).inserted ?? true
    if !isNew { throw .duplicateKey(offset: start, key: key.string) }
  }

  /// The keys between `start`, inside an object, and `end`, escapes resolved.
  private func keysSoFar(from start: Int, before end: Int) throws(JSONError) -> Set<[UInt8]> {
    var seen: Set<[UInt8]> = []
    var again = JSONReader(bytes, depth: depthLimit)
    again.offset = start
    while try again.nextByte("a key") != UInt8(ascii: "}"), again.offset < end {
      if again.bytes[again.offset] == UInt8(ascii: ",") { again.offset &+= 1 }
      guard try again.nextByte("a key") == UInt8(ascii: "\""), again.offset < end else { break }
      seen.insert(Array(try again.scanString().string.utf8))
      again.skipWhitespace()
      again.offset &+= 1  // the colon, which was there the first time
      try again.skipValue()
    }
    return seen
  }
}

extension RawSpan {
  /// A fast hash of few bytes; not meant to withstand keys made to collide.
  @inline(__always)
  func keyHash() -> UInt32 {
    var hash = UInt64(truncatingIfNeeded: byteCount) &* 0x9e37_79b9_7f4a_7c15
    var i = 0
    while i &+ 8 <= byteCount {
      hash = (hash ^ loadLE(at: i, as: UInt64.self)) &* 0xff51_afd7_ed55_8ccd
      hash ^= hash >> 32
      i &+= 8
    }
    if i &+ 4 <= byteCount {
      hash = (hash ^ UInt64(loadLE(at: i, as: UInt32.self))) &* 0xff51_afd7_ed55_8ccd
      hash ^= hash >> 32
      i &+= 4
    }
    while i < byteCount {
      hash = (hash ^ UInt64(self[i])) &* 0xc4ce_b9fe_1a85_ec53
      hash ^= hash >> 29
      i &+= 1
    }
    return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
  }
}
