// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Storage
internal import XML

/// All objects under a prefix, page by page.
struct S3Listing: AsyncSequence, Sendable {
  typealias Element = ObjectInfo
  typealias Failure = StorageError

  let store: S3Store
  let prefix: ObjectPath

  func makeAsyncIterator() -> Iterator { Iterator(listing: self) }

  /// True if pages come in the order of paths. AWS's directory buckets, by their names, have none.
  fileprivate var isSorted: Bool {
    store.client.options.listsInOrder && !prefix.bucket.hasSuffix("--x-s3")
  }

  struct Iterator: AsyncIteratorProtocol {
    let listing: S3Listing
    private var page: ArraySlice<ObjectInfo> = []
    private var position = Position.start
    /// Of a store whose listings have an order of their own: what came until now.
    fileprivate var gathered: [ObjectInfo] = []

    private enum Position {
      case start
      case after(String)
      case end
    }

    init(listing: S3Listing) { self.listing = listing }

    mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(StorageError) -> ObjectInfo? {
      while true {
        if let info = page.popFirst() { return info }
        let continuation: String?
        switch position {
        case .start: continuation = nil
        case .after(let token): continuation = token
        case .end: return nil
        }
        let next = try await listing.page(after: continuation)
        if listing.isSorted {
          page = next.objects[...]
        } else {
          gathered += next.objects
        }
        if let token = next.continuation {
          guard token != continuation else {
            throw S3Store.malformed(.list, listing.prefix, "the same page again")
          }
          position = .after(token)
        } else {
          position = .end
          if !listing.isSorted {
            page = gathered.sorted { $0.path < $1.path }[...]
            gathered = []
          }
        }
      }
    }

    mutating func next() async throws(StorageError) -> ObjectInfo? {
      try await next(isolation: #isolation)
    }
  }

  private struct Page {
    var objects: [ObjectInfo] = []
    var continuation: String?
  }

  private func page(after continuation: String?) async throws(StorageError) -> Page {
    if Task.isCancelled { throw .cancelled(path: prefix) }
    guard !prefix.bucket.isEmpty else {
      throw .invalidPath(prefix.text, reason: "it has no bucket")
    }
    var call = S3Call(.list, .get, prefix)
    call.key = nil
    call.query = [(name: "encoding-type", value: "url"), (name: "list-type", value: "2")]
    if let key = prefix.key { call.query.append((name: "prefix", value: key + "/")) }
    if let continuation {
      call.query.append((name: "continuation-token", value: continuation))
    }
    let response = try await store.send(call, prefix, isWrite: false)
    do throws(XMLFailure) {
      let root = try XMLReader.read(response.body)
      guard root.name == "ListBucketResult" else {
        throw XMLFailure(reason: "no listing but '\(root.name)'", offset: 0)
      }
      return try page(of: root)
    } catch {
      throw S3Store.malformed(.list, prefix, "no listing: \(error)")
    }
  }

  private func page(of root: XMLElement) throws(XMLFailure) -> Page {
    var page = Page()
    let isEncoded = root.text(of: "EncodingType") == "url"
    for element in root.children where element.name == "Contents" {
      guard let text = element.text(of: "Key"), let key = isEncoded ? Self.decoded(text) : text,
        let byteCount = element.text(of: "Size").flatMap({ Int64($0) }), byteCount >= 0,
        let modified = element.text(of: "LastModified").flatMap({ Timestamp(rfc3339: $0) }),
        let version = ObjectVersion(etag: element.text(of: "ETag"))
      else { throw XMLFailure(reason: "an object without key, size, date or ETag", offset: 0) }
      guard let path = path(of: key) else { continue }
      // As a look-up tells it, to the second.
      let second = modified.milliseconds - modified.milliseconds % 1000
      page.objects.append(
        ObjectInfo(
          path: path, byteCount: byteCount, modified: Timestamp(milliseconds: second),
          version: version))
    }
    if root.text(of: "IsTruncated") == "true" {
      guard let token = root.text(of: "NextContinuationToken"), !token.isEmpty else {
        throw XMLFailure(reason: "no token for the next page", offset: 0)
      }
      page.continuation = token
    }
    return page
  }

  /// The place of `key`, spelled as the prefix is; nil for a key that no path can name, and for
  /// the empty objects with a slash at their end that stand for folders.
  private func path(of key: String) -> ObjectPath? {
    guard !key.utf8.isEmpty, key.utf8.last != UInt8(ascii: "/") else { return nil }
    var rest = Substring(key)
    if let base = prefix.key {
      guard rest.utf8.starts(with: (base + "/").utf8) else { return nil }
      rest = Substring(rest.utf8.dropFirst(base.utf8.count + 1))
    }
    if let path = try? prefix.appending(relativePath: String(rest)) { return path }
    let start = prefix.text.utf8.last == UInt8(ascii: "/") ? prefix.text : prefix.text + "/"
    return try? ObjectPath(start + rest)
  }

  /// `text` with `%41` made `A` and `+` a space again; nil if that is no text.
  static func decoded(_ text: String) -> String? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit)
        else { return nil }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
