// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

extension StoreContract {
  /// Laws of what is seen only by the server behind a store, or by who can lose a request.
  static let wireLaws: [Law] = [
    Law("a write with a condition is marked, each in its own way", as: "put_get_attributes") {
      trial in
      guard let server = trial.under.server else {
        return try trial.expect(
          !trial.under.capabilities.contains(.attributes), "no one to ask for attributes")
      }
      // What the store leaves beside the bytes: whose write it was, another for each.
      _ = try await trial.store.put(Buffer(utf8: "foo"), to: trial.path("whole"), if: .absent)
      let writer = try await trial.store.writer(to: trial.path("parts"), if: .absent)
      try await writer.append(Buffer([UInt8](repeating: 1, count: 11 << 20)))
      _ = try await writer.finish()
      _ = try await trial.store.put(Buffer(utf8: "foo"), to: trial.path("plain"), if: .none)
      let mark = "x-amz-meta-lake-write"
      let whole = try await server.attributes(of: trial.path("whole"))[mark]
      let parts = try await server.attributes(of: trial.path("parts"))[mark]
      let plain = try await server.attributes(of: trial.path("plain"))[mark]
      try trial.expect(
        whole != nil && parts != nil && whole != parts, "\(whole as Any), \(parts as Any)")
      try trial.expect(plain == nil, "a mark where there was no condition")
    },

    Law("who has a signed address needs no keys", as: "signing") { trial in
      guard let server = trial.under.server else {
        return try trial.expect(
          !trial.under.capabilities.contains(.signedAddresses), "no one to sign for")
      }
      try await trial.put("signed for", at: "dir/an object+%.txt")
      let path = try trial.path("dir/an object+%.txt")
      let read = try await server.readSigned(path, isChanged: false)
      try trial.expect(
        read.status == 200 && read.bytes == Array("signed for".utf8), "\(read.status)")
      let changed = try await server.readSigned(path, isChanged: true).status
      let isChecked = trial.under.capabilities.contains(.checksSignatures)
      try trial.expect(changed, equals: isChecked ? 403 : 200, "a changed address")
    },

    Law("tags change nothing of an object", as: "tagging") { trial in
      guard let server = trial.under.server else {
        return try trial.expect(!trial.under.capabilities.contains(.tags), "no one to tag")
      }
      let path = try trial.path("tagged")
      let version = try await trial.store.put(Buffer(utf8: "text"), to: path, if: .absent)
      let isTagged = try await server.tag(path, name: "team", value: "flights")
      try trial.expect(
        isTagged, equals: trial.under.capabilities.contains(.tags), "tags")
      // What others say of an object changes nothing of it.
      try trial.expect(try await trial.store.head(path).version, equals: version, "version")
      try await trial.expectText("tagged", "text", "after tagging")
      guard isTagged else { return }
      let tags = try await server.tags(of: path)
      try trial.expect(tags.contains("flights"), "tags: \(tags)")
      _ = try await trial.store.put(Buffer(utf8: "new"), to: path, if: .matches(version))
    },

    Law("parts may come in any order", as: "multipart_out_of_order") { trial in
      // The first part that is sent is lost, and comes again when others are there.
      let number = 2
      let script = WriteScript { trial.settles && $0 == number ? .loseRequest : nil }
      let chunks = (0..<3).map { _ in trial.chunk(5 << 20) }
      let writer = try await trial.under.lossy(script).writer(to: trial.path("parts"), if: .none)
      for chunk in chunks { try await writer.append(chunk) }
      _ = try await writer.finish()
      try await trial.expectBytes("parts", chunks)
    },
  ]
}
