// SPDX-License-Identifier: Apache-2.0
public import Storage

/// How a store of S3 is reached and how it behaves.
public struct S3Options: Sendable {
  /// Where buckets and their keys are on the wire.
  public enum Addressing: Hashable, Sendable {
    /// `https://host/bucket/key`.
    case path
    /// `https://bucket.host/key`.
    case virtualHost
  }

  /// How the server learns that a body came over whole.
  public enum BodyCheck: Hashable, Sendable {
    /// The signature covers the body's SHA-256: any server that checks signatures checks it.
    case signature
    /// A CRC-32C in a header, and the body unsigned where TLS guards it: cheaper, and what AWS
    /// keeps with the object.
    case crc32c
  }

  /// Nil for AWS itself, whose host depends on the region.
  public var endpoint: HTTPOrigin?
  /// What signatures name; for buckets elsewhere the server tells, and it is adopted.
  public var region = "us-east-1"
  public var addressing = Addressing.virtualHost
  public var bodyCheck = BodyCheck.crc32c
  /// True if listings come in the order of the keys' bytes, as AWS's do. Where they may not, as with
  /// servers that walk folders, a listing is read to its end and sorted before its first object is
  /// given.
  public var listsInOrder = true
  /// True if a bucket is asked, before its first ``PutCondition/unclaimed`` write, whether it keeps
  /// conditions: some servers take them and ignore them. AWS is known to keep them.
  public var probesConditions = false
  /// What every request says who asks: `Lake/1`.
  public var userAgent = "lake"

  /// Bytes of the parts large objects are written in; at least 5 MiB but for the last.
  public var partByteCount = 8 << 20
  /// The most parts of one object that are sent at a time: with one being filled, a writer holds
  /// this many times ``partByteCount``.
  public var partConcurrency = 4
  /// The most requests at a time; others wait in the order they came.
  public var concurrency = 64
  /// The most bytes of objects sent in a second, on the average; nil for no limit.
  ///
  /// Requests wait for their turn in the order they came, and go at full speed then; so over any
  /// time it is the limit's share and one request more.
  public var uploadBytesPerSecond: Int64?
  /// The same for bytes received.
  public var downloadBytesPerSecond: Int64?
  /// The most time for the reply to one request; a second more is given for each MiB it moves.
  public var requestTimeout: Duration = .seconds(30)
  /// How often and how long what failed is tried again.
  public var retries = RetryPolicy()
  /// After how long without a reply a read is asked for a second time, the first reply being taken;
  /// nil for never.
  ///
  /// Off unless asked for: it makes the slowest reads of a busy store faster, and costs more
  /// requests, which are paid for.
  public var hedgeDelay: Duration?

  public init() {}
}

extension S3Options {
  /// Reads the properties that Iceberg's catalogs and engines have for S3.
  ///
  /// `s3.endpoint`, `s3.path-style-access`, `s3.force-virtual-addressing`, `s3.region` or
  /// `client.region`, `s3.multipart.part-size-bytes`, `s3.multipart.num-threads`,
  /// `s3.request-timeout` and `s3.connect-timeout` (seconds), `s3.retry.num-retries`,
  /// `s3.checksum-enabled`; of Lake's own `s3.hedge-after-ms`, `s3.max-connections`,
  /// `s3.max-upload-bytes-per-second`, `s3.max-download-bytes-per-second`, `s3.lists-in-order` and
  /// `s3.probe-conditional-writes`. Others are left to whoever knows them.
  ///
  /// A custom endpoint is addressed by path, as most that are not AWS want it, unless a property
  /// says otherwise.
  ///
  /// - Throws: ``S3Error/invalidProperty(name:value:reason:)``.
  public init(properties: [String: String]) throws(S3Error) {
    self.init()
    let read = Properties(properties)
    if let region = properties["s3.region"] ?? properties["client.region"], !region.isEmpty {
      self.region = try Self.region(region)
    }
    if let text = properties["s3.endpoint"], !text.isEmpty {
      endpoint = try Self.origin(text)
      addressing = .path
      bodyCheck = .signature
      listsInOrder = false
      probesConditions = true
    }
    if let isProbed = try read.flag("s3.probe-conditional-writes") { probesConditions = isProbed }
    if let isOrdered = try read.flag("s3.lists-in-order") { listsInOrder = isOrdered }
    if let isPath = try read.flag("s3.path-style-access") {
      addressing = isPath ? .path : .virtualHost
    }
    if let isVirtual = try read.flag("s3.force-virtual-addressing") {
      addressing = isVirtual ? .virtualHost : .path
    }
    if let isChecked = try read.flag("s3.checksum-enabled") {
      bodyCheck = isChecked ? .crc32c : .signature
    }
    if let count = try read.number("s3.multipart.part-size-bytes", in: 5 << 20...5 << 30) {
      partByteCount = count
    }
    if let count = try read.number("s3.multipart.num-threads", in: 1...64) {
      partConcurrency = count
    }
    if let count = try read.number("s3.max-connections", in: 1...10_000) { concurrency = count }
    if let count = try read.number("s3.max-upload-bytes-per-second", in: 1024...1 << 40) {
      uploadBytesPerSecond = Int64(count)
    }
    if let count = try read.number("s3.max-download-bytes-per-second", in: 1024...1 << 40) {
      downloadBytesPerSecond = Int64(count)
    }
    if let seconds = try read.number("s3.request-timeout", in: 1...86_400) {
      requestTimeout = .seconds(seconds)
    }
    if let count = try read.number("s3.retry.num-retries", in: 0...100) {
      retries.attemptLimit = count + 1
    }
    if let milliseconds = try read.number("s3.hedge-after-ms", in: 1...3_600_000) {
      hedgeDelay = .milliseconds(milliseconds)
    }
  }

