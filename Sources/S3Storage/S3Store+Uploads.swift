// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Storage
internal import XML

extension S3Store {
  /// Aborts uploads in parts under `prefix` that were begun before `moment` and not ended: their
  /// parts are paid for, and in no listing.
  ///
  /// Cost: a request for each 1,000 uploads there are, and one for each that goes.
  public func removeAbandonedWrites(
    under prefix: ObjectPath, before moment: Timestamp
  ) async throws(StorageError) -> Int {
    var found: [(path: ObjectPath, id: String)] = []
    var markers: (key: String, id: String)?
    repeat {
      let page = try await uploads(under: prefix, after: markers)
      for upload in page.uploads where upload.started < moment {
        found.append((upload.path, upload.id))
      }
      guard page.next?.key != markers?.key || page.next?.id != markers?.id else { break }
      markers = page.next
    } while markers != nil
    _ = await mapConcurrently(found, limit: 8) { upload in
      await abort(upload.id, at: upload.path)
    }
    return found.count
  }

  /// Gives up the upload that the server calls `id`; its failure leaves it to a later sweep.
  func abort(_ id: String, at path: ObjectPath) async {
    var call = S3Call(.abortUpload, .delete, path)
    call.query = [(name: "uploadId", value: id)]
    _ = try? await client.send(call)
  }

  private struct UploadPage {
    var uploads: [(path: ObjectPath, id: String, started: Timestamp)] = []
    var next: (key: String, id: String)?
  }

  private func uploads(
    under prefix: ObjectPath, after markers: (key: String, id: String)?
  ) async throws(StorageError) -> UploadPage {
    guard !prefix.bucket.isEmpty else {
      throw .invalidPath(prefix.text, reason: "it has no bucket")
    }
    var call = S3Call(.listUploads, .get, prefix)
    call.key = nil
    if let markers { call.query.append((name: "key-marker", value: markers.key)) }
    if let key = prefix.key { call.query.append((name: "prefix", value: key + "/")) }
    if let markers { call.query.append((name: "upload-id-marker", value: markers.id)) }
    call.query.append((name: "uploads", value: ""))
    let response = try await send(call, prefix, isWrite: false)
    let root: XMLElement
    do throws(XMLFailure) {
      root = try XMLReader.read(response.body)
    } catch {
      throw Self.malformed(.listUploads, prefix, "no listing: \(error)")
    }
    var page = UploadPage()
    for element in root.all("Upload") {
      guard let key = element.text(of: "Key"), let id = element.text(of: "UploadId"),
        let started = element.text(of: "Initiated").flatMap({ Timestamp(rfc3339: $0) }),
        let path = try? ObjectPath("\(prefix.scheme)://\(prefix.bucket)/\(key)"),
        prefix.contains(path)
      else { continue }
      page.uploads.append((path, id, started))
    }
    if root.text(of: "IsTruncated") == "true", let key = root.text(of: "NextKeyMarker") {
      page.next = (key, root.text(of: "NextUploadIdMarker") ?? "")
    }
    return page
  }
}
