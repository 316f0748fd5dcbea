// SPDX-License-Identifier: Apache-2.0
import Bytes

/// A way for bytes from outside to come in, as one function of them.
///
/// Laws that hold of each, whatever the bytes: it ends, in rows or a typed error and within a second
/// of processor time; it takes no more than 64 bytes for each one given and 32 MiB; and what it says
/// of its format (see the function) is so.
struct FuzzTarget: Sendable {
  let name: String
  /// Throws if a law does not hold; errors of the format are not among them.
  let run: @Sendable (Buffer) throws(BrokenLaw) -> Void
  /// Inputs to begin from, made by Lake's own writers.
  var seeds: @Sendable () throws -> [Buffer] = { [] }
  /// The ends of names of files that are inputs as they are.
  var files: [String] = []

  /// Every target: a new one needs a line here, and a folder in Fixtures/fuzz.
  static let all: [FuzzTarget] =
    ParquetMetadataTargets.all + EncodingTargets.all + CodecTargets.all + ParquetFileTarget.all
    + TextTargets.all + XMLTarget.all + IcebergTargets.all + ArrowTargets.all

  static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// What a target was held to, and did not do.
struct BrokenLaw: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// The bytes of an input that choose what is done with the others.
struct FuzzChoices {
  private(set) var rest: Buffer

  init(_ bytes: Buffer) { rest = bytes }

  /// The next byte; 0 behind the last.
  mutating func byte() -> Int {
    guard rest.count > 0 else { return 0 }
    defer { rest = rest.slice(1..<rest.count) }
    return Int(rest.bytes.loadLE(at: 0, as: UInt8.self))
  }

  mutating func below(_ limit: Int) -> Int { byte() % limit }
  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}

/// What memory the targets let a decoder spend: a fraction of the law's 32 MiB, as several blocks
/// live at a time.
enum FuzzLimits {
  static let decoding: DecodeLimits = {
    var limits = DecodeLimits.standard
    limits.blockByteCount = 2 << 20
    return limits
  }()
}

/// The value, or nil if it throws an error of its format.
func attempt<T: ~Copyable, E: Error>(_ work: () throws(E) -> T) -> T? {
  do throws(E) { return try work() } catch { return nil }
}

func hold(_ condition: Bool, _ law: @autoclosure () -> String) throws(BrokenLaw) {
  if !condition { throw BrokenLaw(law()) }
}
