// SPDX-License-Identifier: Apache-2.0
internal import Network
internal import Storage

/// Where a bucket's objects are on the wire.
struct S3Address: Sendable {
  let origin: HTTPOrigin
  /// What comes before the key: `/bucket` where the bucket is no part of the host, else nothing.
  let base: String

  init(bucket: String, region: String, _ options: S3Options) {
    let host: HTTPOrigin
    if let endpoint = options.endpoint {
      host = endpoint
    } else {
      let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
      host = HTTPOrigin(isSecure: true, host: "s3.\(region).\(domain)")
    }
    // A dot in a bucket's name would be one more level that no certificate covers; a name that is
    // no label cannot be part of a host at all.
    let isHostable = Self.isLabel(bucket) && bucket.utf8.count >= 3
    if options.addressing == .virtualHost, isHostable {
      origin = HTTPOrigin(
        isSecure: host.isSecure, host: "\(bucket).\(host.host)", port: host.port)
      base = ""
    } else {
      origin = host
      base = "/" + PercentEncoding.component(bucket)
    }
  }

  /// The request line's target for `key` (nil for the bucket itself).
  func target(key: String?, query: [(name: String, value: String)]) -> String {
    var target = base
    if let key {
      target += "/" + PercentEncoding.path(key)
    } else if target.isEmpty {
      target = "/"
    }
    return query.isEmpty ? target : target + "?" + PercentEncoding.query(query)
  }

  /// True for what one part of a host's name may be: small letters, digits, hyphens within.
  static func isLabel(_ text: String) -> Bool {
    let bytes = text.utf8
    let isAllowed = bytes.allSatisfy {
      $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z")
        || $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") || $0 == UInt8(ascii: "-")
    }
    return isAllowed && (1...63).contains(bytes.count) && bytes.first != UInt8(ascii: "-")
      && bytes.last != UInt8(ascii: "-")
  }
}

extension ObjectPath {
  /// The bucket this object is in.
  var bucket: String { authority }

  /// The object's key; nil for the bucket itself.
  var key: String? { isRoot ? nil : String(path.dropFirst()) }
}
