// SPDX-License-Identifier: Apache-2.0
public import Iceberg

/// How a table is kept up: what `lake maintain` goes by.
///
///     policy  := setting (',' setting)*
///     setting := 'keep=' age | 'keep-last=' count | 'target=' size | 'deleted=' percent
///              | 'manifests=' count | 'orphans=' age | task '=off'
///     task    := 'compact' | 'expire' | 'manifests' | 'metadata' | 'orphans'
///     age     := number ('s' | 'm' | 'h' | 'd')
///     size    := number ('KB' | 'MB' | 'GB')?
///
/// A table's own policy is in its properties, each setting as `lake.maintain.<name>`.
public struct MaintenancePolicy: Hashable, Sendable {
  /// How old snapshots get; nil: what the table's properties say.
  public var keep: Duration?
  /// How many snapshots of a branch stay in any case; nil: what the table's properties say.
  public var keepLast: Int?
  /// How large data files are to be; nil: what the table's properties say.
  public var targetByteCount: Int64?
  /// From which share of deleted rows on a file is rewritten for them alone.
  public var deletedPercent = 10
  /// From how many manifests on they are rewritten, if they could be half as many.
  public var manifestCount = 100
  /// How old orphans have to be.
  public var orphanAge = OrphanSweep.defaultAge
  public var compacts = true
  public var expires = true
  public var rewritesManifests = true
  /// Old versions of the table's metadata go, where the table is kept in a store alone.
  public var trimsMetadata = true
  /// Orphans are looked for, which takes a listing of all files.
  public var sweeps = true

  public static let propertyPrefix = "lake.maintain."

  public init() {}

  /// The policy of a table.
  ///
  /// - Throws: ``MaintenanceError/invalidPolicy(_:reason:)``.
  public init(_ properties: TableProperties) throws(MaintenanceError) {
    let own = properties.values(withPrefix: Self.propertyPrefix)
    for (name, value) in own.sorted(by: { $0.key < $1.key }) {
      try set(name, value, what: "property '\(Self.propertyPrefix)\(name)'")
    }
  }

  /// Changes the settings that `text` has, such as `keep=7d,target=256MB`.
  ///
  /// - Throws: ``MaintenanceError/invalidPolicy(_:reason:)``.
  public mutating func apply(_ text: String) throws(MaintenanceError) {
    var seen: Set<String> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        .map { $0.trimmed }
      guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty else {
        throw .invalidPolicy("policy '\(text)'", reason: "expected name=value, found '\(part)'")
      }
      guard seen.insert(pair[0]).inserted else {
        throw .invalidPolicy("policy '\(text)'", reason: "'\(pair[0])' is there twice")
      }
      try set(pair[0], pair[1], what: "policy '\(part.trimmed)'")
    }
  }

  private mutating func set(
    _ name: String, _ value: String, what: String
  ) throws(MaintenanceError) {
    switch name {
    case "keep": keep = try Self.read(value, what, "an age such as 7d", Self.age)
    case "keep-last": keepLast = Int(try Self.read(value, what, "a count from 1 on", Self.count))
    case "target":
      targetByteCount = try Self.read(value, what, "a size such as 256MB", Self.byteCount)
    case "deleted":
      deletedPercent = try Self.read(value, what, "a percentage from 1 to 100") {
        Int($0.hasSuffix("%") ? String($0.dropLast()) : $0).flatMap {
          (1...100).contains($0) ? $0 : nil
        }
      }
    case "manifests" where value != "off" && value != "on":
      manifestCount = try Self.read(value, what, "a count from 1 on, on or off", Self.count)
    case "orphans" where value != "off" && value != "on":
      orphanAge = try Self.read(value, what, "an age such as 3d, on or off", Self.age)
    case "compact": compacts = try Self.flag(value, what)
    case "expire": expires = try Self.flag(value, what)
    case "manifests": rewritesManifests = try Self.flag(value, what)
    case "metadata": trimsMetadata = try Self.flag(value, what)
    case "orphans": sweeps = try Self.flag(value, what)
    default:
      throw .invalidPolicy(
        what,
        reason: "expected keep, keep-last, target, deleted, manifests, orphans, compact, expire or "
          + "metadata, "
          + "found '\(name)'")
    }
  }

  private static func read<T>(
    _ text: String, _ what: String, _ expected: String, _ parse: (String) -> T?
  ) throws(MaintenanceError) -> T {
    guard let value = parse(text) else {
      throw .invalidPolicy(what, reason: "expected \(expected), found '\(text)'")
    }
    return value
  }

  private static func flag(_ text: String, _ what: String) throws(MaintenanceError) -> Bool {
    try read(text, what, "on or off") { $0 == "on" ? true : $0 == "off" ? false : nil }
  }

  private static func count(_ text: String) -> Int? {
    Int(text).flatMap { (1...1_000_000_000).contains($0) ? $0 : nil }
  }

  private static func age(_ text: String) -> Duration? {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
      count > 0, count < 1 << 32
    else { return nil }
    return .seconds(count * unit)
  }

  /// How many bytes `text` is, such as 256MB; nil if it is no size from 1 on.
  public static func byteCount(_ text: String) -> Int64? {
    let units: [(String, Int64)] = [("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("B", 1)]
    let upper = text.uppercased()
    let (digits, unit) =
      units.first { upper.hasSuffix($0.0) }.map { (upper.dropLast($0.0.count), $0.1) }
      ?? (upper[...], 1)
    guard let count = Int64(digits), count > 0 else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: unit)
    return overflow ? nil : product
  }
}

extension Substring {
  /// The text without spaces around it.
  fileprivate var trimmed: String {
    var text = self
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