  /// The origin that `text` (`https://host:port`) names; a path, query or user in it is an error.
  static func origin(_ text: String) throws(S3Error) -> HTTPOrigin {
    func invalid(_ reason: String) -> S3Error {
      .invalidProperty(name: "s3.endpoint", value: text, reason: reason)
    }
    var rest = Substring(text)
    let isSecure: Bool
    if rest.lowercased().hasPrefix("https://") {
      isSecure = true
      rest = rest.dropFirst(8)
    } else if rest.lowercased().hasPrefix("http://") {
      isSecure = false
      rest = rest.dropFirst(7)
    } else if rest.contains("://") {
      throw invalid("neither http nor https")
    } else {
      isSecure = true
    }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    guard !rest.isEmpty else { throw invalid("no host") }
    let isPlain = rest.utf8.allSatisfy {
      $0 > 0x20 && $0 < 0x7f && !"/?#@\\%".utf8.contains($0)
    }
    guard isPlain else { throw invalid("more than a host and a port") }
    var host = rest
    var port: Int?
    if let bracket = rest.lastIndex(of: "]") {
      host = rest[rest.startIndex...bracket]
      let after = rest[rest.index(after: bracket)...]
      guard host.hasPrefix("["), after.isEmpty || after.hasPrefix(":") else {
        throw invalid("no address in brackets")
      }
      host = host.dropFirst().dropLast()
      port = try after.isEmpty ? nil : number(after.dropFirst(), orThrow: invalid("no port"))
    } else if let colon = rest.firstIndex(of: ":") {
      host = rest[..<colon]
      port = try number(rest[rest.index(after: colon)...], orThrow: invalid("no port"))
    }
    guard !host.isEmpty else { throw invalid("no host") }
    return HTTPOrigin(isSecure: isSecure, host: String(host), port: port)
  }

  private static func number(
    _ text: Substring, orThrow error: S3Error
  ) throws(S3Error) -> Int {
    guard let port = UInt16(text), port > 0 else { throw error }
    return Int(port)
  }

  /// A region is part of a host's name: nothing else may get in there.
  static func region(_ text: String) throws(S3Error) -> String {
    guard S3Address.isLabel(text) else {
      throw .invalidProperty(name: "s3.region", value: text, reason: "no region has such a name")
    }
    return text
  }

  private struct Properties {
    let values: [String: String]
    init(_ values: [String: String]) { self.values = values }

    func flag(_ name: String) throws(S3Error) -> Bool? {
      switch values[name]?.lowercased() {
      case nil, "": return nil
      case "true": return true
      case "false": return false
      case .some(let value):
        throw .invalidProperty(name: name, value: value, reason: "neither true nor false")
      }
    }

    func number(_ name: String, in range: ClosedRange<Int>) throws(S3Error) -> Int? {
      guard let text = values[name], !text.isEmpty else { return nil }
      guard let value = Int(text), range.contains(value) else {
        throw .invalidProperty(
          name: name, value: text,
          reason: "no number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
  }
}
